#import "FermataBackgroundSync.h"

#include <fermata/background_sync.hpp>

#import "background_windows.h"
#import "foundation.h"

namespace {

using fermata::Strategy;

NSString* string(std::string_view text) {
  NSString* const result = [NSString stringWithUTF8String:std::string(text).c_str()];
  return result != nil ? result : @"";
}

fermata::BackgroundMode mode_of(FMTBackgroundMode mode) {
  switch (mode) {
    case FMTBackgroundModeWhileUnsynced:
      return fermata::BackgroundMode::WhileUnsynced;
    case FMTBackgroundModeAlways:
      return fermata::BackgroundMode::Always;
    case FMTBackgroundModeWhilePeersConnected:
      break;
  }
  return fermata::BackgroundMode::WhilePeersConnected;
}

}  // namespace

@interface FMTBackgroundSyncStatus ()
- (instancetype)initWithStatus:(const fermata::BackgroundSyncStatus&)status;
@end

@implementation FMTBackgroundSyncStatus
// The header is C and the status is C++.
static const fermata::BackgroundSyncStatus& of(const void* status) {
  static const fermata::BackgroundSyncStatus nothing;  // of one that the app made itself
  return status != nullptr ? *static_cast<const fermata::BackgroundSyncStatus*>(status) : nothing;
}

- (instancetype)initWithStatus:(const fermata::BackgroundSyncStatus&)status {
  self = [super init];
  if (self != nil) {
    status_ = new fermata::BackgroundSyncStatus(status);
  }
  return self;
}

- (void)dealloc {
  delete static_cast<fermata::BackgroundSyncStatus*>(status_);
#if !__has_feature(objc_arc)
  [super dealloc];
#endif
}

- (BOOL)isOn {
  return of(status_).is_on;
}
- (BOOL)isSyncing {
  return of(status_).syncing;
}
- (BOOL)isHolding {
  return of(status_).holding;
}
- (NSString*)strategy {
  return of(status_).holding ? string(fermata::name_of(of(status_).strategy)) : @"";
}
- (NSString*)reason {
  return string(of(status_).reason);
}
- (uint64_t)interruptions {
  return of(status_).interruptions;
}
- (uint64_t)recoveries {
  return of(status_).recoveries;
}

@end

@interface FMTHold ()
- (instancetype)initWithHold:(fermata::Hold)hold;
@end

@implementation FMTHold

- (instancetype)initWithHold:(fermata::Hold)hold {
  self = [super init];
  if (self != nil) {
    hold_ = new fermata::Hold(std::move(hold));
  }
  return self;
}

- (void)dealloc {
  delete static_cast<fermata::Hold*>(hold_);
#if !__has_feature(objc_arc)
  [super dealloc];
#endif
}

- (void)end {
  if (hold_ != nullptr) {
    *static_cast<fermata::Hold*>(hold_) = {};
  }
}

@end

@implementation FMTBackgroundSync

+ (FMTBackgroundSync*)shared {
  static FMTBackgroundSync* const only = [[FMTBackgroundSync alloc] init];
  return only;
}

+ (void)registerBackgroundTasks {
  fermata::apple::BackgroundWindows::shared().register_handlers(fermata::apple::declared_in_info_plist(),
                                                                fermata::apple::explain_to_log());
}

- (void)start {
  [self startWithMode:FMTBackgroundModeWhilePeersConnected storeSafe:NO];
}

- (void)startStoreSafe {
  [self startWithMode:FMTBackgroundModeWhilePeersConnected storeSafe:YES];
}

- (void)startWithMode:(FMTBackgroundMode)mode storeSafe:(BOOL)storeSafe {
  fermata::BackgroundSyncOptions options;
  options.mode = mode_of(mode);
  if (storeSafe) {
    options.ladder = {Strategy::ContinuedTask, Strategy::TaskAssertion};
  }
  fermata::BackgroundSync::shared().start(std::move(options));
}

- (void)stop {
  fermata::BackgroundSync::shared().stop();
}

- (BOOL)isOn {
  return fermata::BackgroundSync::shared().is_on();
}

- (FMTBackgroundSyncStatus*)status {
  return fermata::apple::Strong<FMTBackgroundSyncStatus*>::owned(
             [[FMTBackgroundSyncStatus alloc] initWithStatus:fermata::BackgroundSync::shared().status()])
      .to_return();
}

- (FMTHold*)holdWithReason:(NSString*)reason {
  const char* const text = [reason UTF8String];
  return fermata::apple::Strong<FMTHold*>::owned(
             [[FMTHold alloc] initWithHold:fermata::BackgroundSync::shared().hold(text != nullptr ? text : "")])
      .to_return();
}

- (void)observe:(void (^)(FMTBackgroundSyncStatus*))observer {
  if (observer == nil) {
    fermata::BackgroundSync::shared().observe(nullptr);
    return;
  }
  fermata::BackgroundSync::shared().observe(
      [tell = fermata::apple::calling(observer)](const fermata::BackgroundSyncStatus& status) {
        fermata::apple::post_to_main([tell, status] {
          tell(fermata::apple::Strong<FMTBackgroundSyncStatus*>::owned(
                   [[FMTBackgroundSyncStatus alloc] initWithStatus:status])
                   .get());
        });
      });
}

@end
