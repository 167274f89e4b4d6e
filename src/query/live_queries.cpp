#include "query/live_queries.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "base/check.hpp"
#include "query/equality_index.hpp"
#include "query/live_query.hpp"

namespace fermata::query {
namespace {

// Beyond this many queued commits it is cheaper to read every result anew than to look at each.
constexpr std::size_t kMaxQueuedCommits = 1024;
// Of so many changes to one result the same is true.
constexpr std::size_t kMaxPendingChanges = 1024;
// So many changed documents may wait for callbacks to return; then who makes them wait will have to read.
constexpr std::size_t kMaxPinnedDocuments = 65'536;

using LiveQueryRef = std::shared_ptr<LiveQuery>;
using Count = std::shared_ptr<std::atomic<std::size_t>>;

// The same commit; its documents count as long as anybody holds this.
store::SharedCommit pinned(store::SharedCommit commit, const Count& count) {
  const store::CommitEvent* event = commit.get();
  const std::size_t documents = event->changes.size() + event->evicted.size();
  *count += documents;
  return {event, [commit = std::move(commit), count, documents](const store::CommitEvent*) { *count -= documents; }};
}

}  // namespace

struct LiveQueries::Core {
  Core(store::Store& the_store, Executor the_executor, std::size_t the_max_kept_rows)
      : store(the_store), executor(std::move(the_executor)), max_kept_rows(the_max_kept_rows) {}

  store::Store& store;
  const Executor executor;
  const std::size_t max_kept_rows;
  const Count pinned_documents = std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex mutex;
  std::condition_variable changed;  // any of the below
  std::set<LiveQueryRef> queries;
  EqualityIndex<LiveQuery*> index;  // of the same
  std::deque<LiveQueryRef> ready;   // those with work to do that are not busy
  std::vector<LiveQueryRef> failed;
  std::vector<store::SharedCommit> commits;
  std::size_t kept_rows = 0;
  bool overflowed = false;  // commits were dropped: every result may have changed
  bool paused = false;
  bool reading = false;
  bool stopping = false;

  void serve(const std::shared_ptr<Core>& self);
  void add(const LiveQueryRef& query);
  void cancel(const LiveQueryRef& query);

