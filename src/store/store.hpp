// Durable documents on SQLite (DESIGN §4): one row per document, a local-seq log that is an index on those rows,
// cursors, and the identities of store and actor. Thread-safe behind one mutex; runs no user code under it, except the
// commit listener, which must only enqueue.
#pragma once

#include <fermata/maintenance.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "crdt/digest.hpp"
#include "crdt/document.hpp"
#include "store/app_indexes.hpp"
#include "store/connection.hpp"
#include "store/lazy_view.hpp"

struct sqlite3;

namespace fermata::store {

// Names one life of a store's log; new when committed changes may have been lost, and in a copy. 32 hex characters.
using Epoch = std::string;

// What a document may take, body and metadata together. Local writes beyond it are LimitExceeded; merges are not, since
// peers would then differ for ever.
inline constexpr std::size_t kMaxDocumentBytes = 16u << 20;
// Beyond this it is worth a warning: every change of a large document is slow to store and to send.
inline constexpr std::size_t kLargeDocumentBytes = 256u << 10;
struct LargeDocument {
  std::string collection;
  std::string id;
  std::size_t bytes = 0;
};

// A life that somebody says was purged counts up to here only: else it could use up the lives of every id. Tombstones
// of longer lives are never purged here.
inline constexpr std::uint64_t kMaxPurgedLife = std::uint64_t{1} << 32;

// Bugs that the simulator's own test puts in, to see that its oracles notice. Never anything but None elsewhere.
enum class Mutation : std::uint8_t {
  None,
  ActorReused,  // after an unclean end, or in a copy, the actor goes on counting
  EpochKept,    // a log that lost its end, or is a copy, goes on under its old name
};

struct StoreOptions {
  std::string directory;  // created if missing, unless must_exist
  bool must_exist = false;
  std::string vfs;  // name of a registered SQLite VFS; empty: the default. The File seam.
  Clock* clock = &system_clock();
  Random* random = &system_random();
  // Differs after a power loss, equal after a mere process crash: then nothing committed can be lost and the epoch
  // stays. Empty: unknown, so every unclean open starts a new epoch. Defaults to the operating system's boot id.
  std::string boot_id = system_boot_id();
  // What tells the database's file from a copy of it. Nothing: asked of the operating system (and unknown on a VFS of
  // one's own). The simulator's disks say it themselves.
  std::optional<std::string> file_identity;
  Durability durability = Durability::Normal;
  Mutation mutation = Mutation::None;
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
  std::uint64_t version_before = 0;  // crdt::version_of; 0: dead or unknown
  std::uint64_t version_after = 0;
  std::uint64_t fingerprint_after = 0;  // of a tombstone too
  Map before;                           // the last view, a tombstone's too
  LazyView after;
};

// A living document that was evicted: gone here without a trace, so it has no place in the log.
struct EvictedDocument {
  std::string collection;
  std::string id;
  std::uint64_t version_before = 0;
  Map before;
};

// A commit as listeners see it. Local seqs are dense: first, first + 1, … one per change, in order. What was evicted
// went first.
struct CommitEvent {
  std::uint64_t first_local_seq = 0;  // without changes, that of the next change to come
  std::uint32_t source = 0;           // 0: a local transaction; else the number of the remote that sent it
  std::vector<DocumentChange> changes;
  std::vector<EvictedDocument> evicted;
};
// How several listeners keep one without copying its documents.
using SharedCommit = std::shared_ptr<const CommitEvent>;

// How far a subscription has been received from a remote's store (DESIGN §1).
struct Cursor {
  Epoch remote_epoch;
  std::uint64_t subscription_key = 0;  // hash of the normalised query and its parameters
  std::uint64_t remote_seq = 0;
};

// Of one collection: every commit of that actor up to that seq is in the documents here, or its document is dead.
using KnownCommits = std::map<crdt::ActorId, std::uint64_t>;

// Of so many actors per collection known commits are kept, our own aside; what is not known is only remembered longer.
inline constexpr std::size_t kMaxKnownActors = 4096;
// So many collections that have no document here are told to us as having been purged, and remembered for it.
inline constexpr std::size_t kMaxForeignGraves = 1024;

// Which tombstones may be forgotten: of these collections, and of each up to this local seq.
using PurgeLimits = std::map<std::string, std::uint64_t, std::less<>>;

// How far Store::purge_known has looked.
struct PurgePlace {
  std::uint64_t buried = 0;
  std::uint64_t row = 0;
};

struct PurgeStep {
  std::size_t forgotten = 0;
  std::optional<PurgePlace> next;  // nothing if no more are due
};

class Attachments;
class Store;

// A write transaction. Holds the store's mutex from begin to commit or destruction: keep it short, use it from one
// thread, and call nothing else of the store meanwhile. Rolled back unless committed.
class Transaction {
 public:
  ~Transaction();
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  Transaction(const Transaction&) = delete;

