// Many threads on one database: nothing is lost, nothing half-done is seen, and readers and the writer go past each
// other. Most telling under ThreadSanitizer.
#include <gtest/gtest.h>
#include <fermata/database.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "support/temp_dir.hpp"

namespace fermata {
namespace {

constexpr int kRounds = 40;
constexpr int kAccounts = 5;
constexpr std::int64_t kMoney = 100;  // on each
// Far beyond what anything here takes.
constexpr auto kPatience = std::chrono::seconds(60);

class Threads : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kAccounts; ++i) {
      run("INSERT INTO accounts DOCUMENTS (:d)", {{"d", Map{{"_id", std::to_string(i)}, {"money", kMoney}}}});
    }
    run("INSERT INTO log DOCUMENTS ({_id: 'count'})");
  }

  QueryResult run(std::string_view statement, const Map& parameters = {}) {
    auto result = database_->execute(statement, parameters);
    EXPECT_TRUE(result) << statement << ": " << (result ? "" : result.error().message);
    return result ? std::move(*result) : QueryResult{};
  }

  static std::int64_t total_of(const std::vector<Map>& accounts) {
    std::int64_t total = 0;
    for (const Map& account : accounts) total += *account.at("money").if_a<std::int64_t>();
    return total;
  }

  Status move(int round) {
    return database_->transaction([&](Transaction& t) -> Status {
      const Map from{{"id", std::to_string(round % kAccounts)}}, to{{"id", std::to_string((round + 1) % kAccounts)}};
      if (auto taken = t.execute("UPDATE accounts SET money = money - 3 WHERE _id = :id", from); !taken) {
        return fail(taken.error());
      }
      if (round % 4 == 3) return fail(ErrorCode::NotFound, "the payee is gone");
      auto given = t.execute("UPDATE accounts SET money = money + 3 WHERE _id = :id", to);
      return given ? Status() : fail(given.error());
    });
  }

  void read_the_whole() {
    const auto read = database_->snapshot([](const Snapshot& snapshot) -> Status {
      const auto first = snapshot.execute("SELECT * FROM accounts");
      const auto second = snapshot.execute("SELECT sum(money) AS total FROM accounts");
      EXPECT_TRUE(first && second);
      if (!first || !second) return {};
      EXPECT_EQ(total_of(first->items), kAccounts * kMoney);
      EXPECT_EQ(second->items.front().at("total"), Value(kAccounts * kMoney));
      return {};
    });
    EXPECT_TRUE(read) << read.error().message;
  }

  void watch_a_while() {
    std::atomic<int> calls = 0;
    const auto whole = database_->observe("SELECT * FROM accounts", [&](const QueryResult& result) {
      EXPECT_EQ(total_of(result.items), kAccounts * kMoney);
      ++calls;
    });
    const auto changes = database_->observe_changes("SELECT * FROM log WHERE who = 1", [&](const ResultChange& change) {
      if (change.size() > 0) static_cast<void>(change.item(0));
    });
    EXPECT_TRUE(whole && changes);
    // The first call comes without a change.
    while (whole && calls == 0) std::this_thread::yield();
  }

  void look_after(int round) {
    const Status done = round % 4 == 0   ? database_->quiesce(kPatience)
                        : round % 8 == 1 ? database_->compact()
                                         : database_->checkpoint();
    EXPECT_TRUE(done || done.error().code == ErrorCode::Closed) << done.error().message;
  }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path(), .executor = {}}).value();
};

TEST_F(Threads, DoEverythingAtOnceAndLoseNothing) {
  const std::function<void(int)> parts[] = {
      [&](int round) {
        run("INSERT INTO log DOCUMENTS ({who: 1, round: :r})", {{"r", round}});
      },
      [&](int) { run("UPDATE log INCREMENT n BY 1 WHERE _id = 'count'"); },
      [&](int round) { EXPECT_EQ(move(round).has_value(), round % 4 != 3); },
      [&](int) { read_the_whole(); },
      [&](int round) {
        run("SELECT who, count(*) AS n FROM log WHERE round < :r GROUP BY who", {{"r", round}});
      },
      [&](int) { watch_a_while(); },
      [&](int round) {
        EXPECT_TRUE(database_->import("log", {Map{{"_id", "i" + std::to_string(round)}, {"who", 2}}, Map{{"who", 2}}}));
      },
      [&](int round) { look_after(round); },
  };
  std::latch start(std::size(parts));
  std::vector<std::thread> threads;
  for (const auto& part : parts) {
    threads.emplace_back([&start, &part] {
      start.arrive_and_wait();
      for (int round = 0; round < kRounds; ++round) part(round);
    });
  }
  for (std::thread& thread : threads) thread.join();
  read_the_whole();
  EXPECT_EQ(run("SELECT n FROM log WHERE _id = 'count'").items.front().at("n"), Value(kRounds));
  EXPECT_EQ(run("SELECT * FROM log WHERE who = 1").items.size(), std::size_t{kRounds});
  EXPECT_EQ(run("SELECT * FROM log WHERE who = 2").items.size(), std::size_t{2 * kRounds});
}

TEST_F(Threads, ThatReadForLongDoNotKeepAWriteFromFinishing) {
  constexpr int kReaders = 4;  // all that there may be
  std::latch reading(kReaders), written(1);
  std::vector<std::future<void>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(std::async(std::launch::async, [&] {
      const auto read = database_->snapshot([&](const Snapshot& snapshot) -> Status {
        EXPECT_EQ(snapshot.execute("SELECT * FROM log").value().items.size(), 1u);
        reading.count_down();
        written.wait();
        // Still the database as it was.
        EXPECT_EQ(snapshot.execute("SELECT * FROM log").value().items.size(), 1u);
        return {};
      });
      EXPECT_TRUE(read);
    }));
  }
  reading.wait();
  auto writer = std::async(std::launch::async, [&] {
    run("INSERT INTO log DOCUMENTS ({who: 1})");
    EXPECT_TRUE(move(0));
    EXPECT_TRUE(database_->import("log", {Map{{"who", 2}}}));
    EXPECT_TRUE(database_->checkpoint());
  });
  EXPECT_EQ(writer.wait_for(kPatience), std::future_status::ready);
  written.count_down();
  for (auto& reader : readers) reader.get();
  writer.get();
  EXPECT_EQ(run("SELECT * FROM log").items.size(), 3u);
}

TEST_F(Threads, ThatWriteForLongDoNotKeepAReadFromFinishing) {
  const auto written = database_->transaction([&](Transaction& t) -> Status {
    EXPECT_TRUE(t.execute("DELETE FROM accounts"));
    auto reader = std::async(std::launch::async, [&] { read_the_whole(); });
    EXPECT_EQ(reader.wait_for(kPatience), std::future_status::ready);
    return {};
  });
  EXPECT_TRUE(written);
  EXPECT_TRUE(run("SELECT * FROM accounts").items.empty());
}

}  // namespace
}  // namespace fermata