 private:
  using Lock = std::unique_lock<std::mutex>;
  [[nodiscard]] bool has_work() const { return overflowed || !commits.empty() || (!paused && !ready.empty()); }
  void sort_commits(Lock& lock);
  void sort(const store::SharedCommit& commit);
  void sort(const store::SharedCommit& commit, const std::string& collection, std::uint64_t seq, const RowChange& row);
  [[nodiscard]] std::vector<LiveQueryRef> find(const std::string& collection, const RowChange& row);
  void note(LiveQuery& query, PendingChange pending);
  void make_stale(LiveQuery& query);
  void enqueue(LiveQuery& query);
  void refresh(Lock& lock, const std::shared_ptr<Core>& self, const LiveQueryRef& query);
  void count_rows(LiveQuery& query);
  void call_back(const LiveQueryRef& query);
};

void LiveQueries::Core::serve(const std::shared_ptr<Core>& self) {
  Lock lock(mutex);
  while (!stopping) {
    if (!has_work()) {
      changed.wait(lock);
      continue;
    }
    if (overflowed || !commits.empty()) sort_commits(lock);
    if (paused || ready.empty()) continue;
    LiveQueryRef query = std::move(ready.front());
    ready.pop_front();
    query->queued = false;
    if (!query->cancelled && !query->busy) refresh(lock, self, query);
    // The last reference to a query must not go while the mutex is held, for it destroys what the callback captured.
    lock.unlock();
    query.reset();
    lock.lock();
  }
}

void LiveQueries::Core::add(const LiveQueryRef& query) {
  const Lock lock(mutex);
  queries.insert(query);
  for (const std::string& name : query->collections()) index.add(query.get(), name, query->equality);
  enqueue(*query);
}

// Tells the queries that the queued commits concern what they change.
void LiveQueries::Core::sort_commits(Lock& lock) {
  std::vector<store::SharedCommit> taken = std::exchange(commits, {});
  std::vector<LiveQueryRef> again = std::exchange(failed, {});
  const bool all = std::exchange(overflowed, false);
  const bool too_many = *pinned_documents > kMaxPinnedDocuments;
  for (const LiveQueryRef& query : again) enqueue(*query);
  if (all || too_many) {
    for (const LiveQueryRef& query : queries) {
      if (all || (query->busy && !query->pending.empty())) make_stale(*query);
    }
  }
  lock.unlock();
  for (store::SharedCommit& commit : taken) sort(pinned(std::move(commit), pinned_documents));
  again.clear();
  lock.lock();
}

void LiveQueries::Core::sort(const store::SharedCommit& commit) {
  const auto is_observed = [&](const std::string& collection) {
    const Lock lock(mutex);
    return index.knows(collection);
  };
  for (const store::EvictedDocument& evicted : commit->evicted) {
    if (!is_observed(evicted.collection)) continue;
    sort(commit, evicted.collection, commit->first_local_seq, {evicted.id, &evicted.before, nullptr});
  }
  for (const store::DocumentChange& change : commit->changes) {
    if (!is_observed(change.collection)) continue;
    const Map* after = nullptr;
    if (change.alive_after) after = &static_cast<const Map&>(change.after);
    sort(commit, change.collection, change.local_seq,
         {change.id, change.alive_before ? &change.before : nullptr, after});
  }
}

// An eviction has no seq of its own. What a snapshot with a later change has seen, it has seen too; if no change
// separates the two, the document is not here anew either, and what is gone may be taken away.
void LiveQueries::Core::sort(const store::SharedCommit& commit, const std::string& collection, std::uint64_t seq,
                             const RowChange& row) {
  const std::vector<LiveQueryRef> candidates = find(collection, row);
  std::vector<std::pair<LiveQuery*, RowChange>> concerned;
  for (const LiveQueryRef& query : candidates) {
    if (seq <= query->head) continue;
    const RowChange seen = query->seen_by(collection, row);
    if (seen.before != nullptr || seen.after != nullptr) concerned.emplace_back(query.get(), seen);
  }
  const Lock lock(mutex);
  for (const auto& [query, seen] : concerned) note(*query, {commit, seen});
}

std::vector<LiveQueryRef> LiveQueries::Core::find(const std::string& collection, const RowChange& row) {
  std::vector<LiveQuery*> found;
  std::vector<LiveQueryRef> held;
  const Lock lock(mutex);
  if (row.before != nullptr) index.find_equal(collection, row.id, *row.before, found);
  if (row.after != nullptr) index.find_equal(collection, row.id, *row.after, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  index.find_others(collection, found);
  held.reserve(found.size());
  for (LiveQuery* query : found) held.push_back(query->shared_from_this());
  return held;
}

void LiveQueries::Core::note(LiveQuery& query, PendingChange pending) {
  if (query.stale || query.cancelled) return;
  if (!query.applies_changes || !query.keeps || query.pending.size() == kMaxPendingChanges) {
    make_stale(query);
  } else {
    query.pending.push_back(std::move(pending));
    enqueue(query);
  }
}

void LiveQueries::Core::make_stale(LiveQuery& query) {
  query.stale = true;
  query.pending = {};
  enqueue(query);
}

void LiveQueries::Core::enqueue(LiveQuery& query) {
  if (query.busy || query.queued || query.cancelled) return;
  query.queued = true;
  ready.push_back(query.shared_from_this());
}

void LiveQueries::Core::refresh(Lock& lock, const std::shared_ptr<Core>& self, const LiveQueryRef& query) {
  query->busy = true;
  const bool stale = std::exchange(query->stale, false);
  std::vector<PendingChange> pending = std::exchange(query->pending, {});
  reading = true;
  lock.unlock();
  const Refreshed refreshed = stale ? query->read(store) : query->apply(store, pending);
  pending = {};
  lock.lock();
  reading = false;
  changed.notify_all();
  if (refreshed != Refreshed::Changed) {
    query->busy = false;
    if (refreshed == Refreshed::Failed) {
      query->stale = true;
      failed.push_back(query);
    }
    return;
  }
  count_rows(*query);
  lock.unlock();
  if (executor) {
    executor([self, query] { self->call_back(query); });
  } else {
    call_back(query);
  }
  lock.lock();
}

// Decides whether there is room to keep the result.
void LiveQueries::Core::count_rows(LiveQuery& query) {
  kept_rows -= query.kept_rows;
  const std::size_t rows = query.result.size();
  query.keeps = query.wants == Wants::Changes || (query.applies_changes && kept_rows + rows <= max_kept_rows);
  query.kept_rows = query.keeps && !query.cancelled ? rows : 0;
  kept_rows += query.kept_rows;
}

void LiveQueries::Core::call_back(const LiveQueryRef& query) {
  {
    const Lock lock(mutex);
    if (query->cancelled) return;
    query->callback_on = std::this_thread::get_id();
  }
  query->callback(ResultChange(query->diff, query->result));
  query->told = true;
  if (!query->keeps) query->result.replace({});
  const Lock lock(mutex);
  query->callback_on = {};
  query->busy = false;
  if (query->stale || !query->pending.empty()) enqueue(*query);
  changed.notify_all();
}

void LiveQueries::Core::cancel(const LiveQueryRef& query) {
  std::vector<PendingChange> pending;
  Lock lock(mutex);
  if (!std::exchange(query->cancelled, true)) {
    queries.erase(query);
    std::erase(failed, query);
    for (const std::string& name : query->collections()) index.remove(query.get(), name, query->equality);
    kept_rows -= std::exchange(query->kept_rows, 0);
    pending = std::exchange(query->pending, {});
  }
  changed.wait(lock, [&] {
    return query->callback_on == std::thread::id() || query->callback_on == std::this_thread::get_id();
  });
  lock.unlock();
}

LiveQueries::LiveQueries(store::Store& store, Executor executor, std::size_t max_kept_rows)
    : core_(std::make_shared<Core>(store, std::move(executor), max_kept_rows)) {}

LiveQueries::~LiveQueries() {
  FERMATA_CHECK(std::this_thread::get_id() != thread_.get_id());
  std::set<LiveQueryRef> open;
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
    open = core_->queries;
  }
  core_->changed.notify_all();
  for (const LiveQueryRef& query : open) core_->cancel(query);
  if (thread_.joinable()) thread_.join();
}

Observation LiveQueries::observe(SelectStatement select, OnResult callback) {
  return add(std::make_shared<LiveQuery>(
      std::move(select), [callback = std::move(callback)](const ResultChange& change) { callback(change.result()); },
      Wants::Results));
}

Observation LiveQueries::observe_changes(SelectStatement select, OnChange callback) {
  return add(std::make_shared<LiveQuery>(std::move(select), std::move(callback), Wants::Changes));
}

Observation LiveQueries::add(const std::shared_ptr<LiveQuery>& query) {
  core_->add(query);
  {
    const std::lock_guard lock(core_->mutex);
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

}  // namespace fermata::query
