#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "query/database_impl.hpp"
#include "query/live_queries.hpp"
#include "query/sqlite_functions.hpp"
#include "support/temp_dir.hpp"
#include "unit/query/patching.hpp"
#include "unit/query/store_fixture.hpp"

namespace fermata {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

std::string ids_of(const QueryResult& result) {
  std::string ids;
  for (const Map& item : result.items) ids += *item.at("_id").if_a<std::string>();
  return ids;
}

// Collects what an observer was told; waits for it with a deadline.
class Seen {
 public:
  void add(const QueryResult& result) {
    {
      const std::lock_guard lock(mutex_);
      results_.push_back(ids_of(result));
    }
    changed_.notify_all();
  }
  std::function<void(const QueryResult&)> callback() {
    return [this](const QueryResult& result) { add(result); };
  }
  // Whether the latest result is, or becomes, these ids.
  bool latest_is(const std::string& ids) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return !results_.empty() && results_.back() == ids; });
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return results_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> results_;
};

// An executor that runs tasks when told to.
class ManualExecutor {
 public:
  Executor executor() {
    return [this](std::function<void()> task) {
      {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
      }
      changed_.notify_all();
    };
  }
  // Waits for the next task and takes it; empty after the deadline.
  std::function<void()> take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kDeadline, [&] { return !tasks_.empty(); })) return {};
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
};

std::unique_ptr<Database> open(const support::TempDir& directory, Executor executor = {}) {
  return Database::open({.directory = directory.path(), .executor = std::move(executor)}).value();
}

void insert(Database& database, const std::string& id, const std::string& collection = "c") {
  ASSERT_TRUE(database.execute("INSERT INTO " + collection + " DOCUMENTS (:d)", {{"d", Map{{"_id", id}, {"n", 1}}}}));
}

TEST(Observe, CallsBackWithTheResultNowAndAfterEachChange) {
  const support::TempDir directory;
  const auto database = open(directory);
  insert(*database, "a");
  Seen seen;
  const auto watcher = database->observe("SELECT * FROM c WHERE n = :n", seen.callback(), {{"n", 1}});
  ASSERT_TRUE(watcher);
  EXPECT_TRUE(seen.latest_is("a"));
  insert(*database, "b");
  EXPECT_TRUE(seen.latest_is("ab"));
  ASSERT_TRUE(database->execute("UPDATE c SET n = 2 WHERE _id = 'a'"));
  EXPECT_TRUE(seen.latest_is("b"));
  ASSERT_TRUE(database->execute("DELETE FROM c"));
  EXPECT_TRUE(seen.latest_is(""));
}

