// The content of attachments: chunks in rows beside the documents, named by their hash, each content once. One that is
// not complete is visible to nobody but who brings it, and survives a restart. Thread-safe like the store; streams:
// nothing here holds more than kPutBytes of content, and no transaction writes more.
//
// What no document names any more goes with collect(), which searches the documents for names: commits pay nothing.
#pragma once

#include <fermata/attachment.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/hash.hpp"
#include "store/store.hpp"

namespace fermata::store {

class Connection;

// All chunks but the last of an attachment have as many bytes.
inline constexpr std::size_t kChunkBytes = 64u << 10;
inline constexpr std::uint64_t kMaxStoredBytes = std::uint64_t{kChunkBytes} << 31U;  // of one attachment: 128 TiB
// How long after its last touch something that no document names is kept: whoever made it may be about to name it.
inline constexpr std::chrono::minutes kAttachmentGrace{10};

struct CollectedContent {
  std::size_t attachments = 0;
  std::uint64_t bytes = 0;
};

class Attachments {
  struct Pins;

 public:
  // Fills its argument from the front; 0 is the end.
  using Source = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;
  using Pin = std::shared_ptr<const void>;  // while it lives, nothing is collected
  struct Row {
    std::uint64_t id = 0, size_bytes = 0, stored_bytes = 0;
    bool is_complete = false;
  };
  // Somebody who brings a content from elsewhere, chunk by chunk. Ends before the store.
  class Incoming;

  explicit Attachments(Store::Impl& store);
  ~Attachments();

  // Errors: those of the source, LimitExceeded (metadata, kMaxStoredBytes), NoSpace, Io; nothing is kept then.
  [[nodiscard]] Result<Attachment> put(const Source& source, AttachmentMetadata metadata);
  // Which row has all of this content. Errors: NotFound if none has; InvalidArgument if it has
  // another size, if one is given.
  [[nodiscard]] Result<std::pair<Row, Pin>> find_complete(const ContentHash& hash,
                                                          std::optional<std::uint64_t> size_bytes);
  // The bytes from `offset` to the end of its chunk, as many as fit; 0 at the end. Error: Corrupt if they are not
  // there.
  [[nodiscard]] Result<std::size_t> read(const Row& row, std::uint64_t offset, std::span<std::uint8_t> into);
  // Goes on where an earlier one ended. Nothing if the content is complete already.
  [[nodiscard]] Result<std::unique_ptr<Incoming>> receive(const ContentHash& hash, std::uint64_t size_bytes);
  // Visits every living document of the collection that names an attachment (and perhaps some that do not), on one
  // snapshot. The visitor must not call the store. Errors: Corrupt if one does not decode, Io.
  using VisitNaming = std::function<void(std::string_view id, const Map& view)>;
  [[nodiscard]] Status for_each_naming(std::string_view collection, const VisitNaming& visit);
  // Called when somebody has put a content (not when it was received). Must only enqueue. Empty clears.
  void set_stored_listener(std::function<void(const ContentHash&)> listener);
  // Removes what no living document names, unless it was touched within kAttachmentGrace or somebody uses it.
  [[nodiscard]] Result<CollectedContent> collect();

 private:
  friend class Incoming;
  struct Candidate {
    std::optional<ContentHash> hash;  // without one nobody can name it
    std::uint64_t bytes = 0;
  };
  using Candidates = std::map<std::uint64_t, Candidate>;  // by id

  [[nodiscard]] Status transact(const std::function<Status(Connection&)>& write);
  [[nodiscard]] std::uint64_t now_ms() const;
  [[nodiscard]] Pin pin(std::uint64_t id);
  [[nodiscard]] Result<std::uint64_t> insert(Connection& connection, const ContentHash* hash,
                                             std::uint64_t size_bytes) const;
  [[nodiscard]] Status append(std::uint64_t id, std::uint64_t offset, ByteView bytes);
  [[nodiscard]] Result<std::uint64_t> fill(std::uint64_t id, const Source& source, Sha256Stream& hash);
  // What has it now: `id`, or another that had it before.
  [[nodiscard]] Status finish_put(std::uint64_t id, const ContentHash& hash, std::uint64_t size_bytes);
  [[nodiscard]] Status finish_received(std::uint64_t id);
  void tell(const ContentHash& hash);
  // In steps; from the first on nobody sees it.
  [[nodiscard]] Status drop(std::uint64_t id);
  [[nodiscard]] Result<Candidates> find_candidates(Connection& connection) const;
  // As of the log's position that it tells.
  [[nodiscard]] Result<Candidates> find_unnamed(std::uint64_t& head);
  // Hides those of them that still nobody names or uses.
  [[nodiscard]] Result<Candidates> hide(Candidates unnamed, std::uint64_t head);

  Store::Impl& store_;
  std::shared_ptr<Pins> pins_;
  std::mutex listener_mutex_;
  std::function<void(const ContentHash&)> listener_;
};

class Attachments::Incoming {
 public:
  Incoming(Attachments& attachments, const ContentHash& hash, const Row& row, Pin pin);

  [[nodiscard]] std::uint64_t size_bytes() const { return row_.size_bytes; }
  [[nodiscard]] std::uint64_t stored_bytes() const { return row_.stored_bytes; }
  // The next chunk, durable when this returns. Errors: Malformed if it has not the size of one, NotFound if the content
  // came or went another way meanwhile, NoSpace, Io.
  [[nodiscard]] Status append(ByteView chunk);
  // Checks as much of what is stored as takes a millisecond or so. Result: whether all of the content is here, checked
  // and visible. Error: Malformed if it is another content; all of it is gone then.
  [[nodiscard]] Result<bool> settle();
  [[nodiscard]] bool is_behind() const { return hashed_bytes_ < row_.stored_bytes; }  // settle() has something to do

 private:
  Attachments& attachments_;
  ContentHash hash_;
  Row row_;
  Pin pin_;
  Sha256Stream stream_;
  std::uint64_t hashed_bytes_ = 0;
};

}  // namespace fermata::store
