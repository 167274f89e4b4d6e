// Each write, sync, open and allocation that SQLite makes during a script fails once, one after the other: the call
// says so or succeeds, and afterwards everything acknowledged is there.
#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>

#include "content.hpp"
#include "store/app_indexes.hpp"
#include "store/check.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;

// --- SQLite's memory: its own functions, of which one call can be made to fail ---

std::atomic<std::uint64_t> allocations{0}, failing_allocation{0};  // numbers of calls, from 1; 0: none
sqlite3_mem_methods plain_memory{};

bool fails_now() {
  return ++allocations == failing_allocation;
}
void* allocate(int size) {
  return fails_now() ? nullptr : plain_memory.xMalloc(size);
}
void* reallocate(void* old, int size) {
  return fails_now() ? nullptr : plain_memory.xRealloc(old, size);
}

// Before anything else uses SQLite, which takes this only then.
[[maybe_unused]] const bool memory_can_fail = [] {
  bool done = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory) == SQLITE_OK;
  sqlite3_mem_methods failing = plain_memory;
  failing.xMalloc = allocate;
  failing.xRealloc = reallocate;
  return done && sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK;
}();

// --- the script ---

struct Outcome {
  std::vector<std::uint64_t> acknowledged;
  std::uint64_t errors = 0;
};

class Script {
 public:
  explicit Script(MemoryDisk& disk) : disk_(disk) {}

  Outcome run() {
    for (int round = 0; round < 2; ++round) {
      StoreOptions options = in_memory(disk_);
      options.clock = &clock_;
      auto opened = Store::open(std::move(options));
      if (!note(opened)) continue;
      store_ = *std::move(opened);
      use();
      store_.reset();
    }
    return outcome_;
  }

 private:
  template <class T>
  bool note(const Result<T>& result) {
    if (result) return true;
    ++outcome_.errors;
    // What failed is the machine, and the database must not be blamed for it.
    EXPECT_NE(result.error().code, ErrorCode::Corrupt) << result.error().message;
    EXPECT_NE(result.error().code, ErrorCode::Malformed) << result.error().message;
    EXPECT_NE(result.error().code, ErrorCode::VersionMismatch) << result.error().message;
    return false;
  }

  void commit() {
    const std::uint64_t number = ++next_;
    const std::string text(number % 3 == 0 ? 9000 : 300, 'x');
    const auto done = insert(*store_, fmt::format("d{}", number), {{"text", text}});
    if (note(done)) outcome_.acknowledged.push_back(number);
  }

  void index() {
    const auto done = change(*store_, [](Transaction& t) {
      return t
          .create_index({.kind = IndexKind::Ordered, .name = "lengths", .collection = "tasks", .fields = {{{"text"}}}})
          .and_then([&] {
            return t.create_index(
                {.kind = IndexKind::FullText, .name = "texts", .collection = "tasks", .fields = {{{"text"}}}});
          });
    });
    if (!done && done.error().code == ErrorCode::AlreadyExists) return;  // the second round
    note(done);
  }

  // More than one chunk, named by a document, and collected once it is not.
  void put() {
    const Bytes content = some_content(kChunkBytes + 5, static_cast<std::uint8_t>(++put_));
    const auto attachment = store_->attachments().put(source_of(content), {});
    const std::string id = fmt::format("file{}", put_);
    if (note(attachment) && note(insert(*store_, id, {{"file", *attachment}}))) {
      const auto found = content_of(*store_, attachment->hash());
      if (note(found)) {
        EXPECT_EQ(*found, content);
      }
      note(change(*store_, [&](Transaction& t) { return t.remove("tasks", id); }));
    }
    clock_.wall += kAttachmentGrace;
    note(store_->attachments().collect());
  }

  void read() {
    for (const std::uint64_t number : outcome_.acknowledged) {
      const auto found = store_->load("tasks", fmt::format("d{}", number));
      if (note(found)) {
        EXPECT_TRUE(found->exists()) << number;
      }
    }
    const auto log = store_->changes_since(0, 1000, std::size_t{1} << 30);
    if (note(log)) {
      EXPECT_GE(log->documents.size(), outcome_.acknowledged.size());
    }
    note(store_->collections());
  }

