// What can happen in a World from outside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/rules.hpp"
#include "model/world.hpp"

namespace fermata::model {

enum class ActionKind : std::uint8_t {
  Insert,
  Set,
  MoveOut,  // shown = false
  MoveIn,   // shown = true
  Delete,
  Evict,
  Purge,      // every tombstone that may be
  Subscribe,  // to the whole collection
  Unsubscribe,
  Meet,     // link and exchange until quiet; stays linked
  MeetCut,  // the link dies after `messages` messages
  Cut,
  TimePasses,  // a period as long as the TTL
  Count
};

using ActionSet = std::uint32_t;
inline constexpr ActionSet kAllActions = (1u << unsigned(ActionKind::Count)) - 1;
constexpr ActionSet just(ActionKind kind) {
  return 1u << unsigned(kind);
}

struct Action {
  ActionKind kind{};
  std::uint8_t peer = 0, other = 0;  // `other`: a document or a peer
  std::uint8_t messages = 0;
};
std::string to_string(const Action& action);

// What is explored.
struct Scope {
  std::array<std::uint8_t, kMaxPeers> subscriptions{};  // set of queries of each peer
  std::uint8_t peers = 3;
  Index documents = 2;
  std::uint8_t writes = 3;
  std::uint8_t longest_cut = 12;  // MeetCut delivers fewer messages than this
  ActionSet actions = kAllActions;
  std::vector<Action> prologue;  // done before the exploration begins
};

World initial(const Scope& scope);

// All that may be done now.
void possible_actions(const World& world, const Scope& scope, std::vector<Action>& out);

enum class Outcome : std::uint8_t { Done, Nothing, Endless };  // Nothing: the same as another action, or as none
Outcome perform(World& world, const Scope& scope, const Rules& rules, const Action& action);

}  // namespace fermata::model
