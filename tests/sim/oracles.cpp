#include <fmt/format.h>

#include "base/check.hpp"
#include "scenario.hpp"

namespace fermata::sim {
namespace {

crdt::Delta everything(const std::string& collection, const std::string& id, const crdt::Document& document) {
  auto delta = document.delta_since(0, 0);
  FERMATA_CHECK(delta.has_value());
  delta->collection = collection;
  delta->id = id;
  return *delta;
}

// Whether the document's state includes the write or something that beats it.
bool outlives(const crdt::Document& document, const Acknowledged& write) {
  if (document.life() != write.life) return document.life() > write.life;
  if (!write.written) return true;
  const crdt::Register& mine = *write.written;
  for (const crdt::Register& each : document.registers()) {
    // A younger register at the path or above it has replaced ours.
    const bool above =
        each.path.size() <= mine.path.size() && std::equal(each.path.begin(), each.path.end(), mine.path.begin());
    if (!above || each.life < mine.life) continue;
    if (each.life > mine.life) return true;
    if (std::pair(each.stamp, each.dot) >= std::pair(mine.stamp, mine.dot)) return true;
  }
  return false;
}

}  // namespace

crdt::Document Scenario::at(std::size_t device, const std::string& collection, const std::string& id) {
  auto document = network_.device(device).store().load(collection, id);
  FERMATA_CHECK(document.has_value());
  return std::move(*document);
}

bool Scenario::holds(std::size_t device, const Acknowledged& write) {
  return outlives(at(device, write.collection, write.id), write);
}

// A power loss may take what had not left the device: what nobody holds any more is no promise.
void Scenario::forgive_losses() {
  std::erase_if(acknowledged_, [&](const Acknowledged& write) {
    for (std::size_t i = 0; i < network_.size(); ++i) {
      if (holds(i, write)) return false;
    }
    ++outcome_.lost_with_power;
    return true;
  });
}

// What all devices know together.
void Scenario::gather() {
  for (const auto& [collection, id] : universe()) {
    crdt::Document& merged = truth_[{collection, id}];
    for (std::size_t i = 0; i < network_.size(); ++i) {
      const crdt::Document document = at(i, collection, id);
      if (document.exists()) merged.merge(everything(collection, id, document), {});
    }
  }
}

std::string Scenario::judge() {
  gather();
  if (std::string found = judge_writes(); !found.empty()) return found;
  for (std::size_t i = 0; i < network_.size(); ++i) {
    for (const query::Predicate& wanted : network_.device(i).subscriptions()) {
      if (std::string found = judge_subscription(i, wanted); !found.empty()) return found;
    }
  }
  return judge_sessions();
}

std::string Scenario::judge_writes() const {
  for (const Acknowledged& write : acknowledged_) {
    if (!outlives(truth_.at({write.collection, write.id}), write))
      return fmt::format("an acknowledged write to {}/{} is nowhere", write.collection, write.id);
  }
  for (const auto& [name, document] : truth_) {
    const auto greatest = greatest_life_.find(name);
    const std::uint64_t known = greatest == greatest_life_.end() ? 0 : greatest->second;
    if (document.life() > known)
      return fmt::format("{}/{} has life {}, but nobody gave it more than {}", name.first, name.second, document.life(),
                         known);
  }
  return {};
}

std::string Scenario::judge_subscription(std::size_t device, const query::Predicate& wanted) {
  for (const auto& [collection, id] : universe()) {
    if (collection != wanted.collection()) continue;
    const crdt::Document& truth = truth_.at({collection, id});
    const crdt::Document own = at(device, collection, id);
    const auto where = [&] { return fmt::format("device {} ({}), {}/{}: ", device, wanted.text(), collection, id); };
    if (wanted.matches_everything()) {
      if (own.fingerprint() != truth.fingerprint())
        return where() + fmt::format("life {} {}, all together say life {} {}", own.life(), to_json(own.view()),
                                     truth.life(), to_json(truth.view()));
      continue;
    }
    const bool has = own.alive() && wanted.matches(id, own.view());
    const bool should = truth.alive() && wanted.matches(id, truth.view());
    if (has != should)
      return where() + fmt::format("{} in its answer, as {}, all together say {}{}", has ? "is" : "is not",
                                   to_json(own.view()), truth.alive() ? "" : "deleted ", to_json(truth.view()));
    if (has && own.view() != truth.view())
      return where() + fmt::format("{}, all together say {}", to_json(own.view()), to_json(truth.view()));
  }
  return {};
}

std::string Scenario::judge_sessions() {
  for (std::size_t i = 0; i < network_.size(); ++i) {
    sync::Engine& engine = network_.device(i).engine();
    if (engine.sessions().empty()) return fmt::format("device {} ended without a session", i);
    for (const sync::SessionStatus& session : engine.sessions()) {
      if (!session.caught_up || !session.remote_caught_up)
        return fmt::format("device {} with {}: {}, though nothing happens any more", i, session.device,
                           session.caught_up ? "the remote has not caught up" : "has not caught up");
      if (session.round_trips == 0) return fmt::format("device {} counts no round trip", i);
    }
    if (engine.unsynced()) return fmt::format("device {} says that it is not synced", i);
  }
  return {};
}

}  // namespace fermata::sim
