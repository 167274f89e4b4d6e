// The content of attachments: chunks in rows beside the documents, named by their hash, each content once. One that is
// not complete is visible to nobody but who brings it, and survives a restart. Thread-safe like the store; streams:
// nothing here holds more than kPutBytes of content, and no transaction writes more.
//
// What no document names any more goes with a collection, which searches the documents for names. A commit pays for it
// only where a document that it changes named something before and does not any more: that is touched then.
#pragma once

#include <fermata/attachment.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "base/hash.hpp"
#include "store/store.hpp"

namespace fermata::store {

class Connection;
class Statement;

// All chunks but the last of an attachment have as many bytes.
inline constexpr std::size_t kChunkBytes = 64u << 10;
inline constexpr std::uint64_t kMaxStoredBytes = std::uint64_t{kChunkBytes} << 31U;  // of one attachment: 128 TiB
// How long after its last touch something that no document names is kept: whoever made it, or took the name out of a
// document, may be about to put it into another.
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
  class Collection;

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
  [[nodiscard]] Result<bool> is_empty();
  // When a collection will have something to look at, by the store's clock; it may have passed. Nothing: not before
  // something is put or brought, or taken out of a document.
  [[nodiscard]] Result<std::optional<WallTime>> next_collection();
  // Called when next_collection() may give something else, and when a quiesced store has opened its files again.
  // Perhaps under the store's mutex: must only enqueue. Empty clears.
  void set_due_listener(std::function<void()> listener);

 private:
  friend class Incoming;
  friend class Collection;
  friend class Store;
  friend class Transaction;
  struct Candidate {
    std::optional<ContentHash> hash;  // without one nobody can name it
    std::uint64_t bytes = 0;
    std::uint64_t due_ms = 0;  // wall time from which on it may go
  };
  using Candidates = std::map<std::uint64_t, Candidate>;  // by id

  [[nodiscard]] Status transact(const std::function<Status(Connection&)>& write);
  [[nodiscard]] std::uint64_t now_ms() const;
  [[nodiscard]] Pin pin(std::uint64_t id);
  [[nodiscard]] Result<std::uint64_t> insert(Connection& connection, const ContentHash* hash,
                                             std::uint64_t size_bytes) const;
  struct Part {
    std::uint64_t id = 0;
    const ContentHash* hash = nullptr;  // null: not known yet
    std::uint64_t offset = 0;
    ByteView bytes;
  };
  [[nodiscard]] Status append(const Part& part);
  [[nodiscard]] Result<std::uint64_t> fill(std::uint64_t id, const Source& source, Sha256Stream& hash);
  // What has it now: `id`, or another that had it before.
  [[nodiscard]] Status finish_put(std::uint64_t id, const ContentHash& hash, std::uint64_t size_bytes);
  [[nodiscard]] Status finish_received(std::uint64_t id, const ContentHash& hash);
  // Drops it if it is still this content, and on its way.
  [[nodiscard]] Status discard(std::uint64_t id, const ContentHash& hash);
  void tell(const ContentHash& hash);
  void tell_due();
  // In steps; from the first on nobody sees it.
  [[nodiscard]] Status drop(std::uint64_t id);
  // One transaction of that. Result: whether all of it is gone.
  [[nodiscard]] Result<bool> drop_some(std::uint64_t id);
  [[nodiscard]] Result<Candidates> find_candidates(Connection& connection, std::uint64_t now_ms) const;

  Store::Impl& store_;
  std::shared_ptr<Pins> pins_;
  std::mutex listener_mutex_;
  std::function<void(const ContentHash&)> listener_;
  std::function<void()> due_listener_;
};

// One collection, in steps of about a millisecond. Others may use the store between them, and it may be given up after
// any: the next one begins anew. Mark and sweep: the mark reads beside writers, and what was written meanwhile is
// marked in the transaction that sweeps, so that nothing goes that a document names.
class Attachments::Collection {
 public:
  explicit Collection(Attachments& attachments) : attachments_(attachments) {}

  // Result: whether there is more to do. Errors: NoSpace, Io, Corrupt.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] const CollectedContent& collected() const { return collected_; }

 private:
  [[nodiscard]] Status begin();
  [[nodiscard]] Status mark_rows();
  [[nodiscard]] Status mark_changes();
  [[nodiscard]] Status hide();
  [[nodiscard]] Status drop();
  void mark(ByteView body);
  [[nodiscard]] Result<std::optional<std::uint64_t>> mark(Statement& rows, std::size_t at_most);

  Attachments& attachments_;
  Status (Collection::*next_)() = &Collection::begin;  // null: all is done
  std::uint64_t now_ms_ = 0;                           // when it began
  Candidates unnamed_;                                 // as far as has been marked
  std::map<ContentHash, std::uint64_t> ids_;           // of those
  std::uint64_t head_ = 0;                             // of the log; up to there all is marked, once the rows are
  std::uint64_t row_ = 0;                              // the last one that is marked
  CollectedContent collected_;
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
  // and visible. Errors: Malformed if it is another content; all of it is gone then. NotFound if it went or came
  // another way meanwhile, or what was stored is damaged; receive() begins it anew, or finds it. NoSpace, Io.
  [[nodiscard]] Result<bool> settle();
  [[nodiscard]] bool is_behind() const { return hashed_bytes_ < row_.stored_bytes; }  // settle() has something to do

 private:
  [[nodiscard]] Result<bool> begin_anew();

  Attachments& attachments_;
  ContentHash hash_;
  Row row_;
  Pin pin_;
  Sha256Stream stream_;
  std::uint64_t hashed_bytes_ = 0;
};

}  // namespace fermata::store
