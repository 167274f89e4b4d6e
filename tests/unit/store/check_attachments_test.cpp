// What a check finds in the tables of attachments, and what a repair leaves of them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "content.hpp"
#include "store/check.hpp"

namespace fermata::store {
namespace {

using support::TempDir;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckingAttachments : public testing::Test {
 protected:
  static constexpr std::size_t kPartial = 5 * kChunkBytes;

  void SetUp() override {
    auto store = must_open(on_disk(dir.path()));
    EXPECT_EQ(must_put(*store, first).hash(), sha256(first));    // row 1: chunks 0 to 3
    EXPECT_EQ(must_put(*store, second).hash(), sha256(second));  // row 2: chunks 0 to 2
    auto incoming = store->attachments().receive(partial_hash, kPartial);
    ASSERT_TRUE(incoming && *incoming);
    ASSERT_OK((*incoming)->append(Bytes(kChunkBytes, 1)));
    ASSERT_OK((*incoming)->append(Bytes(kChunkBytes, 2)));
    ASSERT_OK(insert(*store, "d", {{"file", *Attachment::make(sha256(first), first.size())}}));
  }

  CheckReport look(CheckMode mode = CheckMode::Report) {
    auto report = check({.directory = dir.path(), .mode = mode});
    EXPECT_TRUE(report.has_value()) << why(report);
    return report ? *std::move(report) : CheckReport();
  }

  // That a repair finds this, takes the first content away and nothing else, and that it can come again.
  void expect_only_first_is_lost(const std::string& finding) {
    EXPECT_THAT(look().found, Contains(HasSubstr(finding)));
    const CheckReport report = look(CheckMode::Repair);
    EXPECT_THAT(report.remaining, IsEmpty());
    EXPECT_THAT(report.repaired, Contains(HasSubstr(fmt::format("attachment {} was removed", to_hex(sha256(first))))));
    EXPECT_EQ(report.documents, 1u);
    EXPECT_EQ(report.attachments, 1u);
    EXPECT_THAT(look().found, IsEmpty());
    auto store = must_open(on_disk(dir.path()));
    EXPECT_EQ(content_of(*store, sha256(first)).error().code, ErrorCode::NotFound);
    EXPECT_EQ(content_of(*store, sha256(second)), second);
    auto partial = store->attachments().receive(partial_hash, kPartial);
    EXPECT_EQ((*partial)->stored_bytes(), 2 * kChunkBytes);
    auto again = store->attachments().receive(sha256(first), first.size());
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->stored_bytes(), 0u);
    for (std::size_t at = 0; at < first.size(); at += kChunkBytes) {
      ASSERT_OK((*again)->append(ByteView(first).subspan(at, std::min(kChunkBytes, first.size() - at))));
    }
    EXPECT_EQ((*again)->settle(), true);
    EXPECT_EQ(content_of(*store, sha256(first)), first);
  }

