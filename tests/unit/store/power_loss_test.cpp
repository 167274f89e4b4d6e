// Power that goes at every moment of a script of commits, checkpoints, compactions, backups, attachments, indexes,
// closings and migrations.
// What was on its way to the disk then arrives in part: any of the writes, and of those any of their sectors.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "content.hpp"
#include "store/app_indexes.hpp"
#include "store/check.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;

constexpr std::uint64_t kKept = 5;  // so many of the latest documents live

// c commit, k checkpoint, v compact, b backup, q quiesce, p purge, r remember a fact; i the app's indexes, a put an
// attachment, g collect those that no document names
constexpr std::string_view kScript = "ccicarckcccbcacvccgcqccpcckcavbcgrqcccac";

std::uint64_t test_seed() {
  const char* given = std::getenv("FERMATA_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// Between two moments that are tried. Others each time; all of them if FERMATA_EVERY_MOMENT is set.
std::uint64_t stride() {
  return std::getenv("FERMATA_EVERY_MOMENT") != nullptr ? 1 : 3;
}

std::string id_of(std::uint64_t number) {
  return fmt::format("d{:04}", number);
}

// Some of them longer than a page.
Map content(std::uint64_t number) {
  const std::size_t size = number % 4 == 0 ? 9000 : 300;
  const std::string word = fmt::format("word{} ", number);
  return {{"n", static_cast<std::int64_t>(number)},
          {"text", word + std::string(size, static_cast<char>('a' + number % 26))}};
}

// More than one chunk, the first time.
Bytes bytes_of(std::uint64_t attachment) {
  return some_content(attachment == 1 ? kChunkBytes + 5 : 100, static_cast<std::uint8_t>(attachment));
}

const std::vector<Index>& app_indexes() {
  static const std::vector<Index> indexes = {
      {.kind = IndexKind::Ordered, .name = "by_n", .collection = "tasks", .fields = {{{"n"}}}},
      {.kind = IndexKind::FullText, .name = "texts", .collection = "tasks", .fields = {{{"text"}}}}};
  return indexes;
}

StoreOptions options_of(MemoryDisk& disk, Durability level, const std::string& directory = "/peer") {
  StoreOptions options = in_memory(disk);
  options.directory = directory;
  options.durability = level;
  return options;
}

// What a script has done until the power went.
struct Outcome {
  std::uint64_t attempted = 0, acknowledged = 0;
  std::uint64_t durable = 0;  // of those acknowledged, what must be there at either level
  std::uint64_t put = 0;      // attachments, of those acknowledged; each is named by the next commit
  bool indexed = false;       // was acknowledged
  std::vector<std::pair<std::string, std::uint64_t>> backups;
};

class Script {
 public:
  Script(MemoryDisk& disk, Durability level) : disk_(disk), level_(level) {}

  Outcome run() {
    StoreOptions options = options_of(disk_, level_);
    options.clock = &clock_;
    auto opened = Store::open(std::move(options));
    if (!opened) return outcome_;
    store_ = *std::move(opened);
    for (const char step : kScript) {
      if (!take(step)) break;
    }
    return outcome_;
  }

 private:
  bool take(char step) {
    switch (step) {
      case 'c':
        return commit();
      case 'k':
        return durable_if(store_->checkpoint());
      case 'v':
        return durable_if(store_->compact());
      case 'b':
        return backup();
      case 'q':
        return durable_if(clean_ = store_->quiesce(std::chrono::seconds(5)).has_value());
      case 'i':
        return index();
      case 'a':
        return put();
      case 'g':
        return store_->attachments().collect().has_value();
      case 'p':
        return store_->purge(WallTime::max(), 100).has_value();
      default:
        return store_->remember("fact", fmt::format("{}", outcome_.acknowledged)).has_value();
    }
  }

  // A document more, the one before the last kKept dead, and the count: all or nothing.
  bool commit() {
    const std::uint64_t number = ++outcome_.attempted;
    const auto done = change(*store_, [&](Transaction& t) {
      Status made = t.insert("tasks", id_of(number), content(number));
      if (made && number > kKept) made = t.remove("tasks", id_of(number - kKept));
      const Value count = static_cast<std::int64_t>(number);
      if (!made) return made;
      made = number == 1 ? t.insert("tasks", "count", {{"n", count}}) : t.set("tasks", "count", {"n"}, count);
      // The one that it named before is named no more.
      return made && latest_ ? t.set("tasks", "count", {"file"}, *latest_) : made;
    });
    if (!done) return false;
    outcome_.acknowledged = number;
    if (std::exchange(clean_, false)) outcome_.durable = number;  // the first one after a clean close
    return true;
  }

  bool index() {
    const auto done = change(*store_, [](Transaction& t) {
      return t.create_index(app_indexes()[0]).and_then([&] { return t.create_index(app_indexes()[1]); });
    });
    outcome_.indexed = done.has_value();
    return outcome_.indexed;
  }

  bool put() {
    const Bytes content = bytes_of(outcome_.put + 1);
    auto attachment = store_->attachments().put(source_of(content), {});
    if (!attachment) return false;
    latest_ = *std::move(attachment);
    ++outcome_.put;
    clock_.wall += kAttachmentGrace / 2;  // so that a collection has something to remove
    return true;
  }

  bool durable_if(bool done) {
    if (done) outcome_.durable = outcome_.acknowledged;
    return done;
  }
  bool durable_if(const Status& done) { return durable_if(done.has_value()); }

  bool backup() {
    const std::string name = fmt::format("/backup{}", outcome_.backups.size());
    const Status done = store_->backup(name);
    if (done) outcome_.backups.emplace_back(name, outcome_.acknowledged);
    return done.has_value();
  }

  MemoryDisk& disk_;
  Durability level_;
  FixedClock clock_;
  std::unique_ptr<Store> store_;
  Outcome outcome_;
  std::optional<Attachment> latest_;
  bool clean_ = true;
};

// That an attachment which a document names is there whole: it was put before, in an order that every disk keeps.
void expect_named_is_here(Store& store, const Map& count) {
  if (!count.contains("file")) return;
  const Attachment& file = *count.at("file").if_a<Attachment>();
  const auto found = content_of(store, file.hash(), file.size_bytes());
  ASSERT_OK(found);
  EXPECT_EQ(sha256(*found), file.hash());
}

// That the app's indexes, if they are there, find each document.
void expect_indexes(Store& store, std::uint64_t commits) {
  Status read = store.read([&](Connection& connection) -> Status {
    const auto indexes = load_indexes(connection);
    if (!indexes || indexes->empty()) return indexes ? Status() : fail(indexes.error());
    EXPECT_EQ(indexes->size(), app_indexes().size());
    const auto sql =
        fmt::format("SELECT count(*) FROM {0} WHERE {0} MATCH 'word{1}'", table_of((*indexes)[1]), commits);
    const auto found = connection.ask(sql);
    if (!found) return fail(found.error());
    EXPECT_EQ(*found, commits == 0 ? "0" : "1");
    return {};
  });
  EXPECT_TRUE(read) << why(read);
}

// That the store holds the documents of some number of commits, and nothing else. Result: how many commits.
std::uint64_t commits_in(Store& store) {
  const auto count = view(store, "count");
  const std::uint64_t commits = count.empty() ? 0 : static_cast<std::uint64_t>(*count.at("n").if_a<std::int64_t>());
  expect_named_is_here(store, count);
  expect_indexes(store, commits);
  std::uint64_t living = commits == 0 ? 0 : 1;
  for (std::uint64_t number = commits > kKept ? commits - kKept + 1 : 1; number <= commits; ++number, ++living) {
    EXPECT_EQ(view(store, id_of(number)), content(number));
  }
  EXPECT_EQ(store.digest("tasks")->digest.count, living);
  expect_agreement(store, "tasks");
  return commits;
}

void expect_sound(MemoryDisk& disk, const std::string& directory) {
  const auto report = check({.directory = directory, .vfs = disk.vfs()});
  ASSERT_OK(report);
  EXPECT_TRUE(report->found.empty()) << report->found.front();
}

// What else was acknowledged.
void expect_durable(Store& store, const Outcome& outcome) {
  if (outcome.put > 0) {
    const Bytes latest = bytes_of(outcome.put);
    EXPECT_EQ(content_of(store, sha256(latest)), latest);
  }
  if (outcome.indexed) {
    std::uint64_t indexes = 0;
    EXPECT_TRUE(store.read([&](Connection& connection) -> Status {
      indexes = load_indexes(connection).value().size();
      return {};
    }));
    EXPECT_EQ(indexes, app_indexes().size());
  }
}

void expect_kept(MemoryDisk& disk, Durability level, const Outcome& outcome) {
  auto store = must_open(options_of(disk, level));
  ASSERT_NE(store, nullptr);
  const std::uint64_t commits = commits_in(*store);
  EXPECT_LE(commits, outcome.attempted);
  EXPECT_GE(commits, level == Durability::Full ? outcome.acknowledged : outcome.durable);
  if (level == Durability::Full) expect_durable(*store, outcome);
  ASSERT_OK(insert(*store, "after", {{"n", 1}}, "notes"));
  store.reset();
  expect_sound(disk, "/peer");
  for (const auto& [directory, held] : outcome.backups) {
    SCOPED_TRACE(directory);
    auto copy = must_open(options_of(disk, level, directory));
    ASSERT_NE(copy, nullptr);
    EXPECT_EQ(commits_in(*copy), held);
  }
}

// Result: how many moments were tried.
std::uint64_t lose_power_everywhere(Durability level, std::uint64_t seed) {
  std::uint64_t tried = 1;
  for (std::uint64_t moment = 1 + seed % stride();; moment += stride(), ++tried) {
    SCOPED_TRACE(fmt::format("power lost at operation {}; reproduce with FERMATA_SEED={}", moment, seed));
    SeededRandom random(seed + moment);
    MemoryDisk disk;
    disk.lose_power_at_operation(moment);
    const Outcome outcome = Script(disk, level).run();
    const bool survived = disk.powered();
    disk.crash_torn(random);
    expect_kept(disk, level, outcome);
    if (survived || testing::Test::HasFailure()) return tried;
  }
}

TEST(PowerLossAtAnyMoment, LeavesEveryCommitAtLevelFull) {
  const std::uint64_t moments = lose_power_everywhere(Durability::Full, test_seed());
  fmt::print("power was lost at {} moments\n", moments);
  EXPECT_GT(moments, 200u);
}

TEST(PowerLossAtAnyMoment, LeavesCommitsUpToSomePointAtLevelNormal) {
  const std::uint64_t moments = lose_power_everywhere(Durability::Normal, test_seed());
  fmt::print("power was lost at {} moments\n", moments);
  EXPECT_GT(moments, 200u);
}

std::string old_fixture(int format) {
  std::ifstream file(fmt::format("{}/format{}.db", FERMATA_STORE_FIXTURES, format), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PowerLossAtAnyMoment, OfAMigrationLeavesTheOldDatabaseOrTheNew) {
  const std::uint64_t seed = test_seed();
  std::uint64_t moments = 0;
  for (const int format : {1, 2}) {
    for (std::uint64_t moment = 1, survived = 0; survived == 0; ++moment, ++moments) {
      SCOPED_TRACE(fmt::format("format {}, operation {}; reproduce with FERMATA_SEED={}", format, moment, seed));
      SeededRandom random(seed + moment);
      MemoryDisk disk;
      disk.put_file("/peer/fermata.db", old_fixture(format));
      disk.lose_power_at_operation(moment);
      static_cast<void>(Store::open(options_of(disk, Durability::Normal)));
      survived = disk.powered() ? 1 : 0;
      disk.crash_torn(random);
      auto store = must_open(options_of(disk, Durability::Normal));
      ASSERT_NE(store, nullptr);
      EXPECT_EQ(store->last_local_seq(), 16u);
      EXPECT_EQ(store->digest("tasks")->digest.count, 5u);
      expect_agreement(*store, "tasks");
      expect_agreement(*store, "notes");
      store.reset();
      expect_sound(disk, "/peer");
    }
  }
  fmt::print("power was lost at {} moments\n", moments);
  EXPECT_GT(moments, 60u);
}

}  // namespace
}  // namespace fermata::store
