#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "scenario.hpp"

namespace fermata::sim {
namespace {

crdt::Delta everything(const DocumentKey& key, const crdt::Document& document) {
  auto delta = document.delta_since(0, 0);
  FERMATA_CHECK(delta.has_value());
  std::tie(delta->collection, delta->id) = key;
  return *delta;
}

}  // namespace

const char* name_of(Oracle oracle) {
  constexpr const char* kNames[] = {"none",         "acknowledged write",
                                    "resurrection", "equal state",
                                    "answer",       "caught up",
                                    "silence",      "once",
                                    "repair",       "digest",
                                    "dot",          "count",
                                    "window"};
  return kNames[static_cast<std::size_t>(oracle)];
}

void Scenario::report(Oracle oracle, std::string what) {
  if (!outcome_.violation) outcome_.violation = {oracle, std::move(what)};
}

// A younger register at the path or above it has replaced the write.
bool outlives(const crdt::Document& document, const Acknowledged& write) {
  if (document.life() != write.life) return document.life() > write.life;
  if (!write.written) return true;
  const crdt::Register& mine = *write.written;
  for (const crdt::Register& each : document.registers()) {
    const bool above =
        each.path.size() <= mine.path.size() && std::equal(each.path.begin(), each.path.end(), mine.path.begin());
    if (!above || each.life < mine.life) continue;
    if (each.life > mine.life) return true;
    if (std::pair(each.stamp, each.dot) >= std::pair(mine.stamp, mine.dot)) return true;
  }
  return false;
}

crdt::Document Scenario::at(std::size_t device, const DocumentKey& key) {
  auto document = network_.device(device).store().load(key.first, key.second);
  FERMATA_CHECK(document.has_value());
  return std::move(*document);
}

// Where deletions are forgotten, what a device holds beyond its subscriptions may be of a document that nobody else
// remembers. All that counts has reached those who want everything.
bool Scenario::is_witness(std::size_t device, const std::string& collection) {
  if (!plan_.forgets()) return true;
  const auto& wanted = network_.device(device).subscriptions();
  return std::any_of(wanted.begin(), wanted.end(), [&](const query::Predicate& each) {
    return each.matches_everything() && each.collection() == collection;
  });
}

// What each device knows, and all together.
void Scenario::gather() {
  truth_.clear();
  known_.assign(network_.size(), {});
  for (const DocumentKey& key : universe()) {
    crdt::Document& merged = truth_[key];
    for (std::size_t i = 0; i < network_.size(); ++i) {
      const crdt::Document& document = known_[i][key] = at(i, key);
      if (document.exists() && is_witness(i, key.first)) merged.merge(everything(key, document), {});
    }
  }
}

void Scenario::judge() {
  gather();
  judge_writes();
  if (outcome_.lost == 0) judge_counters();
  for (std::size_t i = 0; i < network_.size(); ++i) {
    for (const query::Predicate& wanted : network_.device(i).subscriptions()) judge_subscription(i, wanted);
  }
  judge_digests();
  judge_sessions();
}

// A commit's name is its own, whatever happened to the device since: others tell commits apart by nothing else.
void Scenario::judge_dots(const crdt::Register& written) {
  const std::uint64_t earlier = commit_of_.emplace(written.dot, commits_).first->second;
  if (earlier != commits_)
    report(Oracle::Dot, fmt::format("actor {:x} has counted to {} twice", written.dot.actor, written.dot.seq));
}

void Scenario::judge_digests() {
  for (std::size_t i = 0; i < network_.size(); ++i) {
    std::map<std::string, crdt::Digest> digests;
    for (const auto& [key, document] : known_[i])
      digests[key.first].add(crdt::version_of(key.first, key.second, document));
    for (const auto& [collection, digest] : digests) {
      const auto kept = network_.device(i).store().digest(collection);
      FERMATA_CHECK(kept.has_value());
      if (kept->digest != digest) report(Oracle::Digest, fmt::format("device {}, {}", i, collection));
    }
  }
}

// Who has forgotten a deletion holds no more of the document than who never heard of it.
bool Scenario::is_forgotten(const crdt::Document& own, const crdt::Document& truth) const {
  return plan_.forgets() && !own.alive() && !truth.alive();
}

void Scenario::judge_writes() {
  for (const Acknowledged& write : acknowledged_) {
    const DocumentKey key{write.collection, write.id};
    const crdt::Document& truth = truth_.at(key);
    const bool forgotten = plan_.forgets() && !truth.alive() && write.life <= deleted_life_[key];
    if (!forgotten && !outlives(truth, write))
      report(Oracle::AcknowledgedWrite,
             fmt::format("an acknowledged {} of {}/{} in life {} is nowhere; all together say life {} {}",
                         write.written ? "write" : "deletion", write.collection, write.id, write.life, truth.life(),
                         to_json(truth.view())));
  }
  for (const auto& [name, document] : truth_) {
    const auto greatest = greatest_life_.find(name);
    // Whoever recognises what was deleted here deletes it once more.
    const std::uint64_t again = plan_.forgets() && document.life() % 2 == 0 ? 2 : 0;
    const std::uint64_t known = greatest == greatest_life_.end() ? 0 : greatest->second + again;
    if (document.life() > known)
      report(Oracle::Resurrection, fmt::format("{}/{} has life {}, but nobody gave it more than {}", name.first,
                                               name.second, document.life(), known));
  }
}

// Nothing but increments ever wrote to the field, so it is all that was counted in the document's life.
void Scenario::judge_counters() {
  std::map<DocumentKey, std::int64_t> sums;
  for (const Acknowledged& write : acknowledged_) {
    const DocumentKey key{write.collection, write.id};
    const crdt::Document& truth = truth_.at(key);
    if (write.counted != 0 && truth.alive() && write.life == truth.life()) sums[key] += write.counted;
  }
  for (const auto& [key, sum] : sums) {
    const Map view = truth_.at(key).view();
    const auto field = view.find("k");
    ++outcome_.counters;
    if (field == view.end() || field->second != Value(sum))
      report(Oracle::Count, fmt::format("{}/{}: {}, but {} was counted", key.first, key.second, to_json(view), sum));
  }
}

void Scenario::judge_subscription(std::size_t device, const query::Predicate& wanted) {
  for (const DocumentKey& key : universe()) {
    if (key.first != wanted.collection()) continue;
    const crdt::Document& truth = truth_.at(key);
    const crdt::Document& own = known_[device].at(key);
    const auto where = [&] {
      return fmt::format("device {} ({}), {}/{}: ", device, wanted.text(), key.first, key.second);
    };
    if (wanted.matches_everything()) {
      if (own.fingerprint() != truth.fingerprint() && !is_forgotten(own, truth))
        report(Oracle::EqualState, where() + fmt::format("life {} {}, all together say life {} {}", own.life(),
                                                         to_json(own.view()), truth.life(), to_json(truth.view())));
      continue;
    }
    const bool has = own.alive() && wanted.matches(key.second, own.view());
    const bool should = truth.alive() && wanted.matches(key.second, truth.view());
    if (has != should)
      report(Oracle::Answer,
             where() + fmt::format("{} in its answer, as {}, all together say {}{}", has ? "is" : "is not",
                                   to_json(own.view()), truth.alive() ? "" : "deleted ", to_json(truth.view())));
    if (has && own.view() != truth.view())
      report(Oracle::Answer,
             where() + fmt::format("{}, all together say {}", to_json(own.view()), to_json(truth.view())));
  }
}

void Scenario::judge_sessions() {
  for (std::size_t i = 0; i < network_.size(); ++i) {
    sync::Engine& engine = network_.device(i).engine();
    if (engine.sessions().empty()) report(Oracle::CaughtUp, fmt::format("device {} ended without a session", i));
    for (const sync::SessionStatus& session : engine.sessions()) {
      if (!session.caught_up || !session.remote_caught_up)
        report(Oracle::CaughtUp,
               fmt::format("device {} with {}: {}, though nothing happens any more", i, session.device,
                           session.caught_up ? "the remote has not caught up" : "has not caught up"));
      if (session.round_trips == 0) report(Oracle::CaughtUp, fmt::format("device {} counts no round trip", i));
    }
    // Who has given a document up may be shown an older state of it by somebody who has not heard of the newer.
    if (engine.repairs() != 0 && outcome_.evicted == 0)
      report(Oracle::Repair, fmt::format("device {} was level with a peer, and yet they did not hold the same", i));
    if (engine.unsynced()) report(Oracle::CaughtUp, fmt::format("device {} says that it is not synced", i));
  }
}

std::vector<std::uint64_t> Scenario::documents_sent() {
  std::vector<std::uint64_t> sent;
  for (std::size_t i = 0; i < network_.size(); ++i) {
    for (const sync::SessionStatus& session : network_.device(i).engine().sessions())
      sent.push_back(session.documents_sent);
  }
  return sent;
}

// After all the trouble a write still reaches everybody, over no link more than once in a direction. A hub's write:
// others may write to a document of which they do not know all, and then learn the rest and pass that on too.
void Scenario::judge_one_more_write() {
  const std::vector<std::uint64_t> before = documents_sent();
  write_at(world_.random().below(hubs_), 1);
  settle();
  const std::vector<std::uint64_t> after = documents_sent();
  judge();
  for (std::size_t i = 0; i < before.size() && before.size() == after.size(); ++i) {
    // Who has given the document up is sent a part of it, and asks for the rest.
    if (after[i] > before[i] + 1 && outcome_.evicted == 0)
      report(Oracle::Once, fmt::format("one change, sent {} times over one link", after[i] - before[i]));
  }
}

}  // namespace fermata::sim
