#include "query/live_queries.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/check.hpp"
#include "query/matcher.hpp"
#include "query/sql.hpp"

namespace fermata::query {
namespace {

// Beyond this many queued commits it is cheaper to read every result anew than to look at each.
constexpr std::size_t kMaxQueuedCommits = 1024;

struct LiveQuery {
  SelectStatement select;
  LiveQueries::Callback callback;
  // The rest is guarded by Core::mutex.
  bool dirty = true;            // the result may have changed since it was read last
  bool failed = false;          // the last read failed; the next commit tries again
  bool busy = false;            // a result is on its way: being read, posted, or in the callback
  bool cancelled = false;       // no callback may start
  std::thread::id callback_on;  // the thread that is inside the callback
};
using LiveQueryRef = std::shared_ptr<LiveQuery>;

bool concerns(const SelectStatement& select, const store::CommitEvent& event) {
  const auto has_changed = [&](const store::DocumentChange& change) {
    if (change.collection != select.collection) return false;
    return (change.alive_before && matches(select.where, {change.id, change.before})) ||
           (change.alive_after && matches(select.where, {change.id, change.after}));
  };
  const auto has_gone = [&](const store::EvictedDocument& evicted) {
    return evicted.collection == select.collection && matches(select.where, {evicted.id, evicted.before});
  };
  return std::any_of(event.changes.begin(), event.changes.end(), has_changed) ||
         std::any_of(event.evicted.begin(), event.evicted.end(), has_gone);
}

}  // namespace

struct LiveQueries::Core {
  Core(store::Store& the_store, Executor the_executor) : store(the_store), executor(std::move(the_executor)) {}

  store::Store& store;
  const Executor executor;
  std::mutex mutex;
  std::condition_variable changed;  // any of the below
  std::vector<LiveQueryRef> queries;
  std::vector<store::SharedCommit> commits;
  bool overflowed = false;  // commits were dropped: every result may have changed
  bool paused = false;
  bool reading = false;
  bool stopping = false;

  void serve(const std::shared_ptr<Core>& self);
  void cancel(const LiveQueryRef& query);

