// What the shim uses of Network and Dispatch, as Apple declares it; there they are objects, which ARC counts.
#pragma once

#import <Foundation/Foundation.h>

@protocol OS_dispatch_queue <NSObject>
@end
@protocol OS_nw_path_monitor <NSObject>
@end
@protocol OS_nw_path <NSObject>
@end
typedef NSObject<OS_dispatch_queue>* dispatch_queue_t;
typedef NSObject<OS_nw_path_monitor>* nw_path_monitor_t;
typedef NSObject<OS_nw_path>* nw_path_t;
typedef void (^nw_path_monitor_update_handler_t)(nw_path_t path);

enum { QOS_CLASS_UTILITY = 0x11 };

extern "C" {
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);
nw_path_monitor_t nw_path_monitor_create(void) __attribute__((ns_returns_retained));
void nw_path_monitor_set_queue(nw_path_monitor_t monitor, dispatch_queue_t queue);
void nw_path_monitor_set_update_handler(nw_path_monitor_t monitor, nw_path_monitor_update_handler_t handler);
void nw_path_monitor_start(nw_path_monitor_t monitor);
void nw_path_monitor_cancel(nw_path_monitor_t monitor);
bool nw_path_is_expensive(nw_path_t path);
void nw_release(NSObject* object);
}
