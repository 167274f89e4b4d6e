#include "model/checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "model/exchange.hpp"

namespace fermata::model {
namespace {

using Meetings = std::vector<std::pair<Index, Index>>;

// One round of meetings, from nothing. Result: false if it does not end.
bool meet_all(World& world, const Scope& scope, const Rules& rules, const Meetings& meetings) {
  for (PeerSet& each : world.linked) each = 0;
  for (const auto& [a, b] : meetings) {
    Exchange exchange(world, rules, scope.documents);
    exchange.meet(a, b);
    if (!exchange.run()) return false;
    exchange.level(a, b);
  }
  return true;
}

std::string describe(const World& world, const Document& document) {
  if (!document.exists()) return "unknown";
  return fmt::format("{}{} (life {}, text of write {})", document.alive() ? "" : "deleted, ",
                     world.shown(document) ? "shown" : "not shown", document.life, document.fields[kText].commit);
}

std::string judge_answer(const World& world, Index peer, Query query, Index document) {
  const Document& own = world.peers[peer].documents[document];
  const Document& truth = world.truth[document];
  const bool has = own.alive() && world.matches(query, own);
  const bool should = truth.alive() && world.matches(query, truth);
  if (has == should && (!has || own.same_content(truth))) return {};
  const char* what = has == should                            ? "differs"
                     : has && !truth.alive()                  ? "is resurrected"
                     : should && own.exists() && !own.alive() ? "was deleted by nobody"
                     : has                                    ? "is in the answer and should not be"
                                                              : "is missing";
  return fmt::format("{}, {}: d{} {}: {}; all writes together: {}", char('P' + peer),
                     query == kWhole ? "whole collection" : "WHERE shown", document + 1, what, describe(world, own),
                     describe(world, truth));
}

std::string judge_answers(const World& world, const Scope& scope) {
  for (Index peer = 0; peer < world.peer_count; ++peer) {
    for (Index document = 0; document < scope.documents; ++document) {
      for (const Query query : {kWhole, kShown}) {
        if (!world.peers[peer].wants(query)) continue;
        if (std::string found = judge_answer(world, peer, query, document); !found.empty()) return found;
      }
    }
  }
  return {};
}

std::string judge_meetings(World world, const Scope& scope, const Rules& rules, const Meetings& meetings) {
  constexpr int kRounds = 8;
  for (Index i = 0; i < world.peer_count; ++i) world.peers[i].live = scope.subscriptions[i];
  for (int round = 0; round < kRounds; ++round) {
    const World before = world;
    if (!meet_all(world, scope, rules, meetings)) return "an exchange does not end";
    if (round > 0 && world == before) return judge_answers(world, scope);
  }
  return "every meeting changes something, for ever";
}

// Everybody with everybody, if nobody has everything; else a line through one who has is enough.
std::vector<Meetings> ways_to_meet(const World& world, const Scope& scope) {
  std::vector<Meetings> ways;
  for (Index middle = 0; middle < world.peer_count; ++middle) {
    if ((scope.subscriptions[middle] >> kWhole & 1) == 0) continue;
    Meetings& line = ways.emplace_back();
    for (Index end = 0; end < world.peer_count; ++end) {
      if (end != middle) line.emplace_back(std::min(middle, end), std::max(middle, end));
    }
  }
  if (!ways.empty()) return ways;
  Meetings& all = ways.emplace_back();
  for (Index a = 0; a < world.peer_count; ++a) {
    for (Index b = a + 1; b < world.peer_count; ++b) all.emplace_back(a, b);
  }
  return ways;
}

struct Node {
  std::uint32_t parent = 0;
  Action action;
};

class Search {
 public:
  Search(const Scope& scope, const Rules& rules, const Limits& limits)
      : scope_(scope), rules_(rules), limits_(limits) {}

  Report run() {
    World start = initial(scope_);
    for (const Action& action : scope_.prologue) {
      if (perform(start, scope_, rules_, action) == Outcome::Endless) report_.violation = "an exchange does not end";
    }
    visited_.insert(canonical_hash(start, scope_.documents));
    nodes_.push_back({});
    level_.emplace_back(start, 0);
    report_.states = 1;
    while (report_.violation.empty() && !level_.empty() && report_.depth < limits_.depth &&
           report_.states < limits_.states) {
      expand_level();
    }
    report_.exhausted = level_.empty();
    return report_;
  }

 private:
  void expand_level() {
    std::vector<std::pair<World, std::uint32_t>> next;
    std::vector<Action> actions;
    for (const auto& [world, node] : level_) {
      actions.clear();
      possible_actions(world, scope_, actions);
      for (const Action& action : actions) {
        step(world, node, action, next);
        if (!report_.violation.empty()) return;
      }
      if (report_.states >= limits_.states) return;
    }
    level_ = std::move(next);
    ++report_.depth;
  }

  void step(const World& world, std::uint32_t node, const Action& action,
            std::vector<std::pair<World, std::uint32_t>>& next) {
    World after = world;
    const Outcome outcome = perform(after, scope_, rules_, action);
    if (outcome == Outcome::Nothing) return;
    if (outcome == Outcome::Done) {
      if (!visited_.insert(canonical_hash(after, scope_.documents)).second) return;
      ++report_.states;
    }
    std::string found = outcome == Outcome::Endless ? "an exchange does not end" : judge(after, scope_, rules_);
    nodes_.push_back({node, action});
    const auto index = std::uint32_t(nodes_.size() - 1);
    next.emplace_back(after, index);
    if (found.empty()) return;
    report_.violation = std::move(found);
    for (std::uint32_t at = index; at != 0; at = nodes_[at].parent) report_.run.push_back(nodes_[at].action);
    std::reverse(report_.run.begin(), report_.run.end());
  }

  const Scope& scope_;
  const Rules& rules_;
  const Limits& limits_;
  Report report_;
  std::unordered_set<std::uint64_t> visited_;
  std::vector<Node> nodes_;
  std::vector<std::pair<World, std::uint32_t>> level_;
};

}  // namespace

std::string judge(const World& world, const Scope& scope, const Rules& rules) {
  for (const Meetings& meetings : ways_to_meet(world, scope)) {
    if (std::string found = judge_meetings(world, scope, rules, meetings); !found.empty()) return found;
  }
  return {};
}

Report explore(const Scope& scope, const Rules& rules, const Limits& limits) {
  return Search(scope, rules, limits).run();
}

std::string Report::text(const Scope& scope) const {
  std::string text = fmt::format("{} states, all runs of {} actions{}", states, depth, exhausted ? ", exhausted" : "");
  if (violation.empty()) return text;
  text += fmt::format("\n{}\n", violation);
  for (Index i = 0; i < scope.peers; ++i) {
    static constexpr std::array<const char*, 4> kWants{"nothing", "everything", "WHERE shown", "both"};
    text += fmt::format("  {} wants {}\n", char('P' + i), kWants[scope.subscriptions[i]]);
  }
  int number = 0;
  for (const auto* actions : {&scope.prologue, &run}) {
    for (const Action& action : *actions) text += fmt::format("  {}. {}\n", ++number, to_string(action));
  }
  return text;
}

}  // namespace fermata::model
