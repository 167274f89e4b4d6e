// A damaged file: what is read from it is right, or an error.
#include <fmt/format.h>

#include <fstream>

#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;
using support::TempDir;

constexpr std::size_t kPageBytes = 4096;
constexpr int kDocuments = 60;

std::string id_of(int number) {
  return "d" + std::to_string(100 + number);
}

// Every tenth document is longer than a page, so that the file has overflow pages too.
Map document(int number) {
  return {{"n", number}, {"text", std::string(number % 10 == 0 ? 9000u : 200u, static_cast<char>('a' + number % 26))}};
}

// A cleanly closed database, as its one file.
const std::string& sound_file() {
  static const std::string content = [] {
    TempDir dir;
    auto store = must_open(on_disk(dir.path()));
    for (int i = 0; i < kDocuments; ++i) EXPECT_TRUE(insert(*store, id_of(i), document(i)));
    store.reset();
    std::ifstream file(dir.file("fermata.db"), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  return content;
}

StoreOptions existing(MemoryDisk& disk) {
  auto options = in_memory(disk);
  options.must_exist = true;
  return options;
}

void expect_corrupt(const Error& error) {
  EXPECT_EQ(error.code, ErrorCode::Corrupt) << error.message;
  EXPECT_NE(error.message.find("restore a copy"), std::string::npos) << error.message;
}

// Reads everything in every way. Result: whether any read was an error, which must be Corrupt.
bool read_all(Store& store) {
  bool failed = false;
  const auto note = [&](const auto& result) {
    if (!result) expect_corrupt(result.error());
    failed = failed || !result;
    return result.has_value();
  };
  for (int i = 0; i < kDocuments; ++i) {
    const auto found = store.load("tasks", id_of(i));
    if (note(found)) {
      EXPECT_EQ(found->view(), document(i)) << id_of(i);
    }
  }
  const auto log = store.changes_since(0, 1'000'000, std::size_t{1} << 30);
  if (note(log)) {
    EXPECT_EQ(log->documents.size(), std::size_t{kDocuments});
    for (const auto& each : log->documents) {
      EXPECT_EQ(each.document.view(), document(std::stoi(each.id.substr(1)) - 100));
    }
  }
  int seen = 0;
  const auto living = store.for_each_living("tasks", [&](const LivingDocument& each) {
    ++seen;
    EXPECT_EQ(each.view, document(std::stoi(std::string(each.id.substr(1))) - 100));
  });
  if (note(living)) {
    EXPECT_EQ(seen, kDocuments);
  }
  const auto digest = store.digest("tasks");
  if (note(digest)) {
    EXPECT_EQ(digest->digest.count, std::uint64_t{kDocuments});
  }
  return failed;
}

// SQLite's own look at every page in use, through our checksums.
bool integrity_check_passes(Store& store) {
  bool passed = false;
  static_cast<void>(store.read([&](sqlite3* connection) -> Status {
    sqlite3_stmt* check = nullptr;
    sqlite3_prepare_v2(connection, "PRAGMA integrity_check(1)", -1, &check, nullptr);
    if (sqlite3_step(check) == SQLITE_ROW) {
      passed = std::string(reinterpret_cast<const char*>(sqlite3_column_text(check, 0))) == "ok";
    }
    sqlite3_finalize(check);
    return {};
  }));
  return passed;
}

// Whether the damage was noticed by opening or by reading everything, or else by a look at every page.
bool notices(const std::string& content) {
  MemoryDisk disk;
  disk.put_file("/peer/fermata.db", content);
  auto store = Store::open(existing(disk));
  if (!store) {
    expect_corrupt(store.error());
    return true;
  }
  return read_all(**store) || !integrity_check_passes(**store);
}

TEST(Damage, TheSoundFileReadsWhole) {
  ASSERT_GT(sound_file().size(), 10 * kPageBytes);
  EXPECT_FALSE(notices(sound_file()));
}

TEST(Damage, OfOneByteAnywhereIsNoticedAndNeverReadAsData) {
  const std::size_t pages = sound_file().size() / kPageBytes;
  for (std::size_t page = 0; page < pages; ++page) {
    for (const std::size_t offset : {0u, 20u, 60u, 100u, 2000u, 3900u, 4087u, 4088u, 4095u}) {
      SCOPED_TRACE(fmt::format("byte {} of page {}", offset, page + 1));
      std::string content = sound_file();
      char& byte = content[page * kPageBytes + offset];
      byte = static_cast<char>(byte ^ (1 << (page % 8)));
      EXPECT_TRUE(notices(content));
    }
  }
}

TEST(Damage, OfEachByteOfTheHeaderIsNoticedWhenOpening) {
  for (std::size_t offset = 0; offset < 100; ++offset) {
    SCOPED_TRACE(fmt::format("byte {} of the header", offset));
    std::string content = sound_file();
    content[offset] = static_cast<char>(content[offset] ^ 0x08);
    MemoryDisk disk;
    disk.put_file("/peer/fermata.db", content);
    const auto store = Store::open(existing(disk));
    ASSERT_FALSE(store);
    expect_corrupt(store.error());
  }
}

TEST(Damage, OfAFileThatLostItsEndIsNoticed) {
  const std::size_t whole = sound_file().size();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{50}, std::size_t{100}, std::size_t{2000}, kPageBytes - 1,
        kPageBytes, kPageBytes + 1, whole / 2, whole - kPageBytes, whole - 8, whole - 1}) {
    SCOPED_TRACE(fmt::format("{} of {} bytes", size, whole));
    EXPECT_TRUE(notices(sound_file().substr(0, size)));
  }
}

