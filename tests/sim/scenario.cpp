#include "scenario.hpp"

#include "base/check.hpp"

namespace fermata::sim {
namespace {

constexpr Duration kTroubledTime = seconds(40);
constexpr Duration kHealing = seconds(60);  // twice what a dead link needs to be found, and every redial
constexpr Duration kQuiet = seconds(30);

sync::EngineOptions engine_options(std::uint64_t seed, sync::Mutation mutation) {
  constexpr std::size_t kWindows[] = {300, 3000, 1u << 20};
  constexpr std::size_t kBatches[] = {60, 500, 64u << 10};
  SeededRandom random(seed ^ 0x5eed);
  sync::EngineOptions options;
  options.heartbeat = seconds(4);
  options.dead_after = seconds(10);
  options.window_bytes = kWindows[random.below(3)];
  options.batch_bytes = kBatches[random.below(3)];
  options.mutation = mutation;
  return options;
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& universe() {
  static const std::vector<std::pair<std::string, std::string>> all = [] {
    std::vector<std::pair<std::string, std::string>> documents;
    for (const char* collection : {"cars", "cups"}) {
      for (int i = 0; i < 5; ++i) documents.emplace_back(collection, "d" + std::to_string(i));
    }
    return documents;
  }();
  return all;
}

Outcome run_scenario(std::uint64_t seed, sync::Mutation mutation) {
  return Scenario(seed, mutation).run();
}

Scenario::Scenario(std::uint64_t seed, sync::Mutation mutation)
    : seed_(seed), world_(seed), network_(world_, engine_options(seed, mutation)) {}

Outcome Scenario::run() {
  build();
  schedule_work();
  schedule_trouble();
  world_.run_until(Instant(kTroubledTime));
  heal();
  world_.run_until(world_.now() + kHealing);
  const std::uint64_t frames = network_.frames();
  world_.run_until(world_.now() + kQuiet);
  outcome_.frames = network_.frames();
  outcome_.trace_hash = world_.trace_hash();
  outcome_.violation = judge();
  if (outcome_.violation.empty() && frames != network_.frames())
    outcome_.violation = std::to_string(network_.frames() - frames) + " frames after everything had been said";
  return outcome_;
}

// Hubs want everything and are connected with each other; every other device reaches a hub. Links between the others
// come and go as they like.
void Scenario::build() {
  const std::size_t devices = 3 + world_.random().below(6);
  hubs_ = 1 + world_.random().below(devices - 1);
  for (std::size_t i = 0; i < devices; ++i) {
    network_.add_device();
    network_.device(i).clock().skew = milliseconds(static_cast<std::int64_t>(world_.random().below(20'000)) - 10'000);
    if (i < hubs_) {
      for (const char* collection : {"cars", "cups"})
        network_.device(i).subscribe(std::string("SELECT * FROM ") + collection);
    } else {
      for (std::uint64_t n = 1 + world_.random().below(3); n > 0; --n) network_.device(i).subscribe(random_select());
    }
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

void Scenario::schedule_one(Duration least, Duration most, void (Scenario::*step)()) {
  world_.after(world_.between(least, most), [this, least, most, step] {
    if (healing_) return;
    (this->*step)();
    schedule_one(least, most, step);
  });
}

void Scenario::schedule_work() {
  const auto pace = milliseconds(200 + static_cast<std::int64_t>(world_.random().below(1500)));
  schedule_one(Duration::zero(), pace, &Scenario::write);
  schedule_one(seconds(5), seconds(30), &Scenario::change_subscription);
}

// Each seed has its own mix: some runs are all crashes, some have only slow links.
void Scenario::schedule_trouble() {
  if (world_.chance(70)) schedule_one(milliseconds(100), seconds(8), &Scenario::cut);
  if (world_.chance(50)) schedule_one(seconds(2), seconds(20), &Scenario::crash);
  if (world_.chance(50)) schedule_one(seconds(2), seconds(15), &Scenario::suspend);
  if (world_.chance(40)) schedule_one(seconds(2), seconds(15), &Scenario::part);
  if (world_.chance(40)) schedule_one(seconds(2), seconds(20), &Scenario::skew);
}

void Scenario::cut() {
  network_.cut_one();
}

void Scenario::crash() {
  const std::size_t index = random_device();
  Device& device = network_.device(index);
  if (!device.up()) return;
  network_.cut_all_of(index);
  device.lose(world_.chance(50) ? Loss::Power : Loss::Process);
  forgive_losses();
  world_.after(world_.between(milliseconds(50), seconds(10)), [&device] {
    if (!device.up()) device.restart();
  });
}

void Scenario::suspend() {
  Device& device = network_.device(random_device());
  if (!device.up() || device.suspended()) return;
  if (world_.chance(40)) device.turn([&] { device.engine().goodbye(seconds(5), world_.now()); });
  device.suspend();
  world_.after(world_.between(milliseconds(100), seconds(20)), [&device] {
    if (device.up() && device.suspended()) device.resume();
  });
}

void Scenario::part() {
  network_.part(world_.random().below(1u << network_.size()));
  for (int i = 0; i < 3; ++i) network_.cut_one();
  world_.after(world_.between(seconds(1), seconds(10)), [this] { network_.part(0); });
}

void Scenario::skew() {
  network_.device(random_device()).clock().skew =
      milliseconds(static_cast<std::int64_t>(world_.random().below(120'000)) - 60'000);
}

void Scenario::heal() {
  healing_ = true;
  network_.calm();
  network_.part(0);
  for (std::size_t i = 0; i < network_.size(); ++i) {
    Device& device = network_.device(i);
    if (!device.up()) device.restart();
    if (device.suspended()) device.resume();
  }
}

}  // namespace fermata::sim
