// Durable documents on SQLite (DESIGN §4): one row per document, a local-seq log that is an index on those rows,
// cursors, and the identities of store and actor. Thread-safe behind one mutex; runs no user code under it, except the
// commit listener, which must only enqueue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "crdt/document.hpp"

struct sqlite3;

namespace fermata::store {

// Names one life of a store's log; new when committed changes may have been lost, and in a copy. 32 hex characters.
using Epoch = std::string;

// What a document may take, body and metadata together. Local writes beyond it are LimitExceeded; merges are not, since
// peers would then differ for ever.
inline constexpr std::size_t kMaxDocumentBytes = 16u << 20;

struct StoreOptions {
  std::string directory;  // created if missing, unless must_exist
  bool must_exist = false;
  std::string vfs;  // name of a registered SQLite VFS; empty: the default. The File seam.
  Clock* clock = &system_clock();
  Random* random = &system_random();
  // Differs after a power loss, equal after a mere process crash: then nothing committed can be lost and the epoch
  // stays. Empty: unknown, so every unclean open starts a new epoch. Defaults to the operating system's boot id.
  std::string boot_id = system_boot_id();
  bool lock_directory = true;  // one process per directory; the simulator's in-memory directories turn it off

  [[nodiscard]] static std::string system_boot_id();
};

// One document touched by a commit. Views are without "_id".
struct DocumentChange {
  std::string collection;
  std::string id;
  std::uint64_t local_seq = 0;
  bool existed_before = false;  // a row was there, alive or dead
  bool alive_before = false;
  bool alive_after = false;
  Map before;  // the last view, a tombstone's too
  Map after;
};

// A commit as listeners see it. Local seqs are dense: first, first + 1, … one per change, in order.
struct CommitEvent {
  std::uint64_t first_local_seq = 0;
  std::uint32_t source = 0;  // 0: a local transaction; else the number of the remote that sent it
  std::vector<DocumentChange> changes;
};

// How far a subscription has been received from a remote's store (DESIGN §1).
struct Cursor {
  Epoch remote_epoch;
  std::uint64_t subscription_key = 0;  // hash of the normalised query and its parameters
  std::uint64_t remote_seq = 0;
};

class Store;

// A write transaction. Holds the store's mutex from begin to commit or destruction: keep it short, use it from one
// thread, and call nothing else of the store meanwhile. Rolled back unless committed.
class Transaction {
 public:
  ~Transaction();
  Transaction(Transaction&&) noexcept;
  Transaction(const Transaction&) = delete;

  [[nodiscard]] Result<crdt::Document> load(std::string_view collection,
                                            std::string_view id);  // exists() is false if unknown
  // Local writes; the commit's dot, stamp and local seqs are filled in here.
  [[nodiscard]] Status insert(std::string_view collection, std::string_view id, const Map& fields);
  [[nodiscard]] Status set(std::string_view collection, std::string_view id, const crdt::Path& path,
                           const Value& value);
  [[nodiscard]] Status unset(std::string_view collection, std::string_view id, const crdt::Path& path);
  [[nodiscard]] Status remove(std::string_view collection, std::string_view id);
  // A remote's change; `source` from Store::source_number. Not mixed with local writes in one transaction.
  [[nodiscard]] Status merge(const crdt::Delta& delta, std::uint32_t source);
  [[nodiscard]] Status save_cursor(const Cursor& cursor);
  // The connection, for compiled SELECTs on the tables in store/schema.hpp; valid during this transaction, whose writes
  // so far it sees. Read only through it.
  [[nodiscard]] sqlite3* connection();
  // Makes everything above durable to the store's level, then calls the commit listener once if any document changed.
  // Result: the last local seq.
  [[nodiscard]] Result<std::uint64_t> commit();

 private:
  friend class Store;
  struct State;
  explicit Transaction(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct ChangedDocument {
  std::string collection;
  std::string id;
  std::uint64_t local_seq = 0;
  crdt::Document document;
};

struct ChangesBatch {
  std::vector<ChangedDocument> documents;
  std::uint64_t head = 0;  // the last local seq of the snapshot that the documents are from
};

class Store {
 public:
  // Errors: NotFound (must_exist), Busy (another process holds the directory), VersionMismatch (newer format),
  // Corrupt / Malformed (not a database; empty though must_exist), NoSpace, Io.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(StoreOptions options);
  ~Store();  // a clean close: quiesce()

  // Called under the mutex after each commit that changed documents, in commit order. Must only enqueue.
  void set_commit_listener(std::function<void(CommitEvent&&)> listener);

  [[nodiscard]] Result<Transaction> begin();

  // Runs `read` with the read connection, on a snapshot. Several readers do not block the writer. Do not keep the
  // pointer or a statement. The functions of register_functions() are available.
  [[nodiscard]] Status read(const std::function<Status(sqlite3*)>& read);
  // Called under the mutex when a quiesced store has opened its files again, whoever made it. Must only enqueue.
  void set_reopen_listener(std::function<void()> listener);
  // Called on each connection as it opens, now and later: registers SQL functions.
  void on_connection(std::function<void(sqlite3*)> setup);

  [[nodiscard]] Result<crdt::Document> load(std::string_view collection, std::string_view id);
  // The next documents with a local seq above `since`, in order, at most `max_documents` and about `max_bytes`. Commits
  // may be seen here before last_local_seq() counts them; only the batch's own head says whether it is the end.
  [[nodiscard]] Result<ChangesBatch> changes_since(std::uint64_t since, std::size_t max_documents,
                                                   std::size_t max_bytes);
  [[nodiscard]] std::uint64_t last_local_seq() const;
  [[nodiscard]] Epoch epoch() const;
  [[nodiscard]] crdt::ActorId actor() const;

  [[nodiscard]] Result<std::uint32_t> source_number(const Epoch& remote_epoch);  // stable, ≥ 1
  [[nodiscard]] Result<std::uint64_t> cursor(const Epoch& remote_epoch, std::uint64_t subscription_key);  // 0 if none
  // Which epoch a device had when we last met; empty if never.
  [[nodiscard]] Result<Epoch> last_epoch_of(const std::string& device_id);
  [[nodiscard]] Status remember_epoch(const std::string& device_id, const Epoch& epoch);

  // Small facts that a higher layer keeps beside the documents and never syncs; `key` is that layer's, such as
  // "gaps". Recalls an empty text if there is none.
  [[nodiscard]] Status remember(std::string_view key, const std::string& text);
  [[nodiscard]] Result<std::string> recall(std::string_view key);

  // Names of collections with at least one live document, and how many.
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::uint64_t>>> collections();

  // Waits for the running transaction, checkpoints with TRUNCATE (unless `within` is too short for the size of the log:
  // then the next open reads it), marks the close as clean, closes every connection and
  // the directory lock: afterwards this process holds no file lock on the directory. The next use reopens (< 5 ms), and
  // fails with Busy if another process took the directory meanwhile. Error: Timeout if the running transaction or read
  // did not end within `within`; nothing is lost then, but locks remain. After any other error (NoSpace, Io) everything
  // is closed all the same, but the close does not count as clean.
  [[nodiscard]] Status quiesce(Duration within);

 private:
  friend class Transaction;
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata::store
