// One run of the simulated mesh from one seed: devices, links, subscriptions, work and trouble; then healing, quiet,
// and the oracles.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network.hpp"

namespace fermata::sim {

struct Outcome {
  std::string violation;  // empty: every oracle agrees
  std::uint64_t trace_hash = 0;
  std::uint64_t writes = 0, lost_with_power = 0, frames = 0, conflicts = 0;
};

[[nodiscard]] Outcome run_scenario(std::uint64_t seed, sync::Mutation mutation = sync::Mutation::None);

// What was acknowledged to the app: it must be there at the end, or something that beats it.
struct Acknowledged {
  std::string collection, id;
  std::uint64_t life = 0;
  std::optional<crdt::Register> written;  // nothing: it was a deletion
};

class Scenario {
 public:
  Scenario(std::uint64_t seed, sync::Mutation mutation);
  [[nodiscard]] Outcome run();

 private:
  void build();
  void schedule_work();
  void schedule_trouble();
  void schedule_one(Duration least, Duration most, void (Scenario::*step)());

  // work.cpp
  void write();
  [[nodiscard]] Status write_one(store::Transaction& transaction, std::vector<Acknowledged>& written);
  void change_subscription();
  [[nodiscard]] std::string random_select();

  // trouble
  void cut();
  void crash();
  void suspend();
  void part();
  void skew();
  void forgive_losses();
  void heal();

  // oracles
  [[nodiscard]] std::string judge();
  void gather();
  [[nodiscard]] std::string judge_writes() const;
  [[nodiscard]] std::string judge_subscription(std::size_t device, const query::Predicate& wanted);
  [[nodiscard]] std::string judge_sessions();
  [[nodiscard]] crdt::Document at(std::size_t device, const std::string& collection, const std::string& id);
  [[nodiscard]] bool holds(std::size_t device, const Acknowledged& write);
  [[nodiscard]] std::size_t random_device() { return world_.random().below(network_.size()); }

  std::uint64_t seed_;
  World world_;
  Network network_;
  std::size_t hubs_ = 1;
  bool healing_ = false;
  std::vector<Acknowledged> acknowledged_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> greatest_life_;
  std::map<std::pair<std::string, std::string>, crdt::Document> truth_;
  Outcome outcome_;
};

// The whole universe of documents: small, so that everything meets everything.
[[nodiscard]] const std::vector<std::pair<std::string, std::string>>& universe();

}  // namespace fermata::sim
