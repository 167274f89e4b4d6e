// Devices that broke the protocol are not listened to for a while: 1 s, then four times as long each time, at most an
// hour; whoever behaved for an hour after that begins anew. Pure.
#pragma once

#include <map>
#include <optional>

#include "base/time.hpp"
#include "base/transport.hpp"

namespace fermata::sync {

class Refusals {
 public:
  // What of a session's errors is the remote's doing, and no accident of ours or of the link. Another version is none:
  // whoever is updated must be welcome at once.
  [[nodiscard]] static bool deserved(ErrorCode code);

  void note(const DeviceId& device, const Error& why, Instant now);
  // Why it is refused now; nothing if it is not.
  [[nodiscard]] std::optional<Error> of(const DeviceId& device, Instant now) const;

 private:
  struct Entry {
    unsigned offences = 0;
    Instant until{};
    Error why;
  };
  std::map<DeviceId, Entry> entries_;  // at most kMaxRefused: beyond, whose time ends first is forgotten
};

}  // namespace fermata::sync
