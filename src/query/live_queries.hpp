// Observed SELECTs. One thread of their own waits for commits, decides which queries a commit concerns, reads their
// results anew, and hands them to the executor; it sleeps when there is nothing to do. Thread-safe.
//
// Lock order: the store's mutex may be held when ours is taken (a commit arrives under it), so nothing of the store is
// called under ours, and no user code runs under either.
#pragma once

#include <fermata/database.hpp>
#include <thread>

#include "query/ast.hpp"
#include "store/store.hpp"

namespace fermata::query {

class LiveQueries {
 public:
  using Callback = std::function<void(const QueryResult&)>;

  // An empty executor runs callbacks on the thread of the live queries itself.
  LiveQueries(store::Store& store, Executor executor);
  // Cancels all; afterwards no callback runs. Not from within a callback.
  ~LiveQueries();

  [[nodiscard]] Observation observe(SelectStatement select, Callback callback);

  // From the store's commit listener: only enqueues.
  void committed(const store::SharedCommit& event);

  // Stops reading the store until resume() or the next commit, and waits for a read that runs. False: it still ran when
  // `within` had passed.
  [[nodiscard]] bool pause(Duration within);
  void resume();

  struct Core;  // shared with handles and tasks that outlive us

 private:
  std::shared_ptr<Core> core_;
  std::thread thread_;
};

// All documents of a SELECT, each with its "_id".
[[nodiscard]] Result<QueryResult> read_all(store::Store& store, const SelectStatement& select);

}  // namespace fermata::query
