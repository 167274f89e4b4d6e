// The insides of a Store, shared by its calls (store.cpp), its opening and closing (opening.cpp) and its transactions.
#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "base/timed_mutex.hpp"
#include "store/attachments.hpp"
#include "store/checksum_vfs.hpp"
#include "store/directory_lock.hpp"
#include "store/maintenance.hpp"
#include "store/reader_pool.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"

namespace fermata::store {

struct Store::Impl {
  explicit Impl(StoreOptions chosen) : options(std::move(chosen)) {}

  // All below need `write_mutex`, except `readers` and the last group.
  Status ensure_open();
  Status open_files();
  Status open_database();
  [[nodiscard]] Status expect_file() const;
  [[nodiscard]] Error lost(std::string_view how) const;
  void note_file() const;  // for the next expect_file()
  Status prepare_writer(Content content);
  [[nodiscard]] Status expect_log();
  void follow_log();  // from now on: notes its length, and checkpoints
  [[nodiscard]] std::uint32_t noted_frames() const;
  [[nodiscard]] bool there_was_a_database() const;
  [[nodiscard]] std::string file_identity() const;
  struct LastChanges {
    std::optional<WallTime> file, log;
  };
  [[nodiscard]] LastChanges last_changes() const;
  Status settle_identity(Content content);
  void become(std::string file);  // who we are in this file, given who was there
  void close_files();
  // Commits everything as a clean close wants it, and empties the log file if there is time.
  Status leave_clean(Duration left);
  Status close_until(std::chrono::steady_clock::time_point deadline);  // without `write_mutex`
  [[nodiscard]] bool checkpoint_fits(Duration left) const;
  void publish_identity();
  [[nodiscard]] const char* synchronous() const;  // the PRAGMA of our level
  Status note_written();
  Status save_note(const Identity& next);
  Status sync_log();
  // The checkpoint of a database in use.
  Status empty_log();
  Status compact(Meter& meter);
  // These two without `write_mutex`.
  Status copy_into(const std::string& file, Meter& meter);
  [[nodiscard]] Status make_somebody_else(const std::string& file) const;
  [[nodiscard]] Error stopped_or(Error error, std::string_view doing) const;
  [[nodiscard]] Epoch new_epoch() const;
  [[nodiscard]] crdt::ActorId new_actor() const;
  // The document in columns `column` (body) and `column` + 1 (meta).
  [[nodiscard]] Result<crdt::Document> decode(const Statement& row, int column, std::string_view collection,
                                              std::string_view id) const;

  [[nodiscard]] Error undecodable(std::string_view collection, std::string_view id, std::string_view why) const;
  // The log's end; and the document in the row stepped to: collection, id, seq, body, meta.
  [[nodiscard]] Result<std::uint64_t> read_head(Connection& connection) const;
  [[nodiscard]] Result<ChangedDocument> read_changed(const Statement& row) const;
  // Appends rows of the columns that read_changed() takes, up to the limits.
  [[nodiscard]] Status read_documents(Statement& rows, std::size_t max_documents, std::size_t max_bytes,
                                      std::vector<ChangedDocument>& documents) const;
  // The one document that a query for kChangedDocument's columns with one parameter finds.
  [[nodiscard]] Result<std::optional<ChangedDocument>> find_one(const char* sql, std::uint64_t number);
  // The documents behind `since` and the head, from the reader's snapshot.
  Status read_changes(Connection& connection, std::uint64_t since, std::size_t max_documents, std::size_t max_bytes,
                      ChangesBatch& batch) const;

  // Runs `sql`, whose one parameter is the collection's name, on a snapshot, and gives its head.
  Result<std::uint64_t> scan(const char* sql, std::string_view collection,
                             const std::function<Status(const Statement&)>& visit);
  struct Purged {
    std::size_t count = 0;
    std::uint64_t highest = 0;  // local seq of all purged so far
  };
  Result<Purged> forget_tombstones(WallTime before, std::size_t at_most);
  Status note_purge(const Purged& purged);
  // What is remembered of a collection beyond its documents.
  struct Graves {
    KnownCommits known;
    std::uint64_t purged_life = 0;
    bool evicted = false;  // since then our own commits do not count as known
    friend bool operator==(const Graves&, const Graves&) = default;
  };
  Result<const Graves*> load_graves(std::string_view collection);
  Result<bool> has_room_for_graves(std::string_view collection);
  Status save_graves(std::string_view collection, const Graves& graves);
  // A transaction of its own, unless nothing changes.
  Status change_graves(std::string_view collection, const std::function<void(Graves&)>& change);
  [[nodiscard]] bool knows(const Graves& graves, const crdt::Dot& dot) const;
  [[nodiscard]] bool knows_all(const Graves& graves, const crdt::Document& document) const;
  struct Due;
  Result<std::vector<Due>> read_due(WallTime before, PurgePlace from, std::size_t at_most);
  struct Forgotten {
    Purged purged;
    std::map<std::string, Graves> graves;  // of the collections it was of
  };
  Result<Forgotten> forget_known(const std::vector<Due>& due, const PurgeLimits& limits);
  void remember_forgotten(Forgotten&& forgotten);  // once that is committed

  // Runs `use` with a free reader; opens the store if it is closed. Takes `write_mutex` only for that.
  Status with_reader(const std::function<Status(Connection&)>& use);
  // The same, with all that `use` reads from one snapshot.
  Status with_snapshot(const std::function<Status(Connection&)>& use);
  // Notes in the caller's transaction that we have written to the file, unless that was noted a moment ago.
  Status note_written_if_due();
  // Locks, opens and runs `use` on the writer, which commits by itself.
  Status with_writer(const std::function<Status(Connection&)>& use);

  StoreOptions options;
  TimedMutex write_mutex;
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<ChecksumVfs> vfs;    // of all connections
  std::unique_ptr<Connection> writer;  // null while closed
  bool opened_before = false;
  Identity identity;           // as of the last commit
  LastChanges last_changed;    // before we opened it
  bool names_unsaved = false;  // identity's epoch, boot_id and file are not in the database yet
  crdt::HybridClock clock;
  struct Collection {
    std::uint64_t number = 0;
    crdt::Digest digest;  // as of the last commit
    // No document has a greater id, so that new ones, whose ids are ordered by time, need no look-up. It may be gone.
    std::string greatest_id;
  };
  std::map<std::string, Collection, std::less<>> known_collections;  // those met since opening
  std::map<Epoch, std::uint32_t, std::less<>> source_numbers;
  std::map<std::string, Graves, std::less<>> graves;  // those looked at since opening
  std::function<void(CommitEvent&&)> listener;
  std::function<void()> reopen_listener;

  ReaderPool readers;
  Attachments attachments{*this};  // takes `write_mutex` itself

  std::atomic<bool> closing{false};  // ends what takes long

  // Copies that are read without waiting for a transaction.
  std::atomic<std::uint64_t> published_local_seq{0};
  std::atomic<std::uint64_t> published_purged_seq{0};
  std::atomic<std::uint64_t> published_purged{0};
  std::atomic<crdt::ActorId> published_actor{0};
  mutable std::mutex epoch_mutex;
  Epoch published_epoch;
};

}  // namespace fermata::store
