// What a check finds, and what a repair makes of it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "store/app_indexes.hpp"
#include "store/check.hpp"
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::TempDir;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kDocuments = 200;

std::string id_of(int number) {
  return fmt::format("d{:03}", number);
}

class Checking : public testing::Test {
 protected:
  void SetUp() override {
    auto store = must_open(on_disk(dir.path()));
    for (int i = 0; i < kDocuments; ++i) {
      ASSERT_OK(insert(*store, id_of(i), {{"n", i}, {"text", std::string(600, 'x')}}));
    }
    ASSERT_OK(insert(*store, "note", {{"n", 1}}, "notes"));
    ASSERT_OK(change(*store, [](Transaction& t) { return t.remove("tasks", "d007"); }));
    ASSERT_OK(change(*store, [](Transaction& t) {
      return t.create_index({.kind = IndexKind::Ordered, .name = "by_n", .collection = "tasks", .fields = {{{"n"}}}})
          .and_then([&] {
            return t.create_index(
                {.kind = IndexKind::FullText, .name = "texts", .collection = "tasks", .fields = {{{"text"}}}});
          });
    }));
    ASSERT_OK(store->learn("tasks", {{77, 5}}));
    ASSERT_OK(change(*store, [](Transaction& t) { return t.save_cursor({"remote", 1, 9}); }));
    epoch = store->epoch();
  }

  CheckReport look(CheckMode mode = CheckMode::Report) {
    auto report = check({.directory = dir.path(), .mode = mode});
    EXPECT_TRUE(report.has_value()) << why(report);
    return report ? *std::move(report) : CheckReport();
  }

  // The app's indexes, which must be in working order: the next write changes both.
  static std::vector<std::string> indexes(Store& store) {
    EXPECT_TRUE(insert(store, "more", {{"n", 1000}, {"text", "words"}}));
    EXPECT_TRUE(change(store, [](Transaction& t) { return t.remove("tasks", "more"); }));
    EXPECT_TRUE(store.purge(WallTime::max(), 1000));
    std::vector<std::string> names;
    EXPECT_TRUE(store.read([&](sqlite3* connection) -> Status {
      sqlite3_stmt* list = nullptr;
      sqlite3_prepare_v2(connection, "SELECT name FROM indexes ORDER BY name", -1, &list, nullptr);
      while (sqlite3_step(list) == SQLITE_ROW) {
        names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(list, 0)));
      }
      sqlite3_finalize(list);
      return {};
    }));
    return names;
  }

  // Opens the database, which must agree with itself, and gives how many documents of the first collection live.
  std::uint64_t living() {
    auto store = must_open(on_disk(dir.path()));
    if (store == nullptr) return 0;
    expect_agreement(*store, "tasks");
    expect_agreement(*store, "notes");
    EXPECT_EQ(indexes(*store), (std::vector<std::string>{"by_n", "texts"}));
    return store->digest("tasks")->digest.count;
  }

  std::size_t damage_pages_of(const std::string& name, std::size_t from, std::size_t at_most = 1000) {
    return damage_pages(dir.path(), {.tree = name, .type = "leaf", .from = from, .at_most = at_most});
  }

  TempDir dir;
  Epoch epoch;
};

TEST_F(Checking, FindsNothingInASoundDatabaseAndChangesNothing) {
  const auto before = std::filesystem::last_write_time(dir.file("fermata.db"));
  const CheckReport report = look();
  EXPECT_THAT(report.found, IsEmpty());
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.documents, std::uint64_t{kDocuments});
  EXPECT_EQ(report.tombstones, 1u);
  EXPECT_EQ(std::filesystem::last_write_time(dir.file("fermata.db")), before);
  EXPECT_FALSE(std::filesystem::exists(dir.file("fermata.db-wal")));
  EXPECT_EQ(must_open(on_disk(dir.path()))->epoch(), epoch);
}

TEST_F(Checking, FindsNothingInWhatAKilledProcessLeft) {
  TempDir copy;
  {
    auto store = must_open(on_disk(dir.path()));
    ASSERT_OK(insert(*store, "late", {{"n", 1}}));
    std::filesystem::copy(dir.path(), copy.path(), std::filesystem::copy_options::recursive);
  }
  const auto report = check({.directory = copy.path()});
  ASSERT_OK(report);
  EXPECT_THAT(report->found, IsEmpty());
  EXPECT_EQ(report->documents, std::uint64_t{kDocuments + 1});
}

TEST_F(Checking, IsRefusedWhileSomebodyHasTheDatabaseAndWhereThereIsNone) {
  auto store = must_open(on_disk(dir.path()));
  EXPECT_EQ(check({.directory = dir.path()}).error().code, ErrorCode::Busy);
  EXPECT_EQ(check({.directory = dir.file("none")}).error().code, ErrorCode::NotFound);
}

