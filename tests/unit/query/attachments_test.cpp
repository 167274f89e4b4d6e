// Attachments through the public interface.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <fermata/database.hpp>

#include <atomic>
#include <fstream>
#include <thread>

#include "query/database_impl.hpp"
#include "support/temp_dir.hpp"

namespace fermata {
namespace {

class DatabaseAttachments : public ::testing::Test {
 protected:
  support::TempDir directory_;
  std::unique_ptr<Database> database_ =
      Database::open({.directory = directory_.file("db"), .must_exist = false, .executor = {}}).value();
};

// So many bytes, each of its place.
Database::AttachmentSource bytes_of(std::size_t size) {
  return [size, at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(into.size(), size - at);
    for (std::size_t i = 0; i < count; ++i, ++at) into[i] = static_cast<std::uint8_t>(at * 31 + (at >> 16U));
    return count;
  };
}

TEST_F(DatabaseAttachments, AFileComesBackFromTheDocumentThatNamesIt) {
  const std::string path = directory_.file("in");
  std::ofstream(path) << std::string(100'000, 'x') << "end";
  const auto put = database_->put_attachment_file(path, {{"name", "in"}});
  ASSERT_TRUE(put) << put.error().message;
  ASSERT_TRUE(database_->execute("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"file", *put}}}}));
  const auto found = database_->execute("SELECT * FROM c");
  const auto* attachment = found->items.at(0).at("file").if_a<Attachment>();
  ASSERT_NE(attachment, nullptr);
  EXPECT_EQ(attachment->metadata().at("name"), "in");
  auto reader = database_->open_attachment(*attachment);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->size_bytes(), 100'003u);
  reader->seek(99'999);
  Bytes end(100);
  EXPECT_EQ(reader->read(end), std::size_t{4});
  EXPECT_EQ(std::string(end.begin(), end.begin() + 4), "xend");
  EXPECT_EQ(reader->read(end), std::size_t{0});
}

TEST_F(DatabaseAttachments, WhatCannotBePutOrFoundIsToldWithItsName) {
  const auto missing = database_->put_attachment_file(directory_.file("nothing"));
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_NE(missing.error().message.find("nothing"), std::string::npos);
  EXPECT_EQ(database_->put_attachment_file(directory_.path()).error().code, ErrorCode::Io);
  EXPECT_EQ(database_->put_attachment(bytes_of(1), {{"n", std::string(5000, 'x')}}).error().code,
            ErrorCode::LimitExceeded);
  EXPECT_EQ(database_->open_attachment(ContentHash{}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(database_->collect_attachments()->attachments, 0u);
}

TEST_F(DatabaseAttachments, ALargeOneGoesInAndOutThroughLittleMemory) {
  constexpr std::size_t kSize = 40u << 20;
  sqlite3_memory_highwater(1);
  const auto before = sqlite3_memory_used();
  const auto put = database_->put_attachment(bytes_of(kSize));
  ASSERT_TRUE(put) << put.error().message;
  auto reader = database_->open_attachment(*put);
  ASSERT_TRUE(reader) << reader.error().message;
  Bytes buffer(1u << 16), expected(1u << 16);
  const auto source = bytes_of(kSize);
  auto again = source;
  std::size_t total = 0;
  for (;;) {
    const auto count = reader->read(buffer);
    ASSERT_TRUE(count) << count.error().message;
    ASSERT_EQ(again(expected), *count);
    if (*count == 0) break;
    ASSERT_TRUE(std::equal(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*count), expected.begin()));
    total += *count;
  }
  EXPECT_EQ(total, kSize);
  EXPECT_LT(sqlite3_memory_highwater(0) - before, 12 << 20);  // the caches of the writer and of one reader
}

// Moved by the test while another thread looks at it.
class MovableClock final : public Clock {
 public:
  Instant now() override { return system_clock().now(); }
  WallTime wall_now() override { return WallTime(std::chrono::milliseconds(ms)); }
  std::atomic<std::int64_t> ms{1'700'000'000'000};
};

class DatabaseCollecting : public ::testing::Test {
 protected:
  std::unique_ptr<Database> open() {
    return open_database({.directory = directory_.file("db"), .clock = &clock_}, {}).value();
  }
  Attachment put(std::size_t size) { return database_->put_attachment(bytes_of(size)).value(); }
  // Asked of the store, since a reader of the content would keep it.
  [[nodiscard]] bool is_here(const Attachment& attachment) const {
    bool is_here = false;
    const auto read = store_of(*database_).read([&](store::Connection& connection) -> Status {
      auto row = connection.prepare("SELECT 1 FROM attachments WHERE hash = ? AND complete = 1");
      if (!row) return fail(row.error());
      const ContentHash& hash = attachment.hash();
      const auto found = row->bind_blob(1, {hash.data(), hash.size()}).step();
      if (!found) return fail(found.error());
      is_here = *found;
      return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    return is_here;
  }
  [[nodiscard]] bool is_gone_soon(const Attachment& attachment) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (is_here(attachment) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return !is_here(attachment);
  }

  support::TempDir directory_;
  MovableClock clock_;
  std::unique_ptr<Database> database_ = open();
};

TEST_F(DatabaseCollecting, RemovesByItselfWhatNoDocumentNamesAnyMore) {
  const Attachment kept = put(10), deleted = put(200'000), never_named = put(3);
  ASSERT_TRUE(database_->execute("INSERT INTO c DOCUMENTS (:a), (:b)", {{"a", Map{{"_id", "a"}, {"file", kept}}},
                                                                        {"b", Map{{"_id", "b"}, {"file", deleted}}}}));
  ASSERT_TRUE(database_->execute("DELETE FROM c WHERE _id = 'b'"));
  clock_.ms += std::chrono::milliseconds(std::chrono::minutes(10)).count();
  const Attachment young = put(4);
  EXPECT_TRUE(is_gone_soon(deleted));
  EXPECT_TRUE(is_gone_soon(never_named));
  EXPECT_TRUE(is_here(kept));
  EXPECT_TRUE(is_here(young));
}

TEST_F(DatabaseCollecting, GoesOnWithItWhenItIsOpenedAgain) {
  const Attachment attachment = put(10);
  database_.reset();
  clock_.ms += std::chrono::milliseconds(std::chrono::hours(1)).count();
  database_ = open();
  EXPECT_TRUE(is_gone_soon(attachment));
}

TEST_F(DatabaseCollecting, GoesOnWithItAfterAQuiesceOnceItIsUsed) {
  const Attachment attachment = put(10);
  ASSERT_TRUE(database_->quiesce(std::chrono::seconds(10)));
  clock_.ms += std::chrono::milliseconds(std::chrono::hours(1)).count();
  EXPECT_TRUE(is_gone_soon(attachment));
}

}  // namespace
}  // namespace fermata
