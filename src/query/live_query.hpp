// One observer: its query, its result, and what commits have changed of that. Private to the live queries.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "query/equality.hpp"
#include "query/live_result.hpp"
#include "store/store.hpp"

namespace fermata::query {

// What the callback looks at: whole results may be forgotten after it and read anew; changes need what was told before.
enum class Wants : std::uint8_t { Results, Changes };

// A change to a result, and its commit, whose views it points into.
struct PendingChange {
  store::SharedCommit commit;
  RowChange change;
};

enum class Refreshed : std::uint8_t {
  Failed,   // nothing is known; to be tried again
  Same,     // the observer has seen this
  Changed,  // `result` and `diff` are for the observer
};

struct LiveQuery : std::enable_shared_from_this<LiveQuery> {
  using Callback = std::function<void(const ResultChange&)>;

  LiveQuery(SelectStatement what, Callback whom, Wants wanted);

  [[nodiscard]] Refreshed read(store::Store& store);
  // If the result contradicts the changes, reads.
  [[nodiscard]] Refreshed apply(store::Store& store, const std::vector<PendingChange>& changes);
  // What the change is to the result: nothing if both views are null then.
  [[nodiscard]] RowChange seen_by(std::string_view collection, RowChange change) const;
  // Those that the result is made of.
  [[nodiscard]] std::vector<std::string> collections() const;

  const SelectStatement select;
  const Callback callback;
  const Wants wants;
  const bool applies_changes;
  const std::optional<Equality> equality;

  // Of whoever has made it busy: the serving thread, then the callback's.
  LiveResult result;
  ResultDiff diff;
  bool told = false;  // the observer has seen a result
  bool keeps = true;  // the result outlives the callback

  // Of the serving thread: the last local seq that the result has seen when it was read.
  std::uint64_t head = 0;

  // The rest is guarded by the mutex of the live queries.
  bool stale = true;  // to be read
  bool busy = false;  // being read or changed, or posted, or in the callback
  bool queued = false;
  bool cancelled = false;  // no callback may start
  std::vector<PendingChange> pending;
  std::size_t kept_rows = 0;    // as counted among all
  std::thread::id callback_on;  // the thread that is inside the callback
};

}  // namespace fermata::query