TEST_F(Checking, FindsARowThatContradictsItsDocumentAndRepairsIt) {
  for (const std::string change : {"life = 5", "version = 12345", "buried = 1", "seq = 1000000"}) {
    SCOPED_TRACE(change);
    ASSERT_EQ(run_sql(dir.path(), "UPDATE documents SET " + change + " WHERE id = 'd003'"), 1);
    const CheckReport damaged = look();
    EXPECT_THAT(damaged.found, Contains(HasSubstr("document 'd003' of 'tasks'")));
    EXPECT_FALSE(damaged.sound());
    const CheckReport repaired = look(CheckMode::Repair);
    EXPECT_THAT(repaired.remaining, IsEmpty());
    EXPECT_EQ(look().documents, std::uint64_t{kDocuments});
    EXPECT_EQ(living(), std::uint64_t{kDocuments - 1});
  }
}

TEST_F(Checking, FindsWrongDigestsAndRepairsThem) {
  ASSERT_EQ(run_sql(dir.path(), "UPDATE state SET live = live + 1 WHERE id = 1"), 1);
  EXPECT_THAT(look().found, Contains(HasSubstr("the digest of 'tasks'")));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
  EXPECT_EQ(living(), std::uint64_t{kDocuments - 1});
}

TEST_F(Checking, FindsAMissingIndexAndMakesItAnew) {
  run_sql(dir.path(), "DROP INDEX documents_log");
  EXPECT_THAT(look().found, Contains("the index documents_log is missing"));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
  EXPECT_EQ(living(), std::uint64_t{kDocuments - 1});
  EXPECT_EQ(must_open(on_disk(dir.path()))->epoch(), epoch) << "nothing was lost";
}

TEST_F(Checking, FindsAFullTextIndexThatMissesDocumentsAndMakesItAnew) {
  run_sql(dir.path(), "DELETE FROM app_text_2_docsize WHERE id < 10");
  EXPECT_THAT(look().found, Contains(HasSubstr("the full-text index 'texts'")));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
  EXPECT_EQ(living(), std::uint64_t{kDocuments - 1});
}

TEST_F(Checking, FindsTwoDocumentsAtOnePositionAndACursorToNowhere) {
  run_sql(dir.path(), "UPDATE documents SET seq = 4 WHERE id = 'd004'");
  EXPECT_THAT(look().found, Contains(HasSubstr("2 documents are at position 4")));
  run_sql(dir.path(), "UPDATE cursors SET seq = -1");
  EXPECT_THAT(look().found, Contains(HasSubstr("points nowhere")));
}

TEST_F(Checking, FindsACommitOfOursThatTheDatabaseSaysWasNeverMade) {
  run_sql(dir.path(), "UPDATE state SET commit_seq = 5 WHERE id = 0");
  EXPECT_THAT(look().found, Contains(HasSubstr("a commit of ours that we have not made")));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
}

TEST_F(Checking, RemovesADocumentThatDoesNotDecodeSoThatPeersSendItAgain) {
  // The app's indexes would refuse it.
  run_sql(dir.path(), "DROP INDEX app_index_1; DROP TRIGGER app_text_2_updated");
  ASSERT_EQ(run_sql(dir.path(), "UPDATE documents SET body = x'ff' WHERE id = 'd005'"), 1);
  EXPECT_THAT(look().found, Contains(HasSubstr("document 'd005' of 'tasks'")));
  const CheckReport report = look(CheckMode::Repair);
  EXPECT_TRUE(report.sound());
  EXPECT_THAT(report.repaired, Contains(HasSubstr("document 'd005' of 'tasks' was removed")));
  EXPECT_EQ(living(), std::uint64_t{kDocuments - 2});
  auto store = must_open(on_disk(dir.path()));
  EXPECT_NE(store->epoch(), epoch);
  EXPECT_EQ(store->cursor("remote", 1), std::uint64_t{0}) << "what came before must come again";
  EXPECT_EQ(store->known("tasks"), KnownCommits()) << "nobody may think that it was deleted";
}

TEST_F(Checking, FindsDamagedPagesOfAnIndexAndMakesItAnew) {
  for (const std::string index : {"documents_by_id", "documents_log"}) {
    SCOPED_TRACE(index);
    ASSERT_GT(damage_pages_of(index, 0), 0u);
    const CheckReport damaged = look();
    EXPECT_THAT(damaged.found, Contains(HasSubstr("it is not what was written")));
    const CheckReport repaired = look(CheckMode::Repair);
    EXPECT_THAT(repaired.remaining, IsEmpty());
    EXPECT_EQ(living(), std::uint64_t{kDocuments - 1});
  }
  EXPECT_EQ(must_open(on_disk(dir.path()))->epoch(), epoch) << "nothing was lost";
}

