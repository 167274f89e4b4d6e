// The other side of dev.fermata.Recorder.
#include <jni.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "android_platform.hpp"

namespace {

using namespace fermata;

std::mutex mutex;
std::string heard;
std::unique_ptr<Platform> platform;

void add(const std::string& line) {
  const std::lock_guard lock(mutex);
  heard += (heard.empty() ? "" : ", ") + line;
}

std::string after(std::optional<std::chrono::milliseconds> left) {
  return left ? " " + std::to_string(left->count()) : "";
}

std::string words(const Conditions& now) {
  std::string text = "conditions";
  text += now.low_power ? " low_power" : "";
  text += now.battery_percent ? " battery=" + std::to_string(*now.battery_percent) : "";
  text += now.metered ? " metered" : "";
  text += now.protected_data_available ? "" : " locked";
  return text;
}

template <class Function>
void on_another_thread(Function function) {
  std::thread(function).join();
}

}  // namespace

extern "C" {

JNIEXPORT void JNICALL Java_dev_fermata_Recorder_start(JNIEnv*, jclass) {
  platform = std::make_unique<android::AndroidPlatform>();
  PlatformEvents events;
  events.on_app_state = [](AppState state, auto left) { add(std::string(name_of(state)) + after(left)); };
  events.on_strategy = [](Strategy, StrategyEvent event, auto left) { add(std::string(name_of(event)) + after(left)); };
  events.on_conditions = [](const Conditions& now) { add(words(now)); };
  platform->start(std::move(events));
}

JNIEXPORT void JNICALL Java_dev_fermata_Recorder_end(JNIEnv*, jclass) {
  on_another_thread([] { platform.reset(); });
}

JNIEXPORT void JNICALL Java_dev_fermata_Recorder_acquire(JNIEnv*, jclass) {
  on_another_thread([] { platform->acquire(Strategy::ForegroundService); });
}

JNIEXPORT void JNICALL Java_dev_fermata_Recorder_release(JNIEnv*, jclass) {
  on_another_thread([] { platform->release(Strategy::ForegroundService); });
}

JNIEXPORT void JNICALL Java_dev_fermata_Recorder_readyToSuspend(JNIEnv*, jclass) {
  on_another_thread([] { platform->ready_to_suspend(); });
}

JNIEXPORT jstring JNICALL Java_dev_fermata_Recorder_heard(JNIEnv* env, jclass) {
  const std::lock_guard lock(mutex);
  return env->NewStringUTF(std::exchange(heard, {}).c_str());
}
}