  [[nodiscard]] Result<crdt::Document> load(std::string_view collection,
                                            std::string_view id);  // exists() is false if unknown
  // Of the same document, without a copy of it; 0 if unknown.
  [[nodiscard]] Result<std::uint64_t> life(std::string_view collection, std::string_view id);
  // Local writes; the commit's dot, stamp and local seqs are filled in here.
  [[nodiscard]] Status insert(std::string_view collection, std::string_view id, const Map& fields);
  [[nodiscard]] Status set(std::string_view collection, std::string_view id, const crdt::Path& path,
                           const Value& value);
  [[nodiscard]] Status increment(std::string_view collection, std::string_view id, const crdt::Path& path,
                                 std::int64_t amount);
  [[nodiscard]] Status unset(std::string_view collection, std::string_view id, const crdt::Path& path);
  [[nodiscard]] Status remove(std::string_view collection, std::string_view id);
  // A remote's change; `source` from Store::source_number. Not mixed with local writes in one transaction. Result:
  // whether it changed anything. The second takes registers out of the delta, unless it returns false.
  [[nodiscard]] Result<bool> merge(const crdt::Delta& delta, std::uint32_t source) {
    return merge(crdt::Delta(delta), source);
  }
  [[nodiscard]] Result<bool> merge(crdt::Delta&& delta, std::uint32_t source);
  [[nodiscard]] Status save_cursor(const Cursor& cursor);
  // Drops a living document here and tells no peer: the row goes, the log and every other peer's copy stay. Mixes with
  // local writes and merges. The caller sees to it that none of our own subscriptions asks for it: it would not come
  // back by itself. Errors: NotFound if not alive, InvalidArgument if this transaction has changed it.
  // What is known of the collection's commits is forgotten with it, and our own do not count from then on.
  [[nodiscard]] Status evict(std::string_view collection, std::string_view id);
  // Deletes all cursors but those with these keys, of whatever remote.
  [[nodiscard]] Status keep_cursors(const std::vector<std::uint64_t>& subscription_keys);
  // Whether the life that this document is in has been here, as far as that is known (Store::known). If the document is
  // not here in that life, then it was deleted, and the deletion has been forgotten.
  [[nodiscard]] Result<bool> has_known(const crdt::Delta& delta);
  // Deletes what somebody else still has, as if we had had it: a local write that leaves a tombstone for everybody.
  [[nodiscard]] Status bury(const crdt::Delta& delta);
  // As Store::remember, with the data that the fact is about.
  [[nodiscard]] Status remember(std::string_view key, const std::string& text);
  // The connection, for compiled SELECTs on the tables in store/schema.hpp; valid during this transaction, whose writes
  // so far it sees. Read only through it.
  [[nodiscard]] Connection& connection();
  // The local writes of documents beyond kLargeDocumentBytes; all of them after the commit.
  [[nodiscard]] const std::vector<LargeDocument>& large_documents() const;
  // An index for the app, of a collection that may have no documents yet; tells no listener. Errors: AlreadyExists (the
  // name), LimitExceeded, NoSpace, Io.
  [[nodiscard]] Status create_index(const Index& index);
  // Error: NotFound.
  [[nodiscard]] Status drop_index(std::string_view name);
  // Makes everything above durable to the store's level, then calls the commit listener once if any document changed
  // or was evicted.
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

// A collection's living documents in one number, and the log position of the snapshot that it is from.
struct CollectionDigest {
  crdt::Digest digest;
  std::uint64_t head = 0;
};

// What a scan of a collection's living documents visits.
struct LivingDocument {
  std::string_view id;  // valid during the visit
  std::uint64_t local_seq = 0;
  std::uint64_t version = 0;
  std::uint64_t row = 0;  // see document_in()
  Map view;
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
  [[nodiscard]] Status read(const std::function<Status(Connection&)>& read);
  // For what runs one statement, or several that need not see the same moment: without a transaction around it.
  [[nodiscard]] Status read_once(const std::function<Status(Connection&)>& read);
  // The same. Result: the last local seq of the snapshot.
  [[nodiscard]] Result<std::uint64_t> read_at_head(const std::function<Status(Connection&)>& read);
  // Called under the mutex when a quiesced store has opened its files again, whoever made it. Must only enqueue.
  void set_reopen_listener(std::function<void()> listener);
  // Called on each connection as it opens, now and later: registers SQL functions.
  void on_connection(std::function<void(sqlite3*)> setup);