TEST(Damage, OfTwoPagesThatChangedPlacesIsNoticed) {
  const std::size_t pages = sound_file().size() / kPageBytes;
  for (std::size_t page = 1; page + 1 < pages; ++page) {
    SCOPED_TRACE(fmt::format("pages {} and {}", page + 1, page + 2));
    std::string content = sound_file();
    std::swap_ranges(content.begin() + static_cast<std::ptrdiff_t>(page * kPageBytes),
                     content.begin() + static_cast<std::ptrdiff_t>((page + 1) * kPageBytes),
                     content.begin() + static_cast<std::ptrdiff_t>((page + 1) * kPageBytes));
    EXPECT_TRUE(notices(content));
  }
}

TEST(Damage, OfAPageThatWasZeroedIsNoticed) {
  const std::size_t pages = sound_file().size() / kPageBytes;
  for (std::size_t page = 0; page < pages; ++page) {
    SCOPED_TRACE(fmt::format("page {}", page + 1));
    std::string content = sound_file();
    std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(page * kPageBytes), kPageBytes, '\0');
    EXPECT_TRUE(notices(content));
  }
}

TEST(Damage, BehindAnUncheckpointedLogIsNoticedToo) {
  for (const std::size_t keep : {std::size_t{2}, std::size_t{5}}) {
    SCOPED_TRACE(fmt::format("{} pages left", keep));
    TempDir dir;
    std::ofstream(dir.file("fermata.db"), std::ios::binary) << sound_file();
    auto store = must_open(on_disk(dir.path()));
    ASSERT_OK(set(*store, id_of(kDocuments - 1), "n", kDocuments - 1));
    TempDir copy;  // as the process would leave it if it were killed now
    std::filesystem::copy(dir.path(), copy.path(), std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(copy.file("fermata.db"), keep * kPageBytes);
    auto options = on_disk(copy.path());
    options.must_exist = true;
    auto damaged = Store::open(options);
    if (damaged) {
      EXPECT_TRUE(read_all(**damaged));
    } else {
      expect_corrupt(damaged.error());
    }
  }
}

TEST(Damage, WhereTheWriterReadsIsAnErrorAndNothingIsWrittenOverIt) {
  std::string content = sound_file();
  for (std::size_t at = kPageBytes + 200; at < content.size(); at += kPageBytes) {
    content[at] = static_cast<char>(content[at] ^ 1);
  }
  MemoryDisk disk;
  disk.put_file("/peer/fermata.db", content);
  auto store = Store::open(existing(disk));
  if (store) {
    const auto written = set(**store, id_of(3), "n", 4);
    ASSERT_FALSE(written);
    expect_corrupt(written.error());
  } else {
    expect_corrupt(store.error());
  }
}

}  // namespace
}  // namespace fermata::store