  void use() {
    commit();
    commit();
    read();
    note(store_->source_number("remote"));
    note(store_->checkpoint());
    commit();
    note(store_->remember("fact", "text"));
    index();
    put();
    note(store_->backup(fmt::format("/backup{}", next_)));
    note(store_->compact());
    commit();
    note(store_->quiesce(std::chrono::seconds(5)));
    read();
    commit();
  }

  MemoryDisk& disk_;
  FixedClock clock_;
  std::unique_ptr<Store> store_;
  Outcome outcome_;
  std::uint64_t next_ = 0, put_ = 0;
};

void expect_all(MemoryDisk& disk, const Outcome& outcome) {
  auto store = must_open(in_memory(disk));
  ASSERT_NE(store, nullptr);
  for (const std::uint64_t number : outcome.acknowledged) {
    EXPECT_TRUE(store->load("tasks", fmt::format("d{}", number))->exists()) << number;
  }
  expect_agreement(*store, "tasks");
  ASSERT_OK(insert(*store, "after", {{"n", 1}}));
  store.reset();
  const auto report = check({.directory = "/peer", .vfs = disk.vfs()});
  ASSERT_OK(report);
  EXPECT_TRUE(report->found.empty()) << report->found.front();
}

constexpr std::uint64_t kEachOne = 1u << 30;

// `arm` makes the n-th of something fail, `passed` says whether it was not reached. The first ones are all tried, then
// fewer and fewer, the sooner the smaller `slowdown` is; all of them if FERMATA_EVERY_MOMENT is set. Result: how many.
template <class Arm, class Passed>
std::uint64_t fail_each(const char* what, Arm arm, Passed passed, std::uint64_t slowdown) {
  std::uint64_t tried = 0, errors = 0, last = 0;
  if (std::getenv("FERMATA_EVERY_MOMENT") != nullptr) slowdown = kEachOne;
  for (std::uint64_t n = 1;; n += 1 + n / slowdown, ++tried) {
    last = n;
    SCOPED_TRACE(fmt::format("{} number {} fails", what, n));
    MemoryDisk disk;
    arm(disk, n);
    const Outcome outcome = Script(disk).run();
    const bool survived = passed(disk, n);
    failing_allocation = 0;
    disk.no_more_faults();
    errors += outcome.errors;
    expect_all(disk, outcome);
    if (tried % 500 == 499) fmt::print(stderr, "{} number {} has failed\n", what, n);
    if (survived || testing::Test::HasFailure()) break;
  }
  fmt::print("{} of at most {} failed in {} runs, which gave {} errors\n", what, last, tried, errors);
  EXPECT_GT(errors, 0u) << "nothing ever failed";
  return tried;
}

TEST(Fault, OfAnyWriteIsAnErrorOrNothingAndLosesNothing) {
  EXPECT_GT(fail_each(
                "write", [](MemoryDisk& disk, std::uint64_t n) { disk.fail_write(n); },
                [](MemoryDisk& disk, std::uint64_t n) { return disk.stats().writes < n; }, 20),
            50u);
}

TEST(Fault, OfAnySyncIsAnErrorOrNothingAndLosesNothing) {
  EXPECT_GT(fail_each(
                "sync", [](MemoryDisk& disk, std::uint64_t n) { disk.fail_sync(n); },
                [](MemoryDisk& disk, std::uint64_t n) { return disk.stats().syncs < n; }, kEachOne),
            15u);
}

TEST(Fault, OfAnyOpeningOfAFileIsAnErrorOrNothingAndLosesNothing) {
  EXPECT_GT(fail_each(
                "opening", [](MemoryDisk& disk, std::uint64_t n) { disk.fail_open(n); },
                [](MemoryDisk& disk, std::uint64_t n) { return disk.stats().opens < n; }, kEachOne),
            15u);
}

TEST(Fault, OfAnyAllocationIsAnErrorOrNothingAndLosesNothing) {
  ASSERT_TRUE(memory_can_fail);
  EXPECT_GT(fail_each(
                "allocation",
                [](MemoryDisk&, std::uint64_t n) {
                  allocations = 0;
                  failing_allocation = n;
                },
                [](MemoryDisk&, std::uint64_t n) { return allocations < n; }, 20),
            100u);
}

}  // namespace
}  // namespace fermata::store
