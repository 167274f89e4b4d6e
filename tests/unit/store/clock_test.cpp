// Wrong clocks and several lives (DESIGN §3): a device a year ahead harms the fields it touches and nothing else, a
// clock that falls back loses no edit, and a copy counts as somebody else.
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using namespace std::chrono_literals;
using support::MemoryDisk;

// A device with its own disk and clock, which hears of others directly.
struct Device {
  explicit Device(std::chrono::milliseconds skew) {
    clock.wall += skew;
    auto options = in_memory(disk);
    options.clock = &clock;
    store = must_open(options);
  }

  void hear(Device& other) {
    const auto source = store->source_number(other.store->epoch());
    const auto log = other.store->changes_since(0, 1000, 1 << 20);
    ASSERT_OK(source);
    ASSERT_OK(log);
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    for (const auto& each : log->documents) {
      auto delta = each.document.delta_since(0, 0);
      ASSERT_TRUE(delta.has_value());
      delta->collection = each.collection;
      delta->id = each.id;
      ASSERT_OK(transaction->merge(*delta, *source));
    }
    ASSERT_OK(transaction->commit());
  }

  [[nodiscard]] crdt::Stamp wall_stamp_in(std::chrono::milliseconds delay) const {
    return {static_cast<std::uint64_t>((clock.wall + delay).time_since_epoch().count()) << 16U};
  }
  [[nodiscard]] Status count(std::int64_t amount) const {
    auto transaction = store->begin();
    if (!transaction) return fail(transaction.error());
    if (auto done = transaction->increment("tasks", "a", {"likes"}, amount); !done) return done;
    auto committed = transaction->commit();
    return committed ? Status() : fail(committed.error());
  }

  FixedClock clock;
  MemoryDisk disk;
  std::unique_ptr<Store> store;
};

TEST(Skew, OfAYearStaysOnTheFieldsThatTheDeviceTouched) {
  Device ahead(24h * 365), right(0h);
  ASSERT_OK(insert(*right.store, "a", {{"n", 1}, {"m", 1}}));
  ahead.hear(right);
  ASSERT_OK(set(*ahead.store, "a", "n", 2));
  right.hear(ahead);
  EXPECT_EQ(view(*right.store, "a").at("n"), Value(2));
  // Whoever has seen the edit beats it, and without its clock being dragged along.
  ASSERT_OK(set(*right.store, "a", "n", 3));
  ASSERT_OK(set(*right.store, "a", "m", 3));
  ASSERT_OK(insert(*right.store, "b", {{"n", 1}}));
  ahead.hear(right);
  EXPECT_EQ(view(*ahead.store, "a"), (Map{{"m", 3}, {"n", 3}}));
  EXPECT_LT(right.store->load("tasks", "b")->newest_stamp(), right.wall_stamp_in(1s));
  EXPECT_EQ(ahead.store->digest("tasks")->digest, right.store->digest("tasks")->digest);
}

TEST(Skew, OfAClockThatFallsBackLosesNoEditOfItsOwn) {
  Device device(0h), other(0h);
  ASSERT_OK(insert(*device.store, "a", {{"n", 1}}));
  device.clock.wall += 24h * 365;
  ASSERT_OK(set(*device.store, "a", "n", 2));
  device.clock.wall -= 24h * 365;
  ASSERT_OK(device.store->quiesce(5s));
  ASSERT_OK(set(*device.store, "a", "n", 3));
  other.hear(device);
  EXPECT_EQ(view(*other.store, "a"), (Map{{"n", 3}}));
  // The other's later edit wins although its clock is a year behind what it saw.
  ASSERT_OK(set(*other.store, "a", "n", 4));
  device.hear(other);
  EXPECT_EQ(view(*device.store, "a"), (Map{{"n", 4}}));
}

TEST(Skew, DoesNotTouchWhatIsCounted) {
  Device ahead(24h * 365), behind(-24h * 365);
  ASSERT_OK(insert(*behind.store, "a", {{"title", "t"}}));
  ahead.hear(behind);
  ASSERT_OK(ahead.count(1));
  ASSERT_OK(behind.count(10));
  ahead.hear(behind);
  behind.hear(ahead);
  ASSERT_OK(behind.count(100));
  ASSERT_OK(ahead.count(1000));
  ahead.hear(behind);
  behind.hear(ahead);
  EXPECT_EQ(view(*ahead.store, "a").at("likes"), Value(1111));
  EXPECT_EQ(view(*behind.store, "a").at("likes"), Value(1111));
  // Who has seen the counter can take it away, however far behind his clock is.
  auto transaction = behind.store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->unset("tasks", "a", {"likes"}));
  ASSERT_OK(transaction->commit());
  ASSERT_OK(ahead.count(5));
  ahead.hear(behind);
  EXPECT_EQ(view(*ahead.store, "a").count("likes"), 0U);
}

TEST(Incarnation, OfAnUncleanStartCountsOnAsAnotherAuthor) {
  Device device(0h), other(0h);
  ASSERT_OK(insert(*device.store, "a", {{"title", "t"}}));
  ASSERT_OK(device.count(1));
  const auto first = device.store->actor();
  other.hear(device);
  device.disk.crash();
  device.store = nullptr;
  auto options = in_memory(device.disk);
  options.clock = &device.clock;
  device.store = must_open(options);
  ASSERT_NE(device.store, nullptr);
  ASSERT_NE(device.store->actor(), first);
  device.hear(other);
  ASSERT_OK(device.count(10));
  other.hear(device);
  EXPECT_EQ(view(*other.store, "a").at("likes"), Value(11));
}

TEST(Incarnation, OfACopyCountsBesideItsOrigin) {
  support::TempDir dir;
  {
    auto origin = must_open(on_disk(dir.file("origin")));
    ASSERT_OK(insert(*origin, "a", {{"title", "t"}}));
    auto transaction = origin->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->increment("tasks", "a", {"likes"}, 1));
    ASSERT_OK(transaction->commit());
  }
  std::filesystem::copy(dir.file("origin"), dir.file("clone"), std::filesystem::copy_options::recursive);
  Device watcher(0h);
  for (const auto& [name, amount] : {std::pair{"origin", 10}, {"clone", 100}}) {
    Device device(0h);
    device.store = must_open(on_disk(dir.file(name)));
    ASSERT_OK(device.count(amount));
    watcher.hear(device);
  }
  EXPECT_EQ(view(*watcher.store, "a").at("likes"), Value(111)) << "each counted on from 1";
}

}  // namespace
}  // namespace fermata::store