  [[nodiscard]] Result<crdt::Document> load(std::string_view collection, std::string_view id);
  // The next living documents of a collection with an id above `after`, by id: at most `max_documents`, and about
  // `max_bytes`, but one if there is one.
  [[nodiscard]] Result<std::vector<ChangedDocument>> documents_after(std::string_view collection,
                                                                     std::string_view after, std::size_t max_documents,
                                                                     std::size_t max_bytes);
  // The next documents with a local seq above `since`, in order, at most `max_documents` and about `max_bytes`. Commits
  // may be seen here before last_local_seq() counts them; only the batch's own head says whether it is the end.
  [[nodiscard]] Result<ChangesBatch> changes_since(std::uint64_t since, std::size_t max_documents,
                                                   std::size_t max_bytes);
  // The document that now has this local seq; nothing if it has changed since, was purged or evicted.
  [[nodiscard]] Result<std::optional<ChangedDocument>> document_at(std::uint64_t local_seq);

  // The document in this row, which is its own as long as it is neither purged nor evicted; then perhaps another's.
  [[nodiscard]] Result<std::optional<ChangedDocument>> document_in(std::uint64_t row);

  // Kept with every commit, so as cheap as a look-up. All zero for an unknown collection.
  [[nodiscard]] Result<CollectionDigest> digest(std::string_view collection);
  // The three below visit a collection's documents on one snapshot, the living in order of local seq and the tombstones
  // in any, and give its head. The visitor must not call this store (a reader of it may be all there is).
  // for_each_version reads nothing but the log.
  using VisitVersion = std::function<void(std::uint64_t local_seq, std::uint64_t version, std::uint64_t row)>;
  [[nodiscard]] Result<std::uint64_t> for_each_version(std::string_view collection, const VisitVersion& visit);
  using VisitTombstone = std::function<void(std::uint64_t local_seq, std::uint64_t row)>;
  [[nodiscard]] Result<std::uint64_t> for_each_tombstone(std::string_view collection, const VisitTombstone& visit);
  using VisitDocument = std::function<void(const LivingDocument& document)>;
  [[nodiscard]] Result<std::uint64_t> for_each_living(std::string_view collection, const VisitDocument& visit);

