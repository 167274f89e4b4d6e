#include "store/attachments.hpp"
#include "store/connection.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <thread>

#include "content.hpp"

namespace fermata::store {
namespace {

using namespace std::chrono_literals;
using support::TempDir;

std::uint64_t count(Store& store, const char* sql) {
  std::uint64_t number = 0;
  EXPECT_TRUE(store.read([&](Connection& connection) -> Status {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection.handle(), sql, -1, &statement, nullptr);
    if (sqlite3_step(statement) == SQLITE_ROW) number = static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
    return {};
  }));
  return number;
}
std::uint64_t chunks(Store& store) {
  return count(store, "SELECT count(*) FROM attachment_chunks");
}
std::uint64_t rows(Store& store) {
  return count(store, "SELECT count(*) FROM attachments");
}

class AttachmentsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open() { return must_open({.directory = directory_.path(), .clock = &clock_}); }
  void bring(Store& store, Attachments::Incoming& incoming, const Bytes& content, std::size_t chunks) {
    for (std::size_t i = 0; i < chunks; ++i) {
      const ByteView rest = ByteView(content).subspan(incoming.stored_bytes());
      ASSERT_OK(incoming.append(rest.first(std::min(rest.size(), kChunkBytes))));
    }
    static_cast<void>(store);
  }

  TempDir directory_;
  FixedClock clock_;
  std::unique_ptr<Store> store_ = open();
};

TEST_F(AttachmentsTest, ContentOfAnySizeComesBackByItsHash) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kChunkBytes - 1, kChunkBytes, kChunkBytes + 1, 40 * kChunkBytes + 5}) {
    const Bytes content = some_content(size);
    const Attachment attachment = must_put(*store_, content, {{"name", "x"}});
    EXPECT_EQ(attachment.hash(), sha256(content));
    EXPECT_EQ(attachment.size_bytes(), size);
    EXPECT_EQ(attachment.metadata().at("name"), "x");
    EXPECT_EQ(content_of(*store_, attachment.hash(), size), content) << size;
  }
}

TEST_F(AttachmentsTest, OneContentIsKeptOnceAndSurvivesAnotherOpening) {
  const Bytes content = some_content(3 * kChunkBytes + 7);
  const Attachment first = must_put(*store_, content);
  EXPECT_EQ(must_put(*store_, content, {{"name", "again"}}).hash(), first.hash());
  EXPECT_EQ(chunks(*store_), 4u);
  EXPECT_EQ(rows(*store_), 1u);
  store_.reset();
  store_ = open();
  EXPECT_EQ(content_of(*store_, first.hash()), content);
}