TEST_F(Checking, SavesTheDocumentsOfAllPagesButTheDamagedOnesAndNamesTheOthers) {
  ASSERT_EQ(damage_pages_of("documents", 3, 2), 2u);
  EXPECT_FALSE(look().sound());
  const CheckReport report = look(CheckMode::Repair);
  EXPECT_THAT(report.remaining, IsEmpty());
  std::set<std::string> lost;
  for (const std::string& line : report.repaired) {
    if (line.starts_with("document '")) lost.insert(line.substr(10, 4));
  }
  ASSERT_GT(lost.size(), 4u);
  ASSERT_LT(lost.size(), 20u);
  EXPECT_EQ(living() + lost.size(), std::uint64_t{kDocuments - 1});
  auto store = must_open(on_disk(dir.path()));
  EXPECT_NE(store->epoch(), epoch);
  for (int i = 0; i < kDocuments; ++i) {
    const bool kept = i != 7 && !lost.contains(id_of(i));  // the deleted one was purged by living()
    EXPECT_EQ(store->load("tasks", id_of(i))->exists(), kept) << id_of(i);
  }
}

TEST_F(Checking, FindsDamageOfEveryPageAlsoOfOneThatHoldsNothingAndClearsThatOne) {
  {
    auto store = must_open(on_disk(dir.path()));
    for (int i = 10; i < 60; ++i) {
      ASSERT_OK(change(*store, [&](Transaction& t) { return t.remove("tasks", id_of(i)); }));
    }
    ASSERT_OK(store->purge(WallTime::max(), 1000));
  }
  const std::uint64_t pages = std::filesystem::file_size(dir.file("fermata.db")) / 4096;
  std::uint64_t cleared = 0;
  for (std::uint64_t page = 0; page < pages; ++page) {
    SCOPED_TRACE(fmt::format("page {} of {}", page + 1, pages));
    TempDir copy;
    std::filesystem::copy(dir.path(), copy.path(), std::filesystem::copy_options::recursive);
    std::fstream file(copy.file("fermata.db"), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(page * 4096 + 1000));
    file.put('!');
    file.close();
    const auto report = check({.directory = copy.path(), .mode = CheckMode::Repair});
    ASSERT_OK(report);
    EXPECT_FALSE(report->found.empty());
    if (!report->sound()) {
      EXPECT_THAT(report->remaining, Contains(HasSubstr("restore a backup")));
    }
    const bool kept_all = report->sound() && report->documents == std::uint64_t{kDocuments - 50};
    cleared += kept_all ? 1 : 0;
  }
  EXPECT_GT(cleared, 5u);
  EXPECT_LT(cleared, pages);
}

TEST(CheckingACutFile, SavesWhatIsLeftOfIt) {
  TempDir dir;
  Epoch epoch;
  {
    auto store = must_open(on_disk(dir.path()));
    for (int i = 0; i < kDocuments; ++i) {
      ASSERT_OK(insert(*store, id_of(i), {{"n", i}, {"text", std::string(600, 'x')}}));
    }
    epoch = store->epoch();
  }
  const std::uint64_t bytes = std::filesystem::file_size(dir.file("fermata.db"));
  std::uint64_t least = kDocuments;
  for (std::uint64_t left = bytes - 100; left > bytes / 2; left -= 3 * 4096 + 512) {
    SCOPED_TRACE(fmt::format("{} of {} bytes", left, bytes));
    TempDir copy;
    std::filesystem::copy(dir.path(), copy.path(), std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(copy.file("fermata.db"), left);
    const auto report = check({.directory = copy.path(), .mode = CheckMode::Repair});
    ASSERT_OK(report);
    EXPECT_THAT(report->found,
                Contains(fmt::format("its fermata.db is cut off: {} of {} bytes are left", left, bytes)));
    ASSERT_THAT(report->remaining, IsEmpty());
    least = std::min(least, report->documents);
    auto store = must_open(on_disk(copy.path()));
    ASSERT_NE(store, nullptr);
    expect_agreement(*store, "tasks");
    EXPECT_NE(store->epoch(), epoch);
  }
  EXPECT_LT(least, std::uint64_t{kDocuments});
  EXPECT_GT(least, std::uint64_t{0});
}

TEST_F(Checking, LeavesACutFileThatCannotBeSavedAsLongAsItWas) {
  for (const std::uint64_t left : {3u * 4096u, 4096u, 512u}) {
    SCOPED_TRACE(left);
    std::filesystem::resize_file(dir.file("fermata.db"), left);
    const CheckReport report = look(CheckMode::Repair);
    EXPECT_THAT(report.remaining, Contains(HasSubstr("restore a backup")));
    EXPECT_EQ(std::filesystem::file_size(dir.file("fermata.db")), left);
  }
}

TEST_F(Checking, SaysWhatToDoWhereNothingCanBeRepairedAndChangesNothing) {
  std::fstream file(dir.file("fermata.db"), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(200);
  file.put('!');
  file.close();
  const auto before = std::filesystem::last_write_time(dir.file("fermata.db"));
  const CheckReport report = look(CheckMode::Repair);
  EXPECT_FALSE(report.sound());
  EXPECT_THAT(report.remaining, Contains(HasSubstr("restore a backup")));
  EXPECT_THAT(report.remaining, testing::Not(Contains(HasSubstr("fermata check"))));
  EXPECT_EQ(std::filesystem::last_write_time(dir.file("fermata.db")), before);
}

}  // namespace
}  // namespace fermata::store