  // Forgets tombstones whose last change was committed here before `before`, oldest first, at most `at_most` in one
  // transaction. Result: how many; fewer than `at_most` says that no more are due. Tells no listener: nothing that is
  // seen changes. The log gets holes, as it does when a document changes again.
  [[nodiscard]] Result<std::size_t> purge(WallTime before, std::size_t at_most);
  // The highest local seq of any tombstone that was purged, 0 if none was: who has not read the log up to here may have
  // missed deletions that it tells no longer.
  [[nodiscard]] std::uint64_t purged_seq() const;
  // The same for tombstones that would be recognised if somebody brought their documents back: all that they hold is of
  // known commits. Looks at no more than `at_most`, from `from` on, which the next call continues. What was inserted
  // here over a tombstone that would not have been recognised is never forgotten.
  [[nodiscard]] Result<PurgeStep> purge_known(WallTime before, const PurgeLimits& limits, PurgePlace from,
                                              std::size_t at_most);
  // Tombstones purged by this object.
  [[nodiscard]] std::uint64_t purged() const;
  [[nodiscard]] WallTime wall_now() const;  // by the clock of StoreOptions
  // What is known of this collection's commits: what learn() was told, and our own, unless something was evicted.
  [[nodiscard]] Result<KnownCommits> known(std::string_view collection);
  // Somebody who holds the same living documents of it as we do knows this too. What is said of commits of ours that we
  // have not made is ignored, and so are actors beyond kMaxKnownActors.
  [[nodiscard]] Status learn(std::string_view collection, const KnownCommits& known);
  // The highest life of any tombstone of the collection that was purged, here or by somebody we have met. A document of
  // which nothing is known begins above it, so that old tombstones elsewhere do not end its life.
  [[nodiscard]] Result<std::uint64_t> purged_life(std::string_view collection);
  // Up to kMaxPurgedLife; ignored for a collection without documents here beyond kMaxForeignGraves of them.
  [[nodiscard]] Status raise_purged_life(std::string_view collection, std::uint64_t life);
  // A transaction of one Transaction::evict.
  [[nodiscard]] Status evict(std::string_view collection, std::string_view id);

  [[nodiscard]] std::uint64_t last_local_seq() const;
  [[nodiscard]] Epoch epoch() const;
  [[nodiscard]] crdt::ActorId actor() const;

  [[nodiscard]] Result<std::uint32_t> source_number(const Epoch& remote_epoch);  // stable, ≥ 1
  [[nodiscard]] Result<std::uint64_t> cursor(const Epoch& remote_epoch, std::uint64_t subscription_key);  // 0 if none
  // Which epoch a device had when we last met; empty if never.
  [[nodiscard]] Result<Epoch> last_epoch_of(const std::string& device_id);
  // Cursors into the log of an epoch that the device has no more are forgotten.
  [[nodiscard]] Status remember_epoch(const std::string& device_id, const Epoch& epoch);

  // Small facts that a higher layer keeps beside the documents and never syncs; `key` is that layer's, such as
  // "gaps". Recalls an empty text if there is none.
  [[nodiscard]] Status remember(std::string_view key, const std::string& text);
  [[nodiscard]] Result<std::string> recall(std::string_view key);

  // Names of collections with at least one live document, and how many.
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::uint64_t>>> collections();

  // Makes all commits so far durable, whatever the level, and moves them from the log into the database's file, which
  // gets shorter if it can. What running reads still need stays in the log. Errors: NoSpace, Io.
  [[nodiscard]] Status checkpoint();
  // Writes the database, as it is when this begins, into a new directory; all or nothing, except on a VFS of one's own,
  // where nothing can be renamed. Reads and writes go on meanwhile. The copy is somebody else: new actor, new epoch.
  // Errors: AlreadyExists, NotFound (no folder to put it in), Closed (quiesced meanwhile), Corrupt, NoSpace, Io.
  [[nodiscard]] Status backup(const std::string& directory, const Progress& progress = {});
  // Rewrites the database without its free pages and gives them back to the file system. Writes wait, reads do not;
  // needs space for two copies meanwhile. All or nothing. Errors: Closed (quiesced meanwhile), Corrupt, NoSpace, Io.
  [[nodiscard]] Status compact(const Progress& progress = {});

  // Ends backup() and compact(), waits for the running transaction, checkpoints with TRUNCATE (unless `within` is too
  // short for the size of the log: then the next open reads it), marks the close as clean, closes every connection and
  // the directory lock: afterwards this process holds no file lock on the directory. The next use reopens (< 5 ms), and
  // fails with Busy if another process took the directory meanwhile. Error: Timeout if the running transaction or read
  // did not end within `within`; nothing is lost then, but locks remain. After any other error (NoSpace, Io) everything
  // is closed all the same, but the close does not count as clean.
  [[nodiscard]] Status quiesce(Duration within);

  // The content of attachments; lives as long as the store.
  [[nodiscard]] Attachments& attachments();

 private:
  friend class Attachments;
  friend class Transaction;
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata::store
