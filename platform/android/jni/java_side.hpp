// Java as C++ sees it: the calls that go there.
#pragma once

#include <jni.h>

namespace fermata::android {

// The static methods of dev.fermata.Keepalive. From any thread; a thread that Java does not know is made known until it
// ends. A Java exception is cleared and written to the log.
class JavaSide {
 public:
  // In JNI_OnLoad, since the app's classes can be found only there. False, with a Java exception, if they are not
  // there.
  [[nodiscard]] bool bind(JavaVM* vm, JNIEnv* env);

  void acquire() const { call(acquire_); }
  void release() const { call(release_); }
  void ready_to_suspend() const { call(ready_to_suspend_); }

 private:
  void call(jmethodID method) const;

  JavaVM* vm_ = nullptr;
  jclass keepalive_ = nullptr;
  jmethodID acquire_ = nullptr, release_ = nullptr, ready_to_suspend_ = nullptr;
};

// The one of this process; bound when the library is loaded.
[[nodiscard]] JavaSide& java_side();

}  // namespace fermata::android
