// The numbers of the message types on the wire. Private to the codec.
#pragma once

#include <cstdint>

namespace fermata::sync {

enum class MessageType : std::uint64_t {
  Hello = 0,
  Subscribe = 1,
  Unsubscribe = 2,
  Changes = 3,
  Want = 4,
  Ack = 5,
  Ping = 6,
  Pong = 7,
  Goodbye = 8,
};

}  // namespace fermata::sync