TEST_F(AttachmentsTest, WhatIsNotHereIsNotFoundAndALieAboutTheSizeIsTold) {
  const Attachment attachment = must_put(*store_, some_content(10));
  EXPECT_EQ(content_of(*store_, ContentHash{1}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(content_of(*store_, attachment.hash(), 11).error().code, ErrorCode::InvalidArgument);
}

TEST_F(AttachmentsTest, ASourceThatFailsLeavesNothing) {
  std::size_t calls = 0;
  const auto source = [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
    if (++calls == 4) return fail(ErrorCode::Io, "the disk was pulled out");
    std::ranges::fill(into, std::uint8_t{7});
    return into.size();
  };
  EXPECT_EQ(store_->attachments().put(source, {}).error().message, "the disk was pulled out");
  EXPECT_EQ(chunks(*store_), 0u);
  EXPECT_EQ(rows(*store_), 0u);
}

TEST_F(AttachmentsTest, DocumentsAreWrittenAndReadWhileASourceIsSlow) {
  const Bytes content = some_content(2 * kChunkBytes);
  std::size_t calls = 0;
  const auto source = [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
    EXPECT_TRUE(insert(*store_, "d" + std::to_string(++calls), {{"n", 1}}));
    EXPECT_TRUE(store_->load("tasks", "d1")->alive());
    return calls < 30 ? into.size() : 0;
  };
  ASSERT_OK(store_->attachments().put(source, {}));
  EXPECT_EQ(calls, 30u);
}

TEST_F(AttachmentsTest, ReadersDoNotBlockTheWriterNorEachOther) {
  const Bytes content = some_content(5 * kChunkBytes);
  const Attachment attachment = must_put(*store_, content);
  auto transaction = store_->begin();
  ASSERT_TRUE(transaction);
  ASSERT_OK(transaction->insert("tasks", "t", {}));
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back([&] { EXPECT_EQ(content_of(*store_, attachment.hash()), content); });
  for (std::thread& reader : readers) reader.join();
  ASSERT_OK(transaction->commit());
}

TEST_F(AttachmentsTest, WhatComesInPartsIsNotSeenBeforeItIsCheckedAndGoesOnAfterARestart) {
  const Bytes content = some_content(40 * kChunkBytes + 9);
  const ContentHash hash = sha256(content);
  {
    auto incoming = store_->attachments().receive(hash, content.size());
    ASSERT_TRUE(incoming && *incoming);
    bring(*store_, **incoming, content, 30);
    EXPECT_EQ((*incoming)->settle(), false);
  }
  EXPECT_EQ(content_of(*store_, hash).error().code, ErrorCode::NotFound);
  store_.reset();
  store_ = open();
  auto incoming = store_->attachments().receive(hash, content.size());
  ASSERT_TRUE(incoming && *incoming);
  EXPECT_EQ((*incoming)->stored_bytes(), 30 * kChunkBytes);
  EXPECT_TRUE((*incoming)->is_behind());
  bring(*store_, **incoming, content, 11);
  int steps = 1;
  auto done = (*incoming)->settle();
  for (; done && !*done && steps < 10; ++steps) done = (*incoming)->settle();
  EXPECT_EQ(done, true);
  EXPECT_GT(steps, 1);  // checked in steps, so that nobody waits for a large one
  EXPECT_EQ(content_of(*store_, hash), content);
  auto again = store_->attachments().receive(hash, content.size());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, nullptr);
}

TEST_F(AttachmentsTest, AnotherContentThanAskedForIsDiscarded) {
  const Bytes content = some_content(2 * kChunkBytes);
  auto incoming = store_->attachments().receive(ContentHash{5}, content.size());
  ASSERT_TRUE(incoming && *incoming);
  bring(*store_, **incoming, content, 2);
  EXPECT_EQ((*incoming)->settle().error().code, ErrorCode::Malformed);
  EXPECT_EQ(chunks(*store_), 0u);
  EXPECT_EQ(rows(*store_), 0u);
}

TEST_F(AttachmentsTest, APartOfAnotherSizeThanItsPlaceHasIsRefused) {
  auto incoming = store_->attachments().receive(ContentHash{5}, kChunkBytes + 10);
  ASSERT_TRUE(incoming && *incoming);
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, kChunkBytes - 1, kChunkBytes + 1})
    EXPECT_EQ((*incoming)->append(Bytes(size)).error().code, ErrorCode::Malformed) << size;
  ASSERT_OK((*incoming)->append(Bytes(kChunkBytes)));
  EXPECT_EQ((*incoming)->append(Bytes(11)).error().code, ErrorCode::Malformed);
  ASSERT_OK((*incoming)->append(Bytes(10)));
  EXPECT_EQ((*incoming)->append(Bytes(1)).error().code, ErrorCode::Malformed);
}

TEST_F(AttachmentsTest, AContentThatIsPutWhileItComesIsThere) {
  const Bytes content = some_content(3 * kChunkBytes);
  auto incoming = store_->attachments().receive(sha256(content), content.size());
  ASSERT_TRUE(incoming && *incoming);
  bring(*store_, **incoming, content, 2);
  must_put(*store_, content);
  EXPECT_EQ(content_of(*store_, sha256(content)), content);
  EXPECT_EQ((*incoming)->append(ByteView(content).last(kChunkBytes)).error().code, ErrorCode::NotFound);
  EXPECT_EQ(chunks(*store_), 3u);
}

