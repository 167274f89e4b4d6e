// Attachments that tests put and read back.
#pragma once

#include <algorithm>

#include "store/attachments.hpp"
#include "store_fixture.hpp"

namespace fermata::store {

inline Bytes some_content(std::size_t size, std::uint8_t salt = 1) {
  Bytes content(size);
  std::uint32_t state = salt;
  for (std::uint8_t& byte : content) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24U);
  return content;
}

// Gives `content` in pieces of odd sizes.
inline Attachments::Source source_of(const Bytes& content) {
  return [&content, at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({into.size(), content.size() - at, std::size_t{10'007}});
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
    at += count;
    return count;
  };
}

inline Attachment must_put(Store& store, const Bytes& content, AttachmentMetadata metadata = {}) {
  auto put = store.attachments().put(source_of(content), std::move(metadata));
  EXPECT_TRUE(put) << why(put);
  return *std::move(put);
}

inline Result<Bytes> content_of(Store& store, const ContentHash& hash,
                                std::optional<std::uint64_t> size = std::nullopt) {
  auto found = store.attachments().find_complete(hash, size);
  if (!found) return fail(found.error());
  Bytes content(found->first.size_bytes + 1);
  std::size_t filled = 0;
  for (;;) {
    auto count = store.attachments().read(found->first, filled, std::span(content).subspan(filled));
    if (!count) return fail(count.error());
    if (*count == 0) break;
    filled += *count;
  }
  content.resize(filled);
  return content;
}

}  // namespace fermata::store
