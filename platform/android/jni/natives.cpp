// The native methods of dev.fermata.Native.
#include <jni.h>

#include <array>
#include <fermata/background_sync.hpp>
#include <string>

#include "android_platform.hpp"
#include "java_side.hpp"

namespace fermata {

std::unique_ptr<Platform> make_default_platform() {
  return std::make_unique<android::AndroidPlatform>();
}

namespace android {
namespace {

std::optional<std::chrono::milliseconds> time_from(jlong milliseconds) {
  return milliseconds < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(milliseconds));
}

// A number that Java should not have sent is the enum's first value.
template <class Enum>
Enum enum_from(jint number, Enum last) {
  return number >= 0 && number <= static_cast<jint>(last) ? static_cast<Enum>(number) : Enum{};
}

void app_state(JNIEnv*, jclass, jint state, jlong time_left) {
  FromJava::one().app_state(enum_from(state, AppState::Terminating), time_from(time_left));
}

void strategy(JNIEnv*, jclass, jint event, jlong time_left) {
  FromJava::one().service(enum_from(event, StrategyEvent::Unsupported), time_from(time_left));
}

void conditions(JNIEnv*, jclass, jboolean low_power, jint battery, jboolean metered, jboolean protected_data) {
  FromJava::one().conditions({.low_power = low_power == JNI_TRUE,
                              .battery_percent = battery < 0 ? std::nullopt : std::optional<int>(battery),
                              .metered = metered == JNI_TRUE,
                              .protected_data_available = protected_data == JNI_TRUE});
}

void start(JNIEnv*, jclass, jint mode) {
  BackgroundSync::shared().start({.mode = enum_from(mode, BackgroundMode::Always)});
}

void stop(JNIEnv*, jclass) {
  BackgroundSync::shared().stop();
}

jboolean is_on(JNIEnv*, jclass) {
  return BackgroundSync::shared().is_on() ? JNI_TRUE : JNI_FALSE;
}

jboolean is_syncing(JNIEnv*, jclass) {
  return BackgroundSync::shared().status().syncing ? JNI_TRUE : JNI_FALSE;
}

jboolean is_holding(JNIEnv*, jclass) {
  return BackgroundSync::shared().status().holding ? JNI_TRUE : JNI_FALSE;
}

jstring reason(JNIEnv* env, jclass) {
  return env->NewStringUTF(BackgroundSync::shared().status().reason.c_str());
}

template <class Function>
JNINativeMethod method(const char* name, const char* signature, Function* function) {
  return {const_cast<char*>(name), const_cast<char*>(signature), reinterpret_cast<void*>(function)};
}

bool register_natives(JNIEnv* env) {
  jclass const natives = env->FindClass("dev/fermata/Native");
  if (natives == nullptr) {
    return false;
  }
  const std::array methods{
      method("appState", "(IJ)V", app_state),
      method("strategy", "(IJ)V", strategy),
      method("conditions", "(ZIZZ)V", conditions),
      method("start", "(I)V", start),
      method("stop", "()V", stop),
      method("isOn", "()Z", is_on),
      method("isSyncing", "()Z", is_syncing),
      method("isHolding", "()Z", is_holding),
      method("reason", "()Ljava/lang/String;", reason),
  };
  return env->RegisterNatives(natives, methods.data(), static_cast<jint>(methods.size())) == JNI_OK;
}

}  // namespace
}  // namespace android
}  // namespace fermata

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
  void* env = nullptr;
  if (vm->GetEnv(&env, JNI_VERSION_1_6) != JNI_OK) {
    return JNI_ERR;
  }
  auto* const java = static_cast<JNIEnv*>(env);
  const bool bound = fermata::android::register_natives(java) && fermata::android::java_side().bind(vm, java);
  return bound ? JNI_VERSION_1_6 : JNI_ERR;
}