  TempDir dir;
  const Bytes first = some_content(3 * kChunkBytes + 9, 1), second = some_content(3 * kChunkBytes, 2);
  const ContentHash partial_hash{5};
};

TEST_F(CheckingAttachments, HashesWhatIsWholeAndLeavesWhatIsOnItsWay) {
  const CheckReport report = look();
  EXPECT_THAT(report.found, IsEmpty());
  EXPECT_EQ(report.attachments, 2u);
  EXPECT_EQ(look(CheckMode::Repair).attachments, 2u);
}

TEST_F(CheckingAttachments, FindsAContentThatIsAnotherAndRemovesIt) {
  ASSERT_EQ(run_sql(dir.path(), "UPDATE attachment_chunks SET bytes = zeroblob(65536) WHERE id = (1 << 31) + 1"), 1);
  expect_only_first_is_lost("its content is another");
}

TEST_F(CheckingAttachments, FindsChunksThatAreMissingCutOrTooMany) {
  const std::pair<const char*, const char*> damages[] = {
      {"DELETE FROM attachment_chunks WHERE id = (1 << 31) + 1", "its chunk 1 is missing"},
      {"DELETE FROM attachment_chunks WHERE id = (1 << 31) + 3", "its chunk 3 is missing"},
      {"UPDATE attachment_chunks SET bytes = x'00' WHERE id = (1 << 31) + 1", "its chunk 1 has 1 bytes"},
      {"INSERT INTO attachment_chunks VALUES((1 << 31) + 4, x'00')", "more chunks than bytes"},
      {"UPDATE attachments SET stored = 65536 WHERE id = 1", "complete, with 65536 of 196617 bytes"},
      {"UPDATE attachments SET size = -1, stored = -1 WHERE id = 1", "its size is impossible"}};
  for (const auto& [damage, finding] : damages) {
    SCOPED_TRACE(damage);
    ASSERT_EQ(run_sql(dir.path(), damage), 1);
    expect_only_first_is_lost(finding);
    // It has the last row now; back to where the damages expect it.
    run_sql(dir.path(),
            "UPDATE attachment_chunks SET id = id - (3 << 31) WHERE id >= 4 << 31; UPDATE attachments SET id = 1 WHERE "
            "id = 4");
  }
}

TEST_F(CheckingAttachments, FindsAChunkOfAnotherSizeWhenItIsRead) {
  ASSERT_EQ(run_sql(dir.path(), "UPDATE attachment_chunks SET bytes = bytes || x'00' WHERE id = (1 << 31) + 1"), 1);
  auto store = must_open(on_disk(dir.path()));
  EXPECT_EQ(content_of(*store, sha256(first)).error().code, ErrorCode::Corrupt);
}

TEST_F(CheckingAttachments, FindsWhatIsOnItsWayWithoutAllThatIsSaidToBeStored) {
  ASSERT_EQ(run_sql(dir.path(), "DELETE FROM attachment_chunks WHERE id = (3 << 31) + 1"), 1);
  EXPECT_THAT(look().found, Contains(HasSubstr("its chunk 1 is missing")));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
  auto store = must_open(on_disk(dir.path()));
  EXPECT_EQ((*store->attachments().receive(partial_hash, kPartial))->stored_bytes(), 0u);
  EXPECT_EQ(content_of(*store, sha256(first)), first);
}

TEST_F(CheckingAttachments, FindsANameThatIsNoHash) {
  ASSERT_EQ(run_sql(dir.path(), "UPDATE attachments SET hash = x'00' WHERE id = 2"), 1);
  EXPECT_THAT(look().found, Contains(HasSubstr("its name is no hash")));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
  ASSERT_EQ(run_sql(dir.path(), "UPDATE attachments SET hash = NULL WHERE id = 1"), 1);
  EXPECT_THAT(look().found, Contains(HasSubstr("its name is no hash")));
  EXPECT_TRUE(look(CheckMode::Repair).sound());
  EXPECT_EQ(look().attachments, 0u);
}

TEST_F(CheckingAttachments, FindsChunksOfNobodyWhichWouldBeInTheWayOfOthers) {
  ASSERT_EQ(run_sql(dir.path(), "INSERT INTO attachment_chunks VALUES((4 << 31) + 1, x'00')"), 1);
  EXPECT_THAT(look().found, Contains("1 chunks of content belong to no attachment"));
  const CheckReport report = look(CheckMode::Repair);
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.attachments, 2u);
  auto store = must_open(on_disk(dir.path()));
  const Bytes third = some_content(2 * kChunkBytes, 3);
  EXPECT_EQ(content_of(*store, must_put(*store, third).hash()), third);
}

TEST_F(CheckingAttachments, LeavesWhatAnInterruptedRemovalLeftToTheNextCollection) {
  run_sql(dir.path(),
          "UPDATE attachments SET hash = NULL, complete = 0, touched = 0 WHERE id = 1;"
          "DELETE FROM attachment_chunks WHERE id = 1 << 31");
  EXPECT_THAT(look().found, IsEmpty());
  EXPECT_EQ(look().attachments, 1u);
}

TEST_F(CheckingAttachments, LosesOnlyWhatIsOnDamagedPages) {
  ASSERT_EQ(damage_pages(dir.path(), {.tree = "attachment_chunks", .type = "overflow", .from = 3, .at_most = 2}), 2u);
  expect_only_first_is_lost("a part of it cannot be read");
}

TEST_F(CheckingAttachments, SavesWhatItCanOfTheListItself) {
  ASSERT_GT(damage_pages(dir.path(), {.tree = "sqlite_autoindex_attachments_1"}), 0u);
  EXPECT_FALSE(look().sound());
  EXPECT_EQ(look(CheckMode::Repair).attachments, 2u);
  ASSERT_GT(damage_pages(dir.path(), {.tree = "attachments"}), 0u);
  EXPECT_FALSE(look().sound());
  const CheckReport report = look(CheckMode::Repair);
  EXPECT_THAT(report.remaining, IsEmpty());
  EXPECT_THAT(report.repaired, Contains(HasSubstr(fmt::format("attachment {} was removed", to_hex(sha256(second))))));
  auto store = must_open(on_disk(dir.path()));
  EXPECT_EQ(content_of(*store, must_put(*store, first).hash()), first);
}

}  // namespace
}  // namespace fermata::store
