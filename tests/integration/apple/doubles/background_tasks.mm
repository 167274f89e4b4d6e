// BGTaskScheduler: handlers are registered once, requests are refused or kept, windows open and expire.
#import <BackgroundTasks/BackgroundTasks.h>

#include <Block.h>

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include "phone.hpp"

NSString* const BGTaskSchedulerErrorDomain = @"BGTaskSchedulerErrorDomain";

using doubles::Phone;
using Launch = void (^)(BGTask*);

namespace {

std::map<std::string, Launch>& handlers() {
  static auto* const all = new std::map<std::string, Launch>;
  return *all;
}

BGTask* open_task = nil;

}  // namespace

@interface BGTaskRequest ()
- (instancetype)initWithName:(NSString*)identifier;
@end

@implementation BGTaskRequest
- (instancetype)initWithName:(NSString*)identifier {
  self = [super init];
  identifier_ = [identifier copy];
  return self;
}
- (void)dealloc {
  [identifier_ release];
  [earliestBeginDate_ release];
  [super dealloc];
}
- (NSString*)identifier {
  return identifier_;
}
- (NSDate*)earliestBeginDate {
  return earliestBeginDate_;
}
- (void)setEarliestBeginDate:(NSDate*)date {
  [earliestBeginDate_ autorelease];
  earliestBeginDate_ = [date copy];
}
@end

@implementation BGAppRefreshTaskRequest
- (instancetype)initWithIdentifier:(NSString*)identifier {
  return [super initWithName:identifier];
}
@end

@implementation BGProcessingTaskRequest
- (instancetype)initWithIdentifier:(NSString*)identifier {
  return [super initWithName:identifier];
}
- (BOOL)requiresNetworkConnectivity {
  return requiresNetworkConnectivity_;
}
- (void)setRequiresNetworkConnectivity:(BOOL)required {
  requiresNetworkConnectivity_ = required;
}
@end

@implementation BGContinuedProcessingTaskRequest
- (instancetype)initWithIdentifier:(NSString*)identifier title:(NSString*)title subtitle:(NSString*)subtitle {
  self = [super initWithName:identifier];
  title_ = [[title stringByAppendingString:subtitle] copy];
  strategy_ = BGContinuedProcessingTaskRequestSubmissionStrategyQueue;
  return self;
}
- (void)dealloc {
  [title_ release];
  [super dealloc];
}
- (BGContinuedProcessingTaskRequestSubmissionStrategy)strategy {
  return strategy_;
}
- (void)setStrategy:(BGContinuedProcessingTaskRequestSubmissionStrategy)strategy {
  strategy_ = strategy;
}
@end

@implementation BGTask
- (instancetype)initWithName:(const std::string&)name {
  self = [super init];
  identifier_ = [[NSString alloc] initWithUTF8String:name.c_str()];
  return self;
}
- (void)dealloc {
  [identifier_ release];
  if (expirationHandler_ != nullptr) {
    Block_release(expirationHandler_);
  }
  [super dealloc];
}
- (NSString*)identifier {
  return identifier_;
}
- (void (^)(void))expirationHandler {
  return expirationHandler_;
}
- (void)setExpirationHandler:(void (^)(void))handler {
  if (expirationHandler_ != nullptr) {
    Block_release(expirationHandler_);
  }
  expirationHandler_ = Block_copy(handler);
}
- (void)setTaskCompletedWithSuccess:(BOOL)success {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  phone.note(success ? "window completed" : "window failed");
  --phone.world.open_windows;
}
@end

@implementation BGContinuedProcessingTask
- (void)dealloc {
  [progress_ release];
  [super dealloc];
}
- (NSProgress*)progress {
  if (progress_ == nil) {
    progress_ = [[NSProgress progressWithTotalUnitCount:0] retain];
  }
  return progress_;
}
@end

@implementation BGTaskScheduler

+ (BGTaskScheduler*)sharedScheduler {
  static BGTaskScheduler* const only = [[BGTaskScheduler alloc] init];
  return only;
}

- (BOOL)registerForTaskWithIdentifier:(NSString*)identifier
                           usingQueue:(dispatch_queue_t)queue
                        launchHandler:(Launch)launchHandler {
  (void)queue;
  const std::lock_guard lock(Phone::one().mutex);
  Phone::one().note(std::string("register ") + [identifier UTF8String]);
  Launch& handler = handlers()[[identifier UTF8String]];
  if (handler != nullptr) {  // of a platform of an earlier test
    Block_release(handler);
  }
  handler = (Launch)_Block_copy((const void*)launchHandler);
  return YES;
}

- (BOOL)submitTaskRequest:(BGTaskRequest*)request error:(NSError**)error {
  auto& phone = Phone::one();
  long code = 0;
  {
    const std::lock_guard lock(phone.mutex);
    code = phone.world.submit_error;
    const bool at_once =
        [request isKindOfClass:[BGContinuedProcessingTaskRequest class]] &&
        ((BGContinuedProcessingTaskRequest*)request).strategy == BGContinuedProcessingTaskRequestSubmissionStrategyFail;
    phone.note(std::string(at_once ? "submit, now or never, " : "submit ") + [request.identifier UTF8String] +
               (code != 0 ? ": refused" : ""));
  }
  if (code != 0 && error != nullptr) {
    *error = [NSError errorWithDomain:BGTaskSchedulerErrorDomain code:code userInfo:nil];
  }
  return code == 0;
}

@end

namespace doubles {

// The system calls launch and expiration handlers on a queue of its own.
void Phone::open_window(const std::string& identifier) {
  std::thread([&] {
    const bool continued = identifier.ends_with(".continued");
    [open_task release];
    open_task = [(continued ? [BGContinuedProcessingTask alloc] : [BGTask alloc]) initWithName:identifier];
    {
      const std::lock_guard lock(mutex);
      ++world.open_windows;
    }
    @autoreleasepool {
      handlers().at(identifier)(open_task);
    }
  }).join();
}

void Phone::expire_window() {
  auto expired = std::make_shared<std::atomic<bool>>(false);
  std::thread system([expired] {
    @autoreleasepool {
      if (open_task.expirationHandler != nullptr) {
        open_task.expirationHandler();
      }
    }
    *expired = true;
  });
  if (!wait_until([&] { return expired->load(); }, std::chrono::seconds(10))) {
    note("STUCK: an expiration handler did not return");
  }
  system.join();
}

std::pair<long, long> Phone::progress() const {
  NSProgress* const progress = ((BGContinuedProcessingTask*)open_task).progress;
  return {static_cast<long>(progress.completedUnitCount), static_cast<long>(progress.totalUnitCount)};
}

void Phone::skip_progress_to(long completed) {
  ((BGContinuedProcessingTask*)open_task).progress.completedUnitCount = completed;
}

}  // namespace doubles
