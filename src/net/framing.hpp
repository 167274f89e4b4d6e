// Frames on a byte stream: a length of four bytes, big endian, then that many bytes. The first frame of each side is
// empty: it says that the sender has accepted the receiver, which a TLS 1.3 client cannot know otherwise.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.hpp"

namespace fermata::net {

inline constexpr std::size_t kFrameHeader = 4;

[[nodiscard]] std::array<std::uint8_t, kFrameHeader> frame_header(std::size_t payload);

class FrameReader {
 public:
  // Consumes `input` from its front until one frame is whole or nothing is left. Memory grows with the bytes that have
  // come, not with the length announced. Error: Protocol for a length above `max_payload`; the stream is then of no
  // more use.
  [[nodiscard]] Result<std::optional<Bytes>> next(ByteView& input, std::size_t max_payload);

 private:
  std::array<std::uint8_t, kFrameHeader> header_{};
  std::size_t header_filled_ = 0;
  Bytes payload_;
};

}  // namespace fermata::net
