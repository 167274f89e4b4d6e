// Words for people: why the system refused something, and what to do about it.
#pragma once

#import <Foundation/Foundation.h>

#include <functional>
#include <string>

namespace fermata::apple {

// Where one-line explanations go. From any thread.
using Explain = std::function<void(const std::string&)>;

// "cannot activate the audio session: another app's sound may not be interrupted from the background; mixWithOthers
// avoids it (NSOSStatusErrorDomain 560557684)". `error` may be nil.
[[nodiscard]] std::string explain(const char* what_failed, NSError* error);

// To the system's log.
[[nodiscard]] Explain explain_to_log();

}  // namespace fermata::apple
