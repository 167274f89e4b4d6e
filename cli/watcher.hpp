// A live query as a stream of changes.
#pragma once

#include <fermata/database.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "cli/line_socket.hpp"
#include "cli/watched_rows.hpp"

namespace fermata::cli {

// Observes a SELECT; the changes wait here until taken. A slow taker sees fewer, larger steps, never a gap. take() from
// one thread; the database must outlive it.
class Watcher {
 public:
  // Errors: as Database::observe_changes, Io.
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
  WatchedRows rows_;         // guarded by mutex_
  bool has_news_ = false;    // the same
  Observation observation_;  // last: its end waits for a running callback, which uses the above
};

}  // namespace fermata::cli