TEST_F(AttachmentsTest, WhoeverClaimsAnotherSizeBeginsAnew) {
  const Bytes content = some_content(3 * kChunkBytes);
  {
    auto wrong = store_->attachments().receive(sha256(content), content.size() + 1);
    ASSERT_TRUE(wrong && *wrong);
    bring(*store_, **wrong, content, 2);
  }
  auto incoming = store_->attachments().receive(sha256(content), content.size());
  ASSERT_TRUE(incoming && *incoming);
  EXPECT_EQ((*incoming)->stored_bytes(), 0u);
  EXPECT_EQ(chunks(*store_), 0u);
}

TEST_F(AttachmentsTest, AContentThatIsPutWhileWhatCameOfItIsCheckedIsThere) {
  const Bytes content = some_content(40 * kChunkBytes);
  {
    auto incoming = store_->attachments().receive(sha256(content), content.size());
    ASSERT_TRUE(incoming && *incoming);
    bring(*store_, **incoming, content, 40);
  }
  auto incoming = store_->attachments().receive(sha256(content), content.size());
  ASSERT_TRUE(incoming && *incoming);
  ASSERT_EQ((*incoming)->settle(), false);
  must_put(*store_, content);
  EXPECT_EQ((*incoming)->settle().error().code, ErrorCode::NotFound);
  EXPECT_EQ(content_of(*store_, sha256(content)), content);
  EXPECT_EQ(store_->attachments().receive(sha256(content), content.size()).value(), nullptr);
}

TEST_F(AttachmentsTest, WhatWasStoredAndIsDamagedComesAgainFromItsBeginning) {
  const Bytes content = some_content(4 * kChunkBytes);
  const char* const damages[] = {"DELETE FROM attachment_chunks WHERE id = (1 << 31) + 1",
                                 "UPDATE attachment_chunks SET bytes = x'00' WHERE id = (1 << 31) + 1"};
  for (const char* damage : damages) {
    {
      auto incoming = store_->attachments().receive(sha256(content), content.size());
      ASSERT_TRUE(incoming && *incoming);
      bring(*store_, **incoming, content, 3);
    }
    store_.reset();
    ASSERT_EQ(run_sql(directory_.path(), damage), 1);
    store_ = open();
    auto incoming = store_->attachments().receive(sha256(content), content.size());
    ASSERT_TRUE(incoming && *incoming);
    bring(*store_, **incoming, content, 1);
    EXPECT_EQ((*incoming)->settle().error().code, ErrorCode::NotFound);
    auto again = store_->attachments().receive(sha256(content), content.size());
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->stored_bytes(), 0u);
  }
}

TEST_F(AttachmentsTest, WhoBringsAContentThatWasRemovedDoesNotWriteIntoTheNextOne) {
  const Bytes first = some_content(3 * kChunkBytes, 1), second = some_content(2 * kChunkBytes, 2);
  auto incoming = store_->attachments().receive(sha256(first), first.size());
  ASSERT_TRUE(incoming && *incoming);
  bring(*store_, **incoming, first, 2);
  must_put(*store_, first);  // what came of it goes
  clock_.wall += 1h;
  ASSERT_EQ(store_->attachments().collect()->attachments, 1u);
  must_put(*store_, second);
  ASSERT_EQ(count(*store_, "SELECT max(id) FROM attachments"), 1u) << "it has the number of the first";
  EXPECT_EQ((*incoming)->append(ByteView(first).last(kChunkBytes)).error().code, ErrorCode::NotFound);
  EXPECT_EQ(content_of(*store_, sha256(second)), second);
}

