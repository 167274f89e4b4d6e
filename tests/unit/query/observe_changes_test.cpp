#include "query/live_queries.hpp"
#include "query/sqlite_functions.hpp"
#include "unit/query/observing.hpp"
#include "unit/query/patching.hpp"
#include "unit/query/store_fixture.hpp"

namespace fermata {
namespace {

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
