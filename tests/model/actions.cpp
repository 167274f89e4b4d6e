#include "model/actions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/exchange.hpp"

namespace fermata::model {
namespace {

bool contains(ActionSet set, ActionKind kind) {
  return (set >> unsigned(kind) & 1) != 0;
}

// Ids are not used twice by those who do not know of each other: whoever inserts knows that the document was deleted,
// or nobody ever inserted it.
bool may_insert(const World& world, const Peer& peer, Index document) {
  const Document& ours = peer.documents[document];
  if (ours.exists()) return !ours.alive();
  return world.truth[document].life == 0 || peer.purged_life >= world.truth[document].life;
}

// Nobody evicts the only copy of something.
bool held_elsewhere(const World& world, Index peer, Index document) {
  for (Index other = 0; other < world.peer_count; ++other) {
    Document theirs = world.peers[other].documents[document];
    if (other != peer && theirs.exists() && !merge(world, theirs, world.peers[peer].documents[document], {}))
      return true;
  }
  return false;
}

bool may_evict(const World& world, Index peer, Index document) {
  const Document& ours = world.peers[peer].documents[document];
  return ours.alive() && held_elsewhere(world, peer, document);
}

bool may_write(const World& world, Index peer, Index document, ActionKind kind) {
  const Document& ours = world.peers[peer].documents[document];
  switch (kind) {
    case ActionKind::Insert:
      return may_insert(world, world.peers[peer], document);
    case ActionKind::MoveOut:
      return ours.alive() && world.shown(ours);
    case ActionKind::MoveIn:
      return ours.alive() && !world.shown(ours);
    default:
      return ours.alive();
  }
}

void write_fields(World& world, Document& document, const Action& action, Mark mark) {
  const CommitId id = ++world.commit_count;
  Commit& commit = world.commits[id];
  commit = {document.life, action.kind == ActionKind::Insert || action.kind == ActionKind::MoveIn};
  if (action.kind == ActionKind::Insert) document.birth = id;
  if (action.kind != ActionKind::Set) document.fields[kShownField] = {id, mark};
  if (action.kind == ActionKind::Insert || action.kind == ActionKind::Set) document.fields[kText] = {id, mark};
}

void write(World& world, const Rules& rules, const Action& action) {
  Peer& peer = world.peers[action.peer];
  Document& document = peer.documents[action.other];
  const Mark mark{++peer.head, 0};
  ++world.writes;
  if (action.kind == ActionKind::Delete) {
    document.life = std::uint8_t(document.life + 1);
    document.life_mark = mark;
  } else {
    if (action.kind == ActionKind::Insert) {
      const std::uint8_t used = document.exists() ? document.life : peer.purged_life;
      const bool forgets = document.exists() && (peer.known >> document.birth & 1) == 0;
      const bool keep = document.keep || forgets;
      document = {};
      document.keep = keep;
      document.life = std::uint8_t((rules.broken(Defect::LifeReused) && used == peer.purged_life ? 0 : used) + 1) | 1;
      document.life_mark = mark;
    }
    write_fields(world, document, action, mark);
    if (!peer.evicted) peer.known = std::uint8_t(peer.known | 1u << world.commit_count);
  }
  Document said = document;
  merge(world, world.truth[action.other], said, {});
}

// Those of subscriptions that are not live: they would claim a document that is gone.
void forget_cursors(Peer& peer) {
  for (auto& cursors : peer.cursors) {
    for (const Query query : {kWhole, kShown}) {
      if (!peer.wants(query)) cursors[query] = {};
    }
  }
}

Outcome evict(World& world, const Rules& rules, Index index, Index document) {
  Peer& peer = world.peers[index];
  for (Index query = 0; query < kQueries; ++query) {
    const bool matched = world.matches(Query(query), peer.documents[document]);
    if (peer.wants(Query(query)) && matched && !rules.broken(Defect::EvictWanted)) return Outcome::Nothing;
  }
  peer.documents[document] = {};
  if (!rules.broken(Defect::EvictKeepsCursors)) forget_cursors(peer);
  if (rules.broken(Defect::EvictKeepsKnown)) return Outcome::Done;
  peer.known = 0;
  peer.evicted = true;
  return Outcome::Done;
}

// A holder of the whole collection purges what it would recognise; a holder of a part, what such a one was told.
bool may_purge(const Peer& peer, const Document& document, const Rules& rules) {
  if (!document.exists() || document.alive()) return false;
  if (document.keep && !rules.broken(Defect::ForgottenLivesPurged)) return false;
  if (rules.broken(Defect::PurgeUnrecognisable)) return true;
  if (peer.wants(kWhole)) return (peer.known >> document.birth & 1) != 0;
  return peer.told >= document.life_mark.seq;
}

Outcome purge(World& world, const Rules& rules, Index index) {
  Peer& peer = world.peers[index];
  Outcome outcome = Outcome::Nothing;
  for (Document& each : peer.documents) {
    if (!may_purge(peer, each, rules)) continue;
    // A holder of a part leaves it to who has the whole to remember.
    if (peer.wants(kWhole)) {
      peer.purged_seq = std::max(peer.purged_seq, each.seq());
    } else {
      forget_cursors(peer);
    }
    peer.purged_life = std::max(peer.purged_life, each.life);
    each = {};
    outcome = Outcome::Done;
  }
  return outcome;
}

Outcome subscribe(World& world, Index index, bool wanted) {
  Peer& peer = world.peers[index];
  if (peer.wants(kWhole) == wanted || world.linked[index] != 0) return Outcome::Nothing;
  peer.live = std::uint8_t(peer.live ^ 1u << kWhole);
  return Outcome::Done;
}

Outcome meet(World& world, const Scope& scope, const Rules& rules, const Action& action) {
  Exchange exchange(world, rules, scope.documents);
  exchange.meet(action.peer, action.other);
  const bool cut = action.kind == ActionKind::MeetCut;
  const auto carried = exchange.run(cut ? std::optional<int>(action.messages) : std::nullopt);
  if (!carried) return Outcome::Endless;
  // It was quiet before it could be cut.
  if (cut && world.is_linked(action.peer, action.other)) return Outcome::Nothing;
  if (!cut) exchange.level(action.peer, action.other);
  return Outcome::Done;
}

Outcome write_and_tell(World& world, const Scope& scope, const Rules& rules, const Action& action) {
  const Document before = world.peers[action.peer].documents[action.other];
  Exchange exchange(world, rules, scope.documents);
  write(world, rules, action);
  exchange.written(action.peer, action.other, before);
  return exchange.run() ? Outcome::Done : Outcome::Endless;
}

Outcome pass_time(World& world) {
  for (Index i = 0; i < world.peer_count; ++i) {
    Peer& peer = world.peers[i];
    if (world.linked[i] == 0) peer.alone = std::min<std::uint8_t>(2, std::uint8_t(peer.alone + 1));
  }
  return Outcome::Done;
}

}  // namespace

World initial(const Scope& scope) {
  World world;
  world.peer_count = scope.peers;
  for (Index i = 0; i < scope.peers; ++i) world.peers[i].live = scope.subscriptions[i];
  return world;
}

void possible_actions(const World& world, const Scope& scope, std::vector<Action>& out) {
  const auto add = [&](ActionKind kind, Index peer, Index other, int messages = 0) {
    if (contains(scope.actions, kind))
      out.push_back({kind, std::uint8_t(peer), std::uint8_t(other), std::uint8_t(messages)});
  };
  for (Index peer = 0; peer < world.peer_count; ++peer) {
    for (Index document = 0; document < scope.documents; ++document) {
      for (int kind = 0; kind <= int(ActionKind::Delete) && world.writes < scope.writes; ++kind) {
        if (may_write(world, peer, document, ActionKind(kind))) add(ActionKind(kind), peer, document);
      }
      if (may_evict(world, peer, document)) add(ActionKind::Evict, peer, document);
    }
    add(ActionKind::Purge, peer, 0);
    add(world.peers[peer].wants(kWhole) ? ActionKind::Unsubscribe : ActionKind::Subscribe, peer, 0);
    for (Index other = peer + 1; other < world.peer_count; ++other) {
      if (world.is_linked(peer, other)) {
        add(ActionKind::Cut, peer, other);
        continue;
      }
      add(ActionKind::Meet, peer, other);
      for (int messages = 1; messages < scope.longest_cut; ++messages) add(ActionKind::MeetCut, peer, other, messages);
    }
  }
  add(ActionKind::TimePasses, 0, 0);
}

Outcome perform(World& world, const Scope& scope, const Rules& rules, const Action& action) {
  switch (action.kind) {
    case ActionKind::Evict:
      return evict(world, rules, action.peer, action.other);
    case ActionKind::Purge:
      return purge(world, rules, action.peer);
    case ActionKind::Subscribe:
    case ActionKind::Unsubscribe:
      return subscribe(world, action.peer, action.kind == ActionKind::Subscribe);
    case ActionKind::Meet:
    case ActionKind::MeetCut:
      return meet(world, scope, rules, action);
    case ActionKind::Cut:
      world.cut(action.peer, action.other);
      return Outcome::Done;
    case ActionKind::TimePasses:
      return pass_time(world);
    default:
      return write_and_tell(world, scope, rules, action);
  }
}

std::string to_string(const Action& action) {
  static constexpr std::array<const char*, std::size_t(ActionKind::Count)> kNames{"insert",
                                                                                  "set",
                                                                                  "move out",
                                                                                  "move in",
                                                                                  "delete",
                                                                                  "evict",
                                                                                  "purge",
                                                                                  "subscribe to all",
                                                                                  "unsubscribe from all",
                                                                                  "meet",
                                                                                  "meet",
                                                                                  "cut",
                                                                                  "time passes by the TTL"};
  const char* name = kNames[std::size_t(action.kind)];
  const char peer = char('P' + action.peer);
  if (action.kind <= ActionKind::Evict) return fmt::format("{}: {} d{}", peer, name, action.other + 1);
  if (action.kind <= ActionKind::Unsubscribe) return fmt::format("{}: {}", peer, name);
  if (action.kind == ActionKind::TimePasses) return name;
  std::string text = fmt::format("{} and {} {}", peer, char('P' + action.other), name);
  if (action.kind == ActionKind::MeetCut) text += fmt::format(", cut after {} messages", action.messages);
  return text;
}

}  // namespace fermata::model
