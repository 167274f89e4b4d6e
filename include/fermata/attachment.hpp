// What a document says about a file that belongs to it: a value that names the content by its hash. The content itself
// is kept beside the documents. Plain data: copyable, comparable, no thread rule of its own.
//
// Content lives as long as a living document names it, and ten minutes longer: since it was put or had come, and since
// the last document that named it was changed, deleted or evicted. Then, at the latest some minutes later, an open
// Database removes it on a thread of its own, in steps that keep nobody waiting; a closed one when it is opened again.
// Content that somebody has a reader of stays until later. Its space in the file is used again; Database::compact()
// gives it back to the file system.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <fermata/result.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace fermata {

// SHA-256 of the content.
using ContentHash = std::array<std::uint8_t, 32>;
// Anything that people want to know before they have the content, such as a name and a media type. UTF-8.
using AttachmentMetadata = std::map<std::string, std::string, std::less<>>;

inline constexpr std::uint64_t kMaxAttachmentBytes =
    (std::uint64_t{1} << 53U) - 1;  // JSON numbers are exact up to here
inline constexpr std::size_t kMaxMetadataEntries = 64;
inline constexpr std::size_t kMaxMetadataBytes = 4096;  // keys and values together

// Never changes; copies share what they hold.
class Attachment {
 public:
  // Errors: InvalidArgument for metadata that is not UTF-8, LimitExceeded beyond the limits above.
  [[nodiscard]] static Result<Attachment> make(const ContentHash& hash, std::uint64_t size_bytes,
                                               AttachmentMetadata metadata = {});

  [[nodiscard]] const ContentHash& hash() const { return parts_->hash; }
  [[nodiscard]] std::uint64_t size_bytes() const { return parts_->size_bytes; }
  [[nodiscard]] const AttachmentMetadata& metadata() const { return parts_->metadata; }

  friend bool operator==(const Attachment& a, const Attachment& b) { return *a.parts_ == *b.parts_; }

 private:
  struct Parts {
    ContentHash hash{};
    std::uint64_t size_bytes = 0;
    AttachmentMetadata metadata;
    friend bool operator==(const Parts&, const Parts&) = default;
  };
  explicit Attachment(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  // Shared, so that a Value is no larger for it.
  std::shared_ptr<const Parts> parts_;
};

// Reads one attachment's content from a Database, which must outlive it. One thread at a time; several readers, also of
// one content, on as many threads as one likes. While it lives, the content stays.
class AttachmentReader {
 public:
  struct Impl;
  explicit AttachmentReader(std::unique_ptr<Impl> impl);
  AttachmentReader(AttachmentReader&&) noexcept;
  AttachmentReader& operator=(AttachmentReader&&) noexcept;
  ~AttachmentReader();

  // The next bytes, from the front of `into`: at most as many as it takes, 0 at the end only. Errors: Corrupt, Io.
  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> into);
  void seek(std::uint64_t offset_bytes);  // from the front; beyond the end is the end
  [[nodiscard]] std::uint64_t size_bytes() const;

 private:
  std::unique_ptr<Impl> impl_;
};

// What Database::collect_attachments removed.
struct CollectedAttachments {
  std::size_t attachments = 0;
  std::uint64_t bytes = 0;
};

}  // namespace fermata
