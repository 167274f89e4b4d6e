// One simulated peer: a real store on a disk in memory and a real engine, with its clocks, crashes and pauses.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/memory_vfs.hpp"
#include "sync/engine.hpp"
#include "world.hpp"

namespace fermata::sim {

struct DeviceOptions {
  sync::EngineOptions engine;
  store::Mutation store_mutation = store::Mutation::None;
};

enum class Loss : std::uint8_t { Process, Power };

class Device {
 public:
  // Where frames go and how links end; the network's side of the device.
  struct Wires {
    std::function<void(LinkId, Bytes)> send;
    std::function<void(LinkId)> close;
  };

  // With an `origin`: on a copy of its disk as it is now, and with its subscriptions.
  Device(World& world, DeviceOptions options, Wires wires, const Device* origin = nullptr);
  ~Device();

  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] sync::Engine& engine() { return *engine_; }
  [[nodiscard]] bool up() const { return engine_ != nullptr; }
  [[nodiscard]] bool suspended() const { return suspended_; }
  [[nodiscard]] SkewedClock& clock() { return clock_; }
  [[nodiscard]] support::MemoryDisk& disk() { return disk_; }
  [[nodiscard]] const DeviceId& id() const { return options_.engine.device; }
  [[nodiscard]] const std::vector<query::Predicate>& subscriptions() const { return wanted_; }

  void subscribe(const std::string& select);
  void unsubscribe(std::size_t index);

  // The engine is gone; the store is open again at once, with what the loss left of it, so that it can be looked at.
  void lose(Loss loss);
  // The same, but the disk goes back to what it was at the last backup().
  void restore();
  void backup();
  [[nodiscard]] bool has_backup() const { return backup_ != nullptr; }
  void restart();  // a new engine
  void suspend() { suspended_ = true; }
  void resume();

  // Runs something that enters the engine, now or, if suspended, on waking.
  void turn(std::function<void()> task);

 private:
  void open_store();
  void lose_engine();
  void drain();
  void deliver_commits();
  void arm();

  World& world_;
  DeviceOptions options_;
  Wires wires_;
  SkewedClock clock_;
  SeededRandom random_;
  support::MemoryDisk disk_;
  std::unique_ptr<support::MemoryDisk> backup_;
  std::unique_ptr<store::Store> store_;
  std::deque<store::CommitEvent> commits_;
  std::unique_ptr<sync::Engine> engine_;
  std::vector<query::Predicate> wanted_;
  std::vector<sync::SubscriptionId> ids_;
  bool suspended_ = false;
  std::vector<std::function<void()>> missed_;
  std::uint64_t life_ = 0;  // timers of an earlier engine mean nothing
  std::optional<Instant> armed_;
};

}  // namespace fermata::sim