TEST_F(AttachmentsTest, ASourceThatGivesMoreThanItWasAskedForIsRefused) {
  const auto source = [](std::span<std::uint8_t> into) -> Result<std::size_t> { return into.size() + 1; };
  EXPECT_EQ(store_->attachments().put(source, {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(rows(*store_), 0u);
}

TEST_F(AttachmentsTest, CollectsWhatNoLivingDocumentNamesAfterAGrace) {
  const Attachment kept = must_put(*store_, some_content(2 * kChunkBytes, 1));
  const Attachment nested = must_put(*store_, some_content(2 * kChunkBytes, 2));
  const Attachment deleted = must_put(*store_, some_content(2 * kChunkBytes, 3));
  const Attachment unnamed = must_put(*store_, some_content(20 * kChunkBytes, 4));
  ASSERT_OK(insert(*store_, "a", {{"file", kept}}));
  ASSERT_OK(insert(*store_, "b", {{"m", Map{{"list", Array{1, nested}}}}}));
  ASSERT_OK(insert(*store_, "c", {{"file", deleted}}));
  {
    auto transaction = store_->begin();
    ASSERT_OK(transaction->remove("tasks", "c"));
    ASSERT_OK(transaction->commit());
  }
  clock_.wall += kAttachmentGrace - 1ms;
  EXPECT_EQ(store_->attachments().collect()->attachments, 0u);
  clock_.wall += 1ms;
  const auto collected = store_->attachments().collect();
  ASSERT_TRUE(collected) << why(collected);
  EXPECT_EQ(collected->attachments, 2u);
  EXPECT_EQ(collected->bytes, 22 * kChunkBytes);
  EXPECT_TRUE(content_of(*store_, kept.hash()));
  EXPECT_TRUE(content_of(*store_, nested.hash()));
  EXPECT_FALSE(content_of(*store_, deleted.hash()));
  EXPECT_FALSE(content_of(*store_, unnamed.hash()));
  EXPECT_EQ(chunks(*store_), 4u);
}

TEST_F(AttachmentsTest, CollectsNothingThatIsBeingReadOrBrought) {
  const Attachment attachment = must_put(*store_, some_content(kChunkBytes));
  auto incoming = store_->attachments().receive(ContentHash{5}, 2 * kChunkBytes);
  ASSERT_TRUE(incoming && *incoming);
  ASSERT_OK((*incoming)->append(Bytes(kChunkBytes)));
  auto found = store_->attachments().find_complete(attachment.hash(), std::nullopt);
  ASSERT_TRUE(found);
  clock_.wall += 1h;
  EXPECT_EQ(store_->attachments().collect()->attachments, 0u);
  incoming->reset();
  found->second.reset();
  EXPECT_EQ(store_->attachments().collect()->attachments, 2u);
}

TEST_F(AttachmentsTest, WhatIsPutAgainHasItsGraceAgain) {
  const Bytes content = some_content(kChunkBytes);
  must_put(*store_, content);
  clock_.wall += 1h;
  const Attachment attachment = must_put(*store_, content);
  EXPECT_EQ(store_->attachments().collect()->attachments, 0u);
  EXPECT_TRUE(content_of(*store_, attachment.hash()));
}

TEST(AttachmentsOnAFullDisk, AreToldOfAndLeaveTheRestToWork) {
  support::MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "a", {}));
  disk.limit_free_space(3u << 20);
  const Bytes content = some_content(100 * kChunkBytes);
  EXPECT_EQ(store->attachments().put(source_of(content), {}).error().code, ErrorCode::NoSpace);
  EXPECT_EQ(content_of(*store, sha256(content)).error().code, ErrorCode::NotFound);
  disk.unlimited_space();
  EXPECT_EQ(content_of(*store, must_put(*store, content).hash()), content);
}

TEST(AttachmentsAfterAPowerCut, AreWholeOrNotThere) {
  const Bytes content = some_content(40 * kChunkBytes + 1);
  int whole = 0, cut = 0;
  for (std::uint64_t writes = 1; writes < 2000; writes += 97) {
    support::MemoryDisk disk;
    auto store = must_open(in_memory(disk));
    disk.lose_power_at_write(writes);
    const auto put = store->attachments().put(source_of(content), {});
    ++(put ? whole : cut);
    disk.crash();
    store.reset();
    store = must_open(in_memory(disk));
    const auto found = content_of(*store, sha256(content));
    EXPECT_TRUE(found ? *found == content : found.error().code == ErrorCode::NotFound) << why(found);
    EXPECT_EQ(content_of(*store, must_put(*store, content).hash()), content);
  }
  EXPECT_GT(whole, 0);
  EXPECT_GT(cut, 0);
}

}  // namespace
}  // namespace fermata::store
