#import "foundation.h"

#include <memory>

// Foundation calls objects; this one calls a function. Its function is set once, before anybody knows the object.
@interface FMTObserver : NSObject {
  std::function<void(id)> work_;
  NSTimer* timer_;  // main thread only
}
- (instancetype)initWithWork:(std::function<void(id)>)work;
- (void)invoke:(id)argument;
- (void)startEvery:(NSNumber*)period;
- (void)endTimer;
@end

@implementation FMTObserver

- (instancetype)initWithWork:(std::function<void(id)>)work {
  self = [super init];
  if (self != nil) {
    work_ = std::move(work);
  }
  return self;
}

- (void)invoke:(id)argument {
  work_(argument);
}

- (void)startEvery:(NSNumber*)period {
  timer_ = [NSTimer scheduledTimerWithTimeInterval:[period doubleValue]
                                            target:self
                                          selector:@selector(invoke:)
                                          userInfo:nil
                                           repeats:YES];
}

- (void)endTimer {
  [timer_ invalidate];
  timer_ = nil;
}

@end

namespace fermata::apple {

void post_to_main(std::function<void()> work) {
  const auto job =
      Strong<FMTObserver*>::owned([[FMTObserver alloc] initWithWork:[run = std::move(work)](id) { run(); }]);
  [job.get() performSelectorOnMainThread:@selector(invoke:) withObject:nil waitUntilDone:NO];
}

void Observers::listen(NSString* name, Handler handler) {
  const auto observer = Strong<FMTObserver*>::owned(
      [[FMTObserver alloc] initWithWork:[run = std::move(handler)](id notification) { run(notification); }]);
  [[NSNotificationCenter defaultCenter] addObserver:observer.get() selector:@selector(invoke:) name:name object:nil];
  observers_.push_back(observer);
}

Observers::~Observers() {
  for (const auto& observer : observers_) {
    [[NSNotificationCenter defaultCenter] removeObserver:observer.get()];
    // A notification may be on its way to it on another thread: let it live a little longer.
    post_to_main([observer] {});
  }
}

Ticker::Ticker(NSTimeInterval period, std::function<void()> work)
    : target_(Strong<FMTObserver*>::owned([[FMTObserver alloc] initWithWork:[run = std::move(work)](id) { run(); }])) {
  [target_.get() performSelectorOnMainThread:@selector(startEvery:)
                                  withObject:[NSNumber numberWithDouble:period]
                               waitUntilDone:NO];
}

Ticker::~Ticker() {
  // After its start, which was posted to the same thread before.
  [target_.get() performSelectorOnMainThread:@selector(endTimer) withObject:nil waitUntilDone:NO];
}

NSUInteger number_in(NSNotification* notification, NSString* key, NSUInteger otherwise) {
  const id value = [[notification userInfo] objectForKey:key];
  return [value isKindOfClass:[NSNumber class]] ? [(NSNumber*)value unsignedIntegerValue] : otherwise;
}

}  // namespace fermata::apple
