// What the shim uses of BackgroundTasks, as Apple declares it.
#pragma once

#import <Foundation/Foundation.h>

#import "../Network/Network.h"

extern NSString* const BGTaskSchedulerErrorDomain;
typedef NS_ENUM(NSInteger, BGTaskSchedulerErrorCode) {
  BGTaskSchedulerErrorCodeUnavailable = 1,
  BGTaskSchedulerErrorCodeTooManyPendingTaskRequests = 2,
  BGTaskSchedulerErrorCodeNotPermitted = 3,
  BGTaskSchedulerErrorCodeImmediateRunIneligible = 4,
};

@interface BGTaskRequest : NSObject {
  NSString* identifier_;
  NSDate* earliestBeginDate_;
}
@property(nonatomic, readonly, copy) NSString* identifier;
@property(nonatomic, copy) NSDate* earliestBeginDate;
@end

@interface BGAppRefreshTaskRequest : BGTaskRequest
- (instancetype)initWithIdentifier:(NSString*)identifier;
@end

@interface BGProcessingTaskRequest : BGTaskRequest {
  BOOL requiresNetworkConnectivity_;
}
- (instancetype)initWithIdentifier:(NSString*)identifier;
@property(nonatomic) BOOL requiresNetworkConnectivity;
@end

typedef NS_ENUM(NSInteger, BGContinuedProcessingTaskRequestSubmissionStrategy) {
  BGContinuedProcessingTaskRequestSubmissionStrategyFail = 0,
  BGContinuedProcessingTaskRequestSubmissionStrategyQueue = 1,
} API_AVAILABLE(ios(26.0));

API_AVAILABLE(ios(26.0))
@interface BGContinuedProcessingTaskRequest : BGTaskRequest {
  NSString* title_;
  BGContinuedProcessingTaskRequestSubmissionStrategy strategy_;
}
- (instancetype)initWithIdentifier:(NSString*)identifier title:(NSString*)title subtitle:(NSString*)subtitle;
@property(nonatomic) BGContinuedProcessingTaskRequestSubmissionStrategy strategy;
@end

@interface BGTask : NSObject {
  NSString* identifier_;
  void (^expirationHandler_)(void);
}
@property(nonatomic, readonly, copy) NSString* identifier;
@property(nonatomic, copy) void (^expirationHandler)(void);
- (void)setTaskCompletedWithSuccess:(BOOL)success;
@end

API_AVAILABLE(ios(26.0))
@interface BGContinuedProcessingTask : BGTask {
  NSProgress* progress_;
}
@property(nonatomic, readonly) NSProgress* progress;
@end

@interface BGTaskScheduler : NSObject
+ (BGTaskScheduler*)sharedScheduler;
- (BOOL)registerForTaskWithIdentifier:(NSString*)identifier
                           usingQueue:(dispatch_queue_t)queue
                        launchHandler:(void (^)(BGTask* task))launchHandler;
- (BOOL)submitTaskRequest:(BGTaskRequest*)taskRequest error:(NSError**)error;
@end
