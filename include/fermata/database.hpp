// The documents of one directory: statements in, results out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fermata/maintenance.hpp>
#include <fermata/query_result.hpp>
#include <fermata/record.hpp>
#include <fermata/result.hpp>
#include <fermata/transaction.hpp>
#include <fermata/value.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata {
namespace query {
class LiveResult;
}

// How a result became the next one. Rows are the same by their "_id"; rows without one by being equal, or else by
// standing at the same index. To bring a copy of the old result to the new one: take away what was deleted and moved,
// then put what was inserted, updated and moved to its new index, by rising index.
struct ResultDiff {
  std::vector<std::size_t> deleted;                        // indexes of the old result, rising
  std::vector<std::size_t> inserted;                       // indexes of the new result, rising
  std::vector<std::size_t> updated;                        // the same; what has moved may also be updated
  std::vector<std::pair<std::size_t, std::size_t>> moved;  // (index of the old result, of the new one), by the old one

  [[nodiscard]] bool empty() const { return deleted.empty() && inserted.empty() && updated.empty() && moved.empty(); }
};

// What observe_changes() tells: a view, valid until the callback returns. For one thread at a time.
class ResultChange {
 public:
  ResultChange(const ResultDiff& diff, query::LiveResult& result) : diff_(diff), result_(result) {}

  // From what the callback was told last; the first time everything is inserted.
  [[nodiscard]] const ResultDiff& diff() const { return diff_; }
  // Of the new result: how many rows, and one of them by its index, which must be less. Costs next to nothing.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const Map& item(std::size_t index) const;
  // The whole new result. Nothing is copied, but a large one is kept in pieces, which are put together here: who only
  // looks at what changed should use item(). Invalidates references that item() gave.
  [[nodiscard]] const QueryResult& result() const;

 private:
  const ResultDiff& diff_;
  query::LiveResult& result_;
};

// Runs callbacks. A function that takes a task and runs it soon, on whatever thread the app wants its callbacks on;
// tasks of one executor must run one at a time and in order.
using Executor = std::function<void(std::function<void()>)>;

// A running observe(). Destroying it cancels: no callback starts afterwards, and one that runs on another thread is
// waited for.
class [[nodiscard]] Observation {
 public:
  Observation() = default;
  explicit Observation(std::shared_ptr<void> handle) : handle_(std::move(handle)) {}

 private:
  std::shared_ptr<void> handle_;
};

// Thread-safe: every call from any thread, one write at a time. Callbacks run on the executor and under no lock.
class Database {
 public:
  struct Options {
    std::string directory;  // created if missing, unless must_exist
    bool must_exist = false;
    Executor executor;  // empty: one thread of the database's own
    Durability durability = Durability::Normal;
  };

  // Errors: NotFound, Busy (another process has it open), VersionMismatch, Corrupt, NoSpace, Io.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(Options options);
  // Cancels all observations, waiting for callbacks that run. Not from within a callback.
  ~Database();

  // Runs one statement (docs/QUERY.md). Parameters are named without their colon. A write is one transaction and is
  // committed when the call returns. Errors: Syntax (with a caret), InvalidArgument, AlreadyExists, TypeMismatch,
  // LimitExceeded, NoSpace, Io.
  //   execute("UPDATE tasks SET done = true WHERE _id = :id", {{"id", "t1"}})
  [[nodiscard]] Result<QueryResult> execute(std::string_view statement, const Map& parameters = {});

  // Runs `work` as one transaction: what its statements write is kept if it returns success, and then on the disk as
  // the durability says; after an error nothing is. Others wait meanwhile to write, and not to read. Calls of the
  // database itself from inside `work` are InvalidArgument, and no deadlock. Errors: that of `work`; as execute().
  //   transaction([](Transaction& t) -> Status {
  //     auto taken = t.execute("UPDATE stock SET left = left - 1 WHERE _id = 'milk' AND left > 0");
  //     if (!taken || taken->mutated_ids.empty()) return fail(ErrorCode::NotFound, "sold out");
  //     auto ordered = t.execute("INSERT INTO orders DOCUMENTS ({item: 'milk'})");
  //     return ordered ? Status() : fail(ordered.error());
  //   })
  [[nodiscard]] Status transaction(const std::function<Status(Transaction&)>& work);
  // Runs `work` on the database as it is now; what is written meanwhile it does not see. At most four at a time, others
  // wait. Nested calls and errors as with transaction().
  [[nodiscard]] Status snapshot(const std::function<Status(const Snapshot&)>& work);

