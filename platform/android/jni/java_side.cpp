#include "java_side.hpp"

namespace fermata::android {
namespace {

// Android aborts when a thread ends that is attached still.
class Attachment {
 public:
  Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment() {
    if (vm_ != nullptr) {
      vm_->DetachCurrentThread();
    }
  }

  JNIEnv* environment(JavaVM* vm) {
    void* known = nullptr;
    if (vm->GetEnv(&known, JNI_VERSION_1_6) == JNI_OK) {
      return static_cast<JNIEnv*>(known);
    }
    JNIEnv* env = nullptr;
    // Android declares the parameter as JNIEnv**, the JDK as void**.
#ifdef __ANDROID__
    const jint attached = vm->AttachCurrentThread(&env, nullptr);
#else
    const jint attached = vm->AttachCurrentThread(reinterpret_cast<void**>(&env), nullptr);
#endif
    if (attached != JNI_OK) {
      return nullptr;
    }
    vm_ = vm;
    return env;
  }

 private:
  JavaVM* vm_ = nullptr;
};

}  // namespace

bool JavaSide::bind(JavaVM* vm, JNIEnv* env) {
  vm_ = vm;
  jclass const found = env->FindClass("dev/fermata/Keepalive");
  if (found == nullptr) {
    return false;
  }
  keepalive_ = static_cast<jclass>(env->NewGlobalRef(found));
  acquire_ = env->GetStaticMethodID(keepalive_, "acquire", "()V");
  release_ = env->GetStaticMethodID(keepalive_, "release", "()V");
  ready_to_suspend_ = env->GetStaticMethodID(keepalive_, "readyToSuspend", "()V");
  return acquire_ != nullptr && release_ != nullptr && ready_to_suspend_ != nullptr;
}

void JavaSide::call(jmethodID method) const {
  static thread_local Attachment attachment;
  JNIEnv* const env = attachment.environment(vm_);
  if (env == nullptr) {
    return;  // the virtual machine is ending
  }
  env->CallStaticVoidMethod(keepalive_, method);
  if (env->ExceptionCheck() == JNI_TRUE) {
    env->ExceptionDescribe();
    env->ExceptionClear();
  }
}

JavaSide& java_side() {
  static JavaSide side;
  return side;
}

}  // namespace fermata::android
