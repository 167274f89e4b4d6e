// Observed SELECTs. One thread of their own waits for commits, finds the queries that a commit concerns, brings their
// results up to date, and hands them to the executor; it sleeps when there is nothing to do. Thread-safe.
//
// A result is kept between commits and changed in place where that can be (query/live_result.hpp); else it is read
// anew. While a callback looks at a result, what commits change waits; if that becomes much, the result is read anew.
//
// Lock order: the store's mutex may be held when ours is taken (a commit arrives under it), so nothing of the store is
// called under ours, and no user code runs under either.
#pragma once

#include <fermata/database.hpp>
#include <thread>

#include "query/live_query.hpp"
#include "store/store.hpp"

namespace fermata::query {

// Results of that many rows in all are kept for observers that want whole results; others are read anew each time.
inline constexpr std::size_t kMaxKeptRows = 200'000;

class LiveQueries {
 public:
  using OnResult = std::function<void(const QueryResult&)>;
  using OnChange = std::function<void(const ResultChange&)>;

  // An empty executor runs callbacks on the thread of the live queries itself.
  LiveQueries(store::Store& store, Executor executor, std::size_t max_kept_rows = kMaxKeptRows);
  // Cancels all; afterwards no callback runs. Not from within a callback.
  ~LiveQueries();

  [[nodiscard]] Observation observe(SelectStatement select, OnResult callback);
  [[nodiscard]] Observation observe_changes(SelectStatement select, OnChange callback);

  // From the store's commit listener: only enqueues.
  void committed(const store::SharedCommit& event);

  // Stops reading the store until resume() or the next commit, and waits for a read that runs. False: it still ran when
  // `within` had passed.
  [[nodiscard]] bool pause(Duration within);
  void resume();

  struct Core;  // shared with handles and tasks that outlive us

 private:
  [[nodiscard]] Observation add(const std::shared_ptr<LiveQuery>& query);

  std::shared_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace fermata::query
