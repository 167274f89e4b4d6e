// A live query as a stream of changes.
#pragma once

#include <fermata/database.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "cli/line_socket.hpp"

namespace fermata::cli {

// The documents of a result, and what differs in the next one, by "_id". Not thread-safe.
class KnownDocuments {
 public:
  // {"op":"delete"|"insert"|"update","document":{…}} for each difference: deletes first, with the last state known,
  // then the others in the order of the result. Everything in the first result is an insert.
  [[nodiscard]] std::vector<Map> changes_to(const QueryResult& result);

 private:
  std::map<std::string, Map> known_;
};

// Observes a SELECT; the changes wait here until taken. A slow taker sees fewer, larger steps, never a gap. take() from
// one thread; the database must outlive it.
class Watcher {
 public:
  // Errors: as Database::observe, Io.
  [[nodiscard]] static Result<std::unique_ptr<Watcher>> start(Database& database, std::string_view select,
                                                              const Map& parameters);

  // Readable when take() would have something.
  [[nodiscard]] int fd() const { return event_.fd(); }
  // The changes since the last take, or nothing if no result came meanwhile. The first one, even if empty, is the
  // state at the start.
  [[nodiscard]] std::optional<std::vector<Map>> take();

 private:
  explicit Watcher(Fd event) : event_(std::move(event)) {}

  Fd event_;
  std::mutex mutex_;
  std::optional<QueryResult> latest_;  // guarded by mutex_
  KnownDocuments known_documents_;
  Observation observation_;  // last: its end waits for a running callback, which uses the above
};

}  // namespace fermata::cli
