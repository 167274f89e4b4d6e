// What happens to the simulated devices and their links.
#include "scenario.hpp"

namespace fermata::sim {

milliseconds Scenario::random_skew(milliseconds most) {
  const auto span = static_cast<std::uint64_t>(2 * most.count());
  return milliseconds(static_cast<std::int64_t>(world_.random().below(span)) - most.count());
}

void Scenario::cut() {
  network_.cut_one();
}

void Scenario::come_back(std::size_t index) {
  world_.after(world_.between(milliseconds(50), plan_.paced(seconds(10))), [this, index] {
    Device& device = network_.device(index);
    if (!device.up()) device.restart();
  });
}

void Scenario::crash() {
  const std::size_t index = random_device();
  Device& device = network_.device(index);
  if (!device.up()) return;
  network_.cut_all_of(index);
  const Loss loss = world_.chance(50) && !plan_.forgets() ? Loss::Power : Loss::Process;
  device.lose(loss);
  if (loss == Loss::Power) forgive_losses();
  come_back(index);
}

void Scenario::suspend() {
  const std::size_t index = random_device();
  Device& device = network_.device(index);
  if (!device.up() || device.suspended()) return;
  const Duration away = world_.between(milliseconds(100), plan_.paced(seconds(20)));
  if (world_.chance(40)) return leave_politely(index, away);
  if (world_.chance(20)) device.turn([&] { device.engine().goodbye(seconds(5), world_.now()); });
  freeze(index, away);
}

// As the lifecycle does it: no more in, what is under way out, goodbye, files closed.
void Scenario::leave_politely(std::size_t index, Duration away) {
  network_.device(index).turn([&] { network_.device(index).engine().drain(); });
  const Duration patience = world_.between(Duration::zero(), plan_.paced(seconds(2)));
  world_.after(patience, [this, index, away] {
    Device& device = network_.device(index);
    if (!device.up() || device.suspended()) return;
    device.turn([&] { device.engine().goodbye(seconds(5), world_.now()); });
    // A full disk may refuse the clean close.
    if (world_.chance(70)) static_cast<void>(device.store().quiesce(seconds(1)));
    freeze(index, away);
  });
}

void Scenario::freeze(std::size_t index, Duration away) {
  network_.device(index).suspend();
  if (world_.chance(50)) network_.reclaim(index);
  world_.after(away, [this, index] {
    Device& device = network_.device(index);
    if (device.up() && device.suspended()) device.resume();
  });
}

void Scenario::part() {
  std::vector<bool> sides;
  for (std::size_t i = 0; i < network_.size(); ++i) sides.push_back(world_.chance(50));
  network_.part(std::move(sides));
  for (int i = 0; i < 3; ++i) network_.cut_one();
  world_.after(world_.between(plan_.paced(seconds(1)), plan_.paced(seconds(10))), [this] { network_.part({}); });
}

void Scenario::skew() {
  constexpr milliseconds kYear = std::chrono::hours(24 * 365);
  milliseconds& skew = network_.device(random_device()).clock().skew;
  skew = world_.chance(15) ? kYear : random_skew(seconds(60));
}

void Scenario::fill_disk() {
  const std::size_t index = random_device();
  network_.device(index).disk().limit_free_space(world_.random().below(6000));
  world_.after(world_.between(plan_.paced(seconds(1)), plan_.paced(seconds(10))),
               [this, index] { network_.device(index).disk().unlimited_space(); });
}

// Somebody copies a running device's directory and starts another device on it.
void Scenario::clone() {
  if (network_.size() >= 2 * plan_.most_devices) return;
  const std::size_t origin = random_device();
  const std::size_t copy = network_.add_device(&network_.device(origin));
  network_.device(copy).clock().skew = random_skew(seconds(10));
  network_.connect(copy, world_.random().below(hubs_));
  if (world_.chance(30)) network_.connect(copy, origin);
}

// What a subscription still asks for is not given up.
void Scenario::evict() {
  const auto& [collection, id] = universe()[world_.random().below(universe().size())];
  Device& device = network_.device(random_device());
  if (!device.up() || device.suspended()) return;
  device.turn([&, collection = collection, id = id] {
    if (device.engine().evict(collection, id)) ++outcome_.evicted;
  });
}

void Scenario::backup() {
  network_.device(random_device()).backup();
}

void Scenario::restore() {
  for (std::size_t index = 0; index < network_.size(); ++index) {
    Device& device = network_.device(index);
    if (!device.up() || !device.has_backup()) continue;
    network_.cut_all_of(index);
    device.restore();
    forgive_losses();
    return come_back(index);
  }
}

// What nobody holds any more after such a loss is no promise.
void Scenario::forgive_losses() {
  const std::size_t promised = acknowledged_.size();
  gather();
  std::erase_if(acknowledged_, [this](const Acknowledged& write) {
    return !outlives(truth_.at({write.collection, write.id}), write);
  });
  outcome_.lost += promised - acknowledged_.size();
}

}  // namespace fermata::sim
