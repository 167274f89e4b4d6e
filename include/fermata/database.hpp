// The documents of one directory: statements in, results out.
#pragma once

#include <chrono>
#include <cstdint>
#include <fermata/maintenance.hpp>
#include <fermata/result.hpp>
#include <fermata/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

// What a statement gave. A plain value.
struct QueryResult {
  std::vector<Map> items;                // SELECT: one map per document, with its "_id"
  std::vector<std::string> mutated_ids;  // INSERT, UPDATE, DELETE: the ids that were written, in order
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

  // Inserts many documents as one transaction: all or none. Each needs no "_id"; one is made. Result: their ids.
  // A document whose id is already alive becomes equal to the new one, field by field where they differ (fields that
  // the new one lacks are removed), so importing twice changes nothing. Errors: InvalidArgument (name, "_id", text that
  // is not UTF-8), LimitExceeded, NoSpace, Io.
  [[nodiscard]] Result<std::vector<std::string>> import(std::string_view collection, std::vector<Map> documents);

  // Calls back with the result now, and again after each commit (local or received) that could change it. Calls are
  // coalesced: a slow callback sees the latest state, not every state. Errors: Syntax, InvalidArgument (not a SELECT).
  [[nodiscard]] Result<Observation> observe(std::string_view select, std::function<void(const QueryResult&)> callback,
                                            const Map& parameters = {});

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

  // Rewrites the file without the space that deleted documents left, and gives that back to the file system. Writes
  // wait meanwhile, reads do not; needs twice the database's size in free space. All or nothing. Errors: Closed
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

}  // namespace fermata
