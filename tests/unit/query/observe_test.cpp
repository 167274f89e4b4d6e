#include <gmock/gmock.h>

#include "unit/query/observing.hpp"

namespace fermata {
namespace {

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

}  // namespace
}  // namespace fermata
