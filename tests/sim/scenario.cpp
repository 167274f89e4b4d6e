#include "scenario.hpp"

#include <malloc.h>
#include <sqlite3.h>

#include "base/check.hpp"

// There under sanitizers, whose heap mallinfo2() does not know.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace fermata::sim {
namespace {

sync::EngineOptions engine_options(const Plan& plan, std::uint64_t seed, const Mutations& mutations) {
  constexpr std::size_t kWindows[] = {300, 3000, 1u << 20};
  constexpr std::size_t kBatches[] = {60, 500, 64u << 10};
  constexpr Duration kGraftAfter[] = {milliseconds(15), milliseconds(60), milliseconds(250)};
  SeededRandom random(seed ^ 0x5eed);
  sync::EngineOptions options;
  options.heartbeat = plan.heartbeat;
  options.dead_after = plan.dead_after;
  options.tombstone_ttl = plan.tombstone_ttl;
  options.window_bytes = kWindows[random.below(3)];
  options.batch_bytes = kBatches[random.below(3)];
  options.graft_after = kGraftAfter[random.below(3)];
  options.cursors_per_frame = random.below(2) == 0 ? 1 : 16;
  options.mutation = mutations.sync;
  return options;
}

// Cursors of queries that a device has asked once are kept for when it asks again, as long as the log is there.
std::uint64_t rows_beside_documents(sqlite3* database) {
  std::uint64_t rows = 0;
  for (const char* table :
       {"sources", "devices", "collections", "meta", "cursors WHERE epoch NOT IN (SELECT epoch FROM devices)"}) {
    sqlite3_stmt* count = nullptr;
    const std::string text = std::string("SELECT count(*) FROM ") + table;
    FERMATA_CHECK(sqlite3_prepare_v2(database, text.c_str(), -1, &count, nullptr) == SQLITE_OK);
    FERMATA_CHECK(sqlite3_step(count) == SQLITE_ROW);
    rows += static_cast<std::uint64_t>(sqlite3_column_int64(count, 0));
    sqlite3_finalize(count);
  }
  return rows;
}

constexpr std::size_t kWritesOfAWeek = 1u << 15;

// Not what is resident: that also tells how scattered it is.
std::uint64_t heap_bytes() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace

const std::vector<DocumentKey>& universe() {
  static const std::vector<DocumentKey> all = [] {
    std::vector<DocumentKey> documents;
    for (const char* collection : {"cars", "cups"}) {
      for (int i = 0; i < 5; ++i) documents.emplace_back(collection, "d" + std::to_string(i));
    }
    return documents;
  }();
  return all;
}

Outcome run_scenario(const Plan& plan, std::uint64_t seed, const Mutations& mutations) {
  return Scenario(plan, seed, mutations).run();
}

Scenario::Scenario(const Plan& plan, std::uint64_t seed, const Mutations& mutations)
    : plan_(plan),
      world_(seed),
      network_(world_, {engine_options(plan, seed, mutations), mutations.store}, plan.network) {}

Outcome Scenario::run() {
  build();
  schedule_work();
  schedule_trouble();
  if (plan_.sample) {
    acknowledged_.reserve(kWritesOfAWeek);  // else our own memory would seem to be somebody's
    world_.after(*plan_.sample, [this] { sample_sizes(); });
  }
  world_.run_until(Instant(plan_.troubled));
  heal();
  settle();
  stay_quiet();
  if (network_.flooded()) report(Oracle::Window, "more on its way over a link than the window allows");
  if (!outcome_.violation) judge();
  if (!outcome_.violation) judge_one_more_write();
  outcome_.frames = network_.frames();
  for (std::size_t i = 0; i < network_.size(); ++i) outcome_.forgotten += network_.device(i).store().purged();
  outcome_.trace_hash = world_.trace_hash();
  return outcome_;
}

// Hubs want everything and are connected with each other; every other device reaches a hub. Links between the others
// come and go as they like.
void Scenario::build() {
  const std::size_t devices = plan_.least_devices + world_.random().below(plan_.most_devices - plan_.least_devices + 1);
  hubs_ = 1 + world_.random().below(devices - 1);
  for (std::size_t i = 0; i < devices; ++i) {
    network_.add_device();
    populate(i);
  }
  for (std::size_t i = 1; i < devices; ++i) {
    const std::size_t hub = world_.random().below(std::min(i, hubs_));
    const bool outward = world_.chance(50);
    network_.connect(outward ? hub : i, outward ? i : hub);
    if (world_.chance(20)) network_.connect(outward ? i : hub, outward ? hub : i);
  }
  for (std::uint64_t extra = world_.random().below(devices); extra > 0; --extra) {
    const std::size_t a = random_device();
    const std::size_t b = random_device();
    if (a != b) network_.connect(a, b);
  }
}

void Scenario::populate(std::size_t index) {
  Device& device = network_.device(index);
  device.clock().skew = random_skew(seconds(10));
  if (index < hubs_) {
    for (const char* collection : {"cars", "cups"}) device.subscribe(std::string("SELECT * FROM ") + collection);
  } else {
    for (std::uint64_t n = 1 + world_.random().below(3); n > 0; --n) device.subscribe(random_select());
    if (!plan_.forgets()) return;
    for (const char* collection : {"cars", "cups"})
      device.subscribe(std::string("SELECT * FROM ") + collection + " WHERE x = 1");
  }
}

void Scenario::schedule_one(Duration least, Duration most, void (Scenario::*step)()) {
  world_.after(world_.between(plan_.paced(least), plan_.paced(most)), [this, least, most, step] {
    if (healing_) return;
    (this->*step)();
    schedule_one(least, most, step);
  });
}

void Scenario::write_again(Duration pace) {
  world_.after(world_.between(Duration::zero(), pace), [this, pace] {
    if (healing_) return;
    write();
    write_again(pace);
  });
}

void Scenario::sometimes(unsigned percent, Duration least, Duration most, void (Scenario::*step)()) {
  if (world_.chance(percent)) schedule_one(least, most, step);
}

void Scenario::schedule_work() {
  write_again(world_.between(plan_.between_writes / 8, plan_.between_writes));
  // Who forgets must go on asking for all of it.
  if (!plan_.forgets()) return schedule_one(seconds(5), seconds(30), &Scenario::change_subscription);
  sometimes(50, seconds(1), seconds(10), &Scenario::evict);
}

// Each seed has its own mix: some runs are all crashes, some have only slow links.
void Scenario::schedule_trouble() {
  sometimes(70, milliseconds(100), seconds(8), &Scenario::cut);
  sometimes(50, seconds(2), seconds(20), &Scenario::crash);
  sometimes(50, seconds(2), seconds(15), &Scenario::suspend);
  sometimes(40, seconds(2), seconds(15), &Scenario::part);
  sometimes(40, seconds(2), seconds(20), &Scenario::skew);
  sometimes(25, seconds(2), seconds(20), &Scenario::fill_disk);
  if (plan_.forgets()) return;
  sometimes(20, seconds(5), seconds(60), &Scenario::clone);
  if (!world_.chance(25)) return;
  schedule_one(seconds(1), seconds(15), &Scenario::backup);
  schedule_one(seconds(5), seconds(30), &Scenario::restore);
}

void Scenario::heal() {
  healing_ = true;
  network_.calm();
  network_.part({});
  for (std::size_t i = 0; i < network_.size(); ++i) {
    Device& device = network_.device(i);
    device.disk().unlimited_space();
    if (!device.up()) device.restart();
    if (device.suspended()) device.resume();
  }
}

bool Scenario::settled() {
  if (!network_.whole()) return false;
  for (std::size_t i = 0; i < network_.size(); ++i) {
    const sync::Engine& engine = network_.device(i).engine();
    if (engine.unsynced() || engine.sessions().empty()) return false;
  }
  return true;
}

// Until everybody is level and no frame has been sent for a while; the oracles judge those who never get there.
void Scenario::settle() {
  constexpr Duration kStep = milliseconds(500);
  const Instant latest = world_.now() + plan_.longest_healing;
  std::uint64_t frames = network_.frames();
  for (int silent = 0; silent < 3 && world_.now() < latest;) {
    world_.run_until(world_.now() + kStep);
    silent = settled() && frames == network_.frames() ? silent + 1 : 0;
    frames = network_.frames();
  }
}

void Scenario::sample_sizes() {
  Size size;
  for (std::size_t i = 0; i < network_.size(); ++i) {
    const Status counted = network_.device(i).store().read([&](sqlite3* database) -> Status {
      size.rows += rows_beside_documents(database);
      return {};
    });
    FERMATA_CHECK(counted.has_value());
  }
  size.heap_bytes = heap_bytes();
  outcome_.sizes.push_back(size);
  if (!healing_) world_.after(*plan_.sample, [this] { sample_sizes(); });
}

void Scenario::stay_quiet() {
  const std::uint64_t frames = network_.frames();
  world_.run_until(world_.now() + plan_.quiet);
  if (frames != network_.frames())
    report(Oracle::Silence, std::to_string(network_.frames() - frames) + " frames after everything had been said");
}

}  // namespace fermata::sim
