#include "net/framing.hpp"

#include <algorithm>

namespace fermata::net {

std::array<std::uint8_t, kFrameHeader> frame_header(std::size_t payload) {
  return {static_cast<std::uint8_t>(payload >> 24), static_cast<std::uint8_t>(payload >> 16),
          static_cast<std::uint8_t>(payload >> 8), static_cast<std::uint8_t>(payload)};
}

Result<std::optional<Bytes>> FrameReader::next(ByteView& input, std::size_t max_payload) {
  while (header_filled_ < kFrameHeader) {
    if (input.empty()) return std::nullopt;
    header_[header_filled_++] = input.front();
    input = input.subspan(1);
  }
  std::size_t length = 0;
  for (const std::uint8_t byte : header_) length = length << 8 | byte;
  if (length > max_payload) {
    return fail(ErrorCode::Protocol, "it announced a frame of " + std::to_string(length) + " bytes; the most is " +
                                         std::to_string(max_payload));
  }
  const std::size_t take = std::min(length - payload_.size(), input.size());
  payload_.insert(payload_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(take));
  input = input.subspan(take);
  if (payload_.size() < length) return std::nullopt;
  header_filled_ = 0;
  return std::exchange(payload_, {});
}

}  // namespace fermata::net