 private:
  using Lock = std::unique_lock<std::mutex>;
  [[nodiscard]] LiveQueryRef next_dirty() const;
  [[nodiscard]] bool has_work() const { return overflowed || !commits.empty() || (!paused && next_dirty() != nullptr); }
  void sort_commits(Lock& lock);
  void refresh(Lock& lock, const std::shared_ptr<Core>& self, const LiveQueryRef& query);
  void call_back(const LiveQueryRef& query, const QueryResult& result);
};

LiveQueryRef LiveQueries::Core::next_dirty() const {
  const auto found = std::find_if(queries.begin(), queries.end(),
                                  [](const LiveQueryRef& query) { return query->dirty && !query->busy; });
  return found == queries.end() ? nullptr : *found;
}

void LiveQueries::Core::serve(const std::shared_ptr<Core>& self) {
  Lock lock(mutex);
  while (!stopping) {
    if (!has_work()) {
      changed.wait(lock);
      continue;
    }
    if (overflowed || !commits.empty()) sort_commits(lock);
    if (paused) continue;
    // Held beyond the unlock: the last reference to a query must not go while the mutex is held, for it destroys what
    // the callback captured.
    LiveQueryRef query = next_dirty();
    if (query != nullptr) refresh(lock, self, query);
    lock.unlock();
    query.reset();
    lock.lock();
  }
}

// Marks the queries that the queued commits concern.
void LiveQueries::Core::sort_commits(Lock& lock) {
  std::vector<store::SharedCommit> taken = std::move(commits);
  commits.clear();
  const bool all = std::exchange(overflowed, false);
  std::vector<LiveQueryRef> candidates, concerned;
  for (const LiveQueryRef& query : queries) {
    if (all || query->failed) query->dirty = true;
    if (!query->dirty) candidates.push_back(query);
  }
  lock.unlock();
  for (const LiveQueryRef& query : candidates) {
    const auto is_concerned = [&](const store::SharedCommit& event) { return concerns(query->select, *event); };
    if (std::any_of(taken.begin(), taken.end(), is_concerned)) concerned.push_back(query);
  }
  taken.clear();
  candidates.clear();
  lock.lock();
  for (const LiveQueryRef& query : concerned) query->dirty = true;
  lock.unlock();
  concerned.clear();
  lock.lock();
}

void LiveQueries::Core::refresh(Lock& lock, const std::shared_ptr<Core>& self, const LiveQueryRef& query) {
  query->dirty = false;
  query->busy = true;
  reading = true;
  lock.unlock();
  auto result = read_all(store, query->select);
  lock.lock();
  reading = false;
  query->failed = !result;
  if (!result) query->busy = false;
  changed.notify_all();
  if (!result) return;
  lock.unlock();
  if (executor) {
    executor([self, query, delivered = std::move(*result)] { self->call_back(query, delivered); });
  } else {
    call_back(query, *result);
  }
  lock.lock();
}

void LiveQueries::Core::call_back(const LiveQueryRef& query, const QueryResult& result) {
  {
    const Lock lock(mutex);
    if (query->cancelled) return;
    query->callback_on = std::this_thread::get_id();
  }
  query->callback(result);
  const Lock lock(mutex);
  query->callback_on = {};
  query->busy = false;
  changed.notify_all();
}

void LiveQueries::Core::cancel(const LiveQueryRef& query) {
  Lock lock(mutex);
  query->cancelled = true;
  std::erase(queries, query);
  changed.wait(lock, [&] {
    return query->callback_on == std::thread::id() || query->callback_on == std::this_thread::get_id();
  });
}

LiveQueries::LiveQueries(store::Store& store, Executor executor)
    : core_(std::make_shared<Core>(store, std::move(executor))) {}

LiveQueries::~LiveQueries() {
  FERMATA_CHECK(std::this_thread::get_id() != thread_.get_id());
  std::vector<LiveQueryRef> open;
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
    open = core_->queries;
  }
  core_->changed.notify_all();
  for (const LiveQueryRef& query : open) core_->cancel(query);
  if (thread_.joinable()) thread_.join();
}

Observation LiveQueries::observe(SelectStatement select, Callback callback) {
  auto query = std::make_shared<LiveQuery>();
  query->select = std::move(select);
  query->callback = std::move(callback);
  {
    const std::lock_guard lock(core_->mutex);
    core_->queries.push_back(query);
    if (!thread_.joinable()) thread_ = std::thread([core = core_] { core->serve(core); });
  }
  core_->changed.notify_all();
  // The handle may outlive us; then the query is cancelled already and this changes nothing.
  return Observation(std::shared_ptr<void>(query.get(), [core = core_, query](void*) { core->cancel(query); }));
}

void LiveQueries::committed(const store::SharedCommit& event) {
  {
    const std::lock_guard lock(core_->mutex);
    core_->paused = false;
    if (core_->queries.empty()) return;
    if (core_->commits.size() < kMaxQueuedCommits) {
      core_->commits.push_back(event);
    } else {
      core_->commits.clear();
      core_->overflowed = true;
    }
  }
  core_->changed.notify_all();
}

bool LiveQueries::pause(Duration within) {
  std::unique_lock lock(core_->mutex);
  core_->paused = true;
  return core_->changed.wait_for(lock, within, [&] { return !core_->reading; });
}

void LiveQueries::resume() {
  const std::lock_guard lock(core_->mutex);
  if (std::exchange(core_->paused, false)) core_->changed.notify_all();
}

Result<QueryResult> read_all(store::Store& store, const SelectStatement& select) {
  QueryResult result;
  const CompiledSelect compiled = compile(select);
  auto read = store.read([&](sqlite3* connection) {
    return run(connection, compiled, [&](std::string_view id, ByteView body) -> Status {
      auto document = decode_body(id, body);
      if (!document) return fail(document.error());
      document->insert_or_assign(std::string(kIdField), Value(id));
      result.items.push_back(std::move(*document));
      return {};
    });
  });
  if (!read) return fail(read.error());
  return result;
}

}  // namespace fermata::query