  // Inserts many documents as one transaction: all or none. Each needs no "_id"; one is made. Result: their ids.
  // A document whose id is already alive becomes equal to the new one, field by field where they differ (fields that
  // the new one lacks are removed), so importing twice changes nothing. Errors: InvalidArgument (name, "_id", text that
  // is not UTF-8), LimitExceeded, NoSpace, Io.
  [[nodiscard]] Result<std::vector<std::string>> import(std::string_view collection, std::vector<Map> documents);
  // The same for documents with counters: one that shows another number is counted up or down to that of the record
  // (or begins anew there, if so much has been counted that it stands still elsewhere), and what else stands there
  // becomes a counter. Two devices that import the same counter separately have counted twice. A counter below
  // -(2^63 - 1), which none can show, is LimitExceeded.
  [[nodiscard]] Result<std::vector<std::string>> import_records(std::string_view collection,
                                                                std::vector<DocumentRecord> records);
  // The next documents of a collection whose id is above this one ("" is below all), by id: `at_most`, or about 4 MiB
  // of them; none at the end. So a collection of any size can be read in steps; what is written between two of them may
  // be seen or not. Errors: Corrupt, Io.
  [[nodiscard]] Result<std::vector<DocumentRecord>> export_records(std::string_view collection,
                                                                   std::string_view after_id, std::size_t at_most);

  // Calls back with the result now, and again after each commit (local or received) that could change it. Calls are
  // coalesced: a slow callback sees the latest state, not every state. Errors: Syntax, InvalidArgument (not a SELECT).
  // A SELECT of whole documents without LIMIT keeps its result in memory and applies each commit to it; all others, and
  // the results beyond 200 000 documents in all, are read anew (docs/QUERY.md).
  [[nodiscard]] Result<Observation> observe(std::string_view select, std::function<void(const QueryResult&)> callback,
                                            const Map& parameters = {});
  // The same with what changed since the callback was called last. Not called when a commit changed nothing of the
  // result. The result is kept in memory whatever its size. Errors: as observe().
  [[nodiscard]] Result<Observation> observe_changes(std::string_view select,
                                                    std::function<void(const ResultChange&)> callback,
                                                    const Map& parameters = {});

  // Keeps the content of an attachment, each content once, and gives the value to put into a document; SET or INSERT it
  // within ten minutes, else it may be collected. The content is streamed, so it may be larger than memory, and nobody
  // sees it before it is complete. `source` fills its argument from the front and says how many bytes, 0 at the end; it
  // runs on this thread, under no lock. Errors: those of the source, InvalidArgument (metadata that is not UTF-8),
  // LimitExceeded (metadata), NoSpace, Io.
  using AttachmentSource = std::function<Result<std::size_t>(std::span<std::uint8_t> into)>;
  [[nodiscard]] Result<Attachment> put_attachment(const AttachmentSource& source, AttachmentMetadata metadata = {});
  // The same of a file. Error also: NotFound.
  [[nodiscard]] Result<Attachment> put_attachment_file(const std::string& path, AttachmentMetadata metadata = {});
  // Errors: NotFound if the content is not here (yet), InvalidArgument if it has another size than the attachment says.
  [[nodiscard]] Result<AttachmentReader> open_attachment(const Attachment& attachment);
  [[nodiscard]] Result<AttachmentReader> open_attachment(const ContentHash& hash);
  // Removes content that no document names now, instead of later (fermata/attachment.hpp says when), by the same rules.
  // Looks through all documents, beside readers and writers. Errors: NoSpace, Io.
  [[nodiscard]] Result<CollectedAttachments> collect_attachments();

  // Names and live counts of collections, by name.
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::uint64_t>>> collections();

  // Makes all commits so far durable, whatever the level, and moves them from the log into the database's file. Errors:
  // NoSpace, Io.
  [[nodiscard]] Status checkpoint();

  // Writes the database, as it is when the call begins, into a new directory, all or nothing (docs/FORMAT.md). Other
  // calls go on meanwhile. The device's key is not copied, and whoever opens the backup is somebody else to the group,
  // so that both may live. Errors: AlreadyExists, NotFound (no folder to put it in), Closed (quiesced meanwhile),
  // Corrupt, NoSpace, Io.
  [[nodiscard]] Status backup(const std::string& directory, const Progress& progress = {});

  // Collects attachments, and rewrites the file without the space that was left, which goes back to the file system.
  // Writes wait meanwhile, reads do not; needs twice the database's size in free space. All or nothing. Errors: Closed
  // (quiesced meanwhile), Corrupt, NoSpace, Io.
  [[nodiscard]] Status compact(const Progress& progress = {});

  // Ends backup() and compact(), finishes what else runs, checkpoints and closes every file; this process then holds no
  // lock on the directory. The next call reopens. Error: Timeout.
  [[nodiscard]] Status quiesce(std::chrono::milliseconds within);

  struct Impl;  // for the layers above; not part of the interface
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether the document could be imported into any database that does not hold it yet; nothing is written, and nothing
// copied unless it is some MiB large. (Beside what is kept of an older state, one of nearly 16 MiB may not fit.)
// Errors: those of Database::import_records() that are about one document, InvalidArgument and LimitExceeded.
[[nodiscard]] Status check_record(const DocumentRecord& record);

}  // namespace fermata
