// A counted reference to an Objective-C object, right with ARC and without it, so that the very same sources run on
// iOS (ARC) and, in our tests, on a runtime that has none.
#pragma once

#import <Foundation/Foundation.h>

#include <functional>
#include <memory>
#include <utility>

#if !__has_feature(objc_arc)
#include <Block.h>
#endif

namespace fermata::apple {

#if __has_feature(objc_arc)

template <class T>
class Strong {
 public:
  Strong() = default;
  [[nodiscard]] static Strong owned(T object) { return Strong(object); }   // from alloc or copy
  [[nodiscard]] static Strong shared(T object) { return Strong(object); }  // from anything else
  [[nodiscard]] T get() const { return object_; }
  [[nodiscard]] T to_return() const { return object_; }  // to a caller that counts by itself
  explicit operator bool() const { return object_ != nil; }

 private:
  explicit Strong(T object) : object_(object) {}
  T object_ = nil;
};

// A function that calls `block`, and keeps it.
template <class Argument>
[[nodiscard]] std::function<void(Argument)> calling(void (^block)(Argument)) {
  return [kept = static_cast<void (^)(Argument)>([block copy])](Argument argument) { kept(argument); };
}

#else

template <class T>
class Strong {
 public:
  Strong() = default;
  [[nodiscard]] static Strong owned(T object) { return Strong(object); }
  [[nodiscard]] static Strong shared(T object) { return Strong([object retain]); }
  Strong(const Strong& other) : object_([other.object_ retain]) {}
  Strong(Strong&& other) noexcept : object_(std::exchange(other.object_, nil)) {}
  Strong& operator=(Strong other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Strong() { [object_ release]; }
  [[nodiscard]] T get() const { return object_; }
  [[nodiscard]] T to_return() const { return [[object_ retain] autorelease]; }
  explicit operator bool() const { return object_ != nil; }

 private:
  explicit Strong(T object) : object_(object) {}
  T object_ = nil;
};

template <class Argument>
[[nodiscard]] std::function<void(Argument)> calling(void (^block)(Argument)) {
  using Block = void (^)(Argument);
  const std::shared_ptr<Block> kept(new Block(Block_copy(block)), [](Block* copy) {
    Block_release(*copy);
    delete copy;
  });
  return [kept](Argument argument) { (*kept)(argument); };
}

#endif

}  // namespace fermata::apple