TEST(Observe, RefusesWhatIsNoSelect) {
  const support::TempDir directory;
  const auto database = open(directory);
  EXPECT_EQ(database->observe("DELETE FROM c", {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(database->observe("SELECT", {}).error().code, ErrorCode::Syntax);
}

TEST(Observe, SeesWhatOrderAndLimitMoveIntoTheResult) {
  const support::TempDir directory;
  const auto database = open(directory);
  for (const char* id : {"a", "b", "c"}) insert(*database, id);
  Seen seen;
  const auto watcher = database->observe("SELECT * FROM c WHERE n = 1 ORDER BY _id LIMIT 2", seen.callback());
  EXPECT_TRUE(seen.latest_is("ab"));
  ASSERT_TRUE(database->execute("DELETE FROM c WHERE _id = 'a'"));
  EXPECT_TRUE(seen.latest_is("bc"));
}

TEST(Observe, StaysQuietAtCommitsThatDoNotConcernIt) {
  const support::TempDir directory;
  const auto database = open(directory);
  Seen seen, all;
  const auto watcher = database->observe("SELECT * FROM c WHERE n = 1", seen.callback());
  EXPECT_TRUE(seen.latest_is(""));
  const auto other = database->observe("SELECT * FROM other", all.callback());
  ASSERT_TRUE(database->execute("INSERT INTO c DOCUMENTS ({_id: 'x', n: 5})"));
  insert(*database, "y", "other");
  EXPECT_TRUE(all.latest_is("y"));
  EXPECT_EQ(seen.count(), 1u);
}

TEST(Observe, GivesASlowCallbackOnlyTheLatestState) {
  const support::TempDir directory;
  ManualExecutor manual;
  const auto database = open(directory, manual.executor());
  Seen seen;
  const auto watcher = database->observe("SELECT * FROM c", seen.callback());
  auto first = manual.take();
  ASSERT_TRUE(first);
  for (const char* id : {"a", "b", "c", "d"}) insert(*database, id);
  EXPECT_EQ(manual.waiting(), 0u);
  first();
  auto second = manual.take();
  ASSERT_TRUE(second);
  second();
  EXPECT_TRUE(seen.latest_is("abcd"));
  EXPECT_EQ(seen.count(), 2u);
}

TEST(Observe, ServesSeveralObserversAtOnce) {
  const support::TempDir directory;
  const auto database = open(directory);
  Seen seen[3];
  std::vector<Result<Observation>> watchers;
  for (Seen& one : seen) watchers.push_back(database->observe("SELECT * FROM c", one.callback()));
  insert(*database, "a");
  for (Seen& one : seen) EXPECT_TRUE(one.latest_is("a"));
}

TEST(Observe, CallsNobodyAfterTheHandleIsGone) {
  const support::TempDir directory;
  ManualExecutor manual;
  const auto database = open(directory, manual.executor());
  Seen seen;
  auto watcher = database->observe("SELECT * FROM c", seen.callback());
  auto task = manual.take();
  ASSERT_TRUE(task);
  watcher = Observation();
  task();
  EXPECT_EQ(seen.count(), 0u);
}

TEST(Observe, WaitsForACallbackThatRunsWhenTheHandleGoes) {
  const support::TempDir directory;
  const auto database = open(directory);
  std::mutex mutex;
  std::condition_variable changed;
  bool inside = false;
  std::atomic<bool> ended = false;
  auto watcher = database->observe("SELECT * FROM c", [&](const QueryResult&) {
    {
      const std::lock_guard lock(mutex);
      inside = true;
    }
    changed.notify_all();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ended = true;
  });
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, kDeadline, [&] { return inside; }));
  watcher = Observation();
  EXPECT_TRUE(ended);
}

TEST(Observe, LetsACallbackCancelItselfAndWrite) {
  const support::TempDir directory;
  const auto database = open(directory);
  Seen seen, other;
  std::mutex mutex;
  Observation own;
  std::unique_lock lock(mutex);
  auto watcher = database->observe("SELECT * FROM c", [&](const QueryResult& result) {
    const std::lock_guard inner(mutex);
    own = Observation();
    EXPECT_TRUE(database->execute("INSERT INTO c DOCUMENTS ({_id: 'w'})"));
    seen.add(result);
  });
  own = std::move(*watcher);
  lock.unlock();
  const auto second = database->observe("SELECT * FROM c", other.callback());
  EXPECT_TRUE(other.latest_is("w"));
  insert(*database, "x");
  EXPECT_TRUE(other.latest_is("wx"));
  EXPECT_EQ(seen.count(), 1u);
}

TEST(Observe, LetsHandlesAndTasksOutliveTheDatabase) {
  const support::TempDir directory;
  ManualExecutor manual;
  Seen seen;
  Result<Observation> watcher;
  {
    const auto database = open(directory, manual.executor());
    watcher = database->observe("SELECT * FROM c", seen.callback());
    insert(*database, "a");
  }
  while (manual.waiting() > 0) manual.take()();
  EXPECT_EQ(seen.count(), 0u);
}

TEST(Observe, SeesWhatIsReceivedFromOtherPeers) {
  const support::TempDir here, there;
  const auto sender = open(there);
  const auto receiver = open(here);
  insert(*sender, "a");
  Seen seen;
  const auto watcher = receiver->observe("SELECT * FROM c WHERE n = 1", seen.callback());
  EXPECT_TRUE(seen.latest_is(""));
  const auto document = store_of(*sender).load("c", "a");
  ASSERT_TRUE(document);
  auto delta = document->delta_since(0, 0);
  ASSERT_TRUE(delta);
  delta->collection = "c";
  delta->id = "a";
  auto& store = store_of(*receiver);
  const auto source = store.source_number(store_of(*sender).epoch());
  ASSERT_TRUE(source);
  auto transaction = store.begin();
  ASSERT_TRUE(transaction);
  ASSERT_TRUE(transaction->merge(*delta, *source));
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(seen.latest_is("a"));
}

TEST(Observe, DoesNotReopenAQuiescedDatabase) {
  const support::TempDir directory;
  ManualExecutor manual;
  const auto database = open(directory, manual.executor());
  Seen seen;
  const auto watcher = database->observe("SELECT * FROM c", seen.callback());
  auto first = manual.take();
  ASSERT_TRUE(first);
  insert(*database, "a");
  ASSERT_TRUE(database->quiesce(std::chrono::seconds(5)));
  first();  // the query is due now, but the directory must stay free for another process
  EXPECT_TRUE(Database::open({.directory = directory.path(), .executor = {}}));
  EXPECT_EQ(manual.waiting(), 0u);
  ASSERT_TRUE(database->collections());
  auto second = manual.take();
  ASSERT_TRUE(second);
  second();
  EXPECT_TRUE(seen.latest_is("a"));
}

TEST(Observe, KeepsUpWithWritersOnSeveralThreads) {
  const support::TempDir directory;
  const auto database = open(directory);
  Seen seen;
  const auto watcher = database->observe("SELECT * FROM c ORDER BY _id", seen.callback());
  std::vector<std::thread> writers;
  for (char name = 'a'; name < 'd'; ++name) {
    writers.emplace_back([&, name] {
      for (int i = 0; i < 30; ++i) {
        const Map document{{"_id", std::string(1, name)}, {"n", i}};
        EXPECT_TRUE(database->execute("INSERT INTO c DOCUMENTS (:d) ON ID CONFLICT DO UPDATE", {{"d", document}}));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(seen.latest_is("abc"));
}

// An app that keeps a copy of a result by diffs alone, and waits for it to become something.
class Mirror {
 public:
  std::function<void(const ResultChange&)> callback() {
    return [this](const ResultChange& change) {
      {
        const std::lock_guard lock(mutex_);
        std::vector<Map> after;
        for (std::size_t i = 0; i < change.size(); ++i) after.push_back(change.item(i));
        auto made = patched(rows_, change.diff(), after);
        fits_ = fits_ && made && bytes_of(*made) == bytes_of(after);
        diff_ = change.diff();
        rows_ = std::move(after);
        ++count_;
      }
      changed_.notify_all();
    };
  }
  // Whether the copy is, or becomes, this, and every diff on the way was right.
  bool becomes(const std::vector<Map>& rows) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return count_ > 0 && rows_ == rows; }) && fits_;
  }
  ResultDiff diff() {
    const std::lock_guard lock(mutex_);
    return diff_;
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Map> rows_;
  ResultDiff diff_;
  bool fits_ = true;
  int count_ = 0;
};

Map row(const std::string& id, int n) {
  return {{"_id", id}, {"n", n}};
}

TEST(ObserveChanges, TellsWhatChangedSinceTheLastCall) {
  const support::TempDir directory;
  const auto database = open(directory);
  for (const char* id : {"a", "b", "c"}) insert(*database, id);
  Mirror mirror;
  const auto watcher = database->observe_changes("SELECT * FROM c ORDER BY n", mirror.callback());
  ASSERT_TRUE(watcher);
  ASSERT_TRUE(mirror.becomes({row("a", 1), row("b", 1), row("c", 1)}));
  EXPECT_EQ(mirror.diff().inserted, (std::vector<std::size_t>{0, 1, 2}));
  ASSERT_TRUE(database->execute("UPDATE c SET n = 5 WHERE _id = 'a'"));
  ASSERT_TRUE(mirror.becomes({row("b", 1), row("c", 1), row("a", 5)}));
  EXPECT_EQ(mirror.diff().moved, (std::vector<std::pair<std::size_t, std::size_t>>{{0, 2}}));
  EXPECT_EQ(mirror.diff().updated, (std::vector<std::size_t>{2}));
  ASSERT_TRUE(database->execute("DELETE FROM c WHERE _id = 'c'"));
  ASSERT_TRUE(mirror.becomes({row("b", 1), row("a", 5)}));
  EXPECT_EQ(mirror.diff().deleted, (std::vector<std::size_t>{1}));
}

TEST(ObserveChanges, ComparesWhatItReadsAnew) {
  const support::TempDir directory;
  const auto database = open(directory);
  for (const char* id : {"a", "b", "c"}) insert(*database, id);
  Mirror mirror;
  const auto watcher = database->observe_changes("SELECT * FROM c ORDER BY _id LIMIT 2", mirror.callback());
  ASSERT_TRUE(mirror.becomes({row("a", 1), row("b", 1)}));
  ASSERT_TRUE(database->execute("DELETE FROM c WHERE _id = 'a'"));
  ASSERT_TRUE(mirror.becomes({row("b", 1), row("c", 1)}));
  EXPECT_EQ(mirror.diff().deleted, (std::vector<std::size_t>{0}));
  EXPECT_EQ(mirror.diff().inserted, (std::vector<std::size_t>{1}));
}

TEST(ObserveChanges, IsSilentWhenNothingOfTheResultChanged) {
  const support::TempDir directory;
  const auto database = open(directory);
  for (const char* id : {"a", "b"}) insert(*database, id);
  Mirror mirror, other;
  const auto limited = database->observe_changes("SELECT * FROM c ORDER BY _id LIMIT 1", mirror.callback());
  ASSERT_TRUE(mirror.becomes({row("a", 1)}));
  const auto all = database->observe_changes("SELECT * FROM c", other.callback());
  ASSERT_TRUE(database->execute("UPDATE c SET n = 2 WHERE _id = 'b'"));
  ASSERT_TRUE(other.becomes({row("a", 1), row("b", 2)}));
  EXPECT_EQ(mirror.count(), 1);
}

TEST(ObserveChanges, GivesASlowCallbackOneDiffFromWhatItSawLast) {
  for (const int commits : {5, 1100}) {  // kept, and so many that it is read anew
    const support::TempDir directory;
    ManualExecutor manual;
    const auto database = open(directory, manual.executor());
    insert(*database, "a");
    Mirror mirror;
    const auto watcher = database->observe_changes("SELECT * FROM c", mirror.callback());
    auto first = manual.take();
    ASSERT_TRUE(first);
    for (int i = 0; i < commits; ++i) {
      ASSERT_TRUE(database->execute("UPDATE c SET n = :n WHERE _id = 'a'", {{"n", i + 10}}));
    }
    EXPECT_EQ(manual.waiting(), 0u);
    first();
    auto second = manual.take();
    ASSERT_TRUE(second);
    second();
    EXPECT_TRUE(mirror.becomes({row("a", commits + 9)}));
    EXPECT_EQ(mirror.count(), 2);
    EXPECT_EQ(mirror.diff().updated, (std::vector<std::size_t>{0}));
    EXPECT_TRUE(mirror.diff().inserted.empty() && mirror.diff().deleted.empty());
  }
}

TEST(ObserveChanges, FollowsWritersOnSeveralThreadsAndEvictions) {
  const support::TempDir directory;
  const auto database = open(directory);
  Mirror by_n, one;
  Seen whole;
  const auto first = database->observe_changes("SELECT * FROM c WHERE n < 20 ORDER BY n DESC", by_n.callback());
  const auto second = database->observe_changes("SELECT * FROM c WHERE n = 7", one.callback());
  const auto third = database->observe("SELECT * FROM c", whole.callback());
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 120; ++i) {
        const std::string id(1, static_cast<char>('a' + (i * 7 + writer) % 9));
        const Map document = row(id, (i * 5 + writer) % 30);
        if (i % 7 == 3) {
          EXPECT_TRUE(database->execute("DELETE FROM c WHERE _id = :id", {{"id", id}}));
        } else if (i % 7 == 5) {
          static_cast<void>(store_of(*database).evict("c", id));
        } else {
          EXPECT_TRUE(database->execute("INSERT INTO c DOCUMENTS (:d) ON ID CONFLICT DO UPDATE", {{"d", document}}));
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const auto read = [&](const char* select) { return database->execute(select)->items; };
  EXPECT_TRUE(by_n.becomes(read("SELECT * FROM c WHERE n < 20 ORDER BY n DESC")));
  EXPECT_TRUE(one.becomes(read("SELECT * FROM c WHERE n = 7")));
  EXPECT_TRUE(whole.latest_is(ids_of(*database->execute("SELECT * FROM c"))));
}

TEST(Observe, ReadsAnewWhatIsTooLargeToKeep) {
  query::StoreInTempDir store;
  store->on_connection(query::register_functions);
  query::LiveQueries live(*store, {}, 1);
  store->set_commit_listener([&](store::CommitEvent&& event) {
    live.committed(std::make_shared<const store::CommitEvent>(std::move(event)));
  });
  Seen seen;
  Mirror mirror;
  const auto watcher = live.observe({.collection = "c"}, seen.callback());
  const auto other = live.observe_changes({.collection = "c"}, mirror.callback());
  std::vector<Map> expected;
  for (const char* id : {"a", "b", "c"}) {
    auto transaction = store->begin();
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(transaction->insert("c", id, {{"n", 1}}));
    ASSERT_TRUE(transaction->commit());
    expected.push_back(row(id, 1));
    EXPECT_TRUE(seen.latest_is(ids_of({.items = expected, .mutated_ids = {}})));
    EXPECT_TRUE(mirror.becomes(expected));
  }
  store->set_commit_listener({});
}

}  // namespace
}  // namespace fermata
