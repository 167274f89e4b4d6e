#include <fermata/attachment.hpp>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace fermata {

Result<Attachment> Attachment::make(const ContentHash& hash, std::uint64_t size_bytes, AttachmentMetadata metadata) {
  if (size_bytes > kMaxAttachmentBytes)
    return fail(ErrorCode::LimitExceeded, fmt::format("an attachment of {} bytes is too large", size_bytes));
  std::size_t metadata_bytes = 0;
  for (const auto& [key, text] : metadata) {
    if (!is_utf8(key) || !is_utf8(text))
      return fail(ErrorCode::InvalidArgument, "an attachment's metadata holds text that is not UTF-8");
    metadata_bytes += key.size() + text.size();
  }
  if (metadata.size() > kMaxMetadataEntries || metadata_bytes > kMaxMetadataBytes) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("an attachment has {} entries of metadata with {} bytes; {} with {} may be",
                            metadata.size(), metadata_bytes, kMaxMetadataEntries, kMaxMetadataBytes));
  }
  return Attachment(std::make_shared<const Parts>(Parts{hash, size_bytes, std::move(metadata)}));
}

}  // namespace fermata
