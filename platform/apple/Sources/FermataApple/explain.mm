#import <AVFoundation/AVFoundation.h>
#import <BackgroundTasks/BackgroundTasks.h>

#import "explain.h"

namespace fermata::apple {
namespace {

const char* audio_advice(NSInteger code) {
  switch (code) {
    case AVAudioSessionErrorCodeCannotInterruptOthers:
      return "the sound of another app may not be interrupted from the background; it will be tried again";
    case AVAudioSessionErrorCodeMissingEntitlement:
      return "a call managed by CallKit has the sound; it will be tried again";
    case AVAudioSessionErrorCodeInsufficientPriority:
      return "something more important, such as a call, has the sound; it will be tried again";
    case AVAudioSessionErrorCodeSiriIsRecording:
      return "Siri is recording; it will be tried again";
    case AVAudioSessionErrorCodeCannotStartPlaying:
      return "the app may not start to play now; check that UIBackgroundModes has audio";
    case AVAudioSessionErrorCodeMediaServicesFailed:
      return "the media services are restarting; it will be tried again";
    case AVAudioSessionErrorCodeIsBusy:
      return "the app plays or records something of its own";
    case AVAudioSessionErrorCodeResourceNotAvailable:
      return "the sound hardware is not to be had; it will be tried again";
    case AVAudioSessionErrorCodeIncompatibleCategory:
      return "another part of the app changed the category of the audio session";
    default:
      return nullptr;
  }
}

const char* task_advice(NSInteger code) {
  switch (code) {
    case BGTaskSchedulerErrorCodeUnavailable:
      return "the user switched off Background App Refresh, or this is a simulator or an extension";
    case BGTaskSchedulerErrorCodeTooManyPendingTaskRequests:
      return "too many requests are waiting already";
    case BGTaskSchedulerErrorCodeNotPermitted:
      return "check UIBackgroundModes and BGTaskSchedulerPermittedIdentifiers in Info.plist";
    case BGTaskSchedulerErrorCodeImmediateRunIneligible:
      return "the system has no room for it now";
    default:
      return nullptr;
  }
}

const char* advice(NSError* error) {
  return [[error domain] isEqualToString:BGTaskSchedulerErrorDomain] ? task_advice([error code])
                                                                     : audio_advice([error code]);
}

}  // namespace

std::string explain(const char* what_failed, NSError* error) {
  std::string text = what_failed;
  if (error == nil) {
    return text + ": the system gave no reason; it will be tried again";
  }
  const char* known = advice(error);
  const char* words = known != nullptr ? known : [[error localizedDescription] UTF8String];
  const char* domain = [[error domain] UTF8String];
  text += std::string(": ") + (words != nullptr ? words : "unknown error");
  return text + " (" + (domain != nullptr ? domain : "?") + " " + std::to_string([error code]) + ")";
}

Explain explain_to_log() {
  return [](const std::string& text) { NSLog(@"fermata: %s", text.c_str()); };
}

}  // namespace fermata::apple
