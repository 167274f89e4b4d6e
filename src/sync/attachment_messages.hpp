// What peers say about the content of attachments (docs/PROTOCOL.md, "Attachments"). Pure.
#pragma once

#include <fermata/attachment.hpp>
#include <optional>

#include "base/bytes.hpp"

namespace fermata::sync {

// "Send me this content, from here on"; without an offset: "no more of it".
struct Fetch {
  ContentHash hash{};
  std::uint64_t size_bytes = 0;
  std::optional<std::uint64_t> offset;
};
// The chunk at this place; without bytes: "I have not got it".
struct Part {
  ContentHash hash{};
  std::uint64_t offset = 0;
  std::optional<Bytes> bytes;
};
// "I have got now what you asked me for in vain."
struct Have {
  ContentHash hash{};
};

[[nodiscard]] Bytes encode(const Fetch& message);
[[nodiscard]] Bytes encode(const Part& message);
[[nodiscard]] Bytes encode(const Have& message);

}  // namespace fermata::sync
