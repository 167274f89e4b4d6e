// Sessions: who says what when. What is sent is in feed.cpp, what is taken in in intake.cpp.
#include "model/exchange.hpp"

#include <algorithm>

namespace fermata::model {

Exchange::Exchange(World& world, const Rules& rules, Index documents)
    : world_(world), rules_(rules), documents_(documents) {
  for (Index a = 0; a < world_.peer_count; ++a) {
    for (Index b = 0; b < world_.peer_count; ++b) {
      if (a != b && world_.is_linked(a, b)) reopen(a, b);
    }
  }
}

void Exchange::reopen(Index from, Index to) {
  Direction& way = direction(from, to);
  way.open = true;
  for (Index query = 0; query < kQueries; ++query) {
    const Position announced = peer(to).cursors[from][query];
    way.feeds[query] = {peer(to).wants(Query(query)),
                        {peer(from).head, peer(from).head},
                        announced,
                        announced.seq,
                        std::min(announced.seq, peer(from).confirmed[to]),
                        false};
  }
}

void Exchange::meet(Index first, Index second) {
  world_.link(first, second);
  first_ = first;
  second_ = second;
  opening_ = true;
  direction(first, second).open = direction(second, first).open = true;
  send_hello(first, second);
  send_hello(second, first);
}

void Exchange::send_hello(Index from, Index to) {
  Peer& me = peer(from);
  // Whatever we hold when a subscription begins from nothing, the remote names.
  if (me.wants(kShown) && me.cursors[to][kShown].seq == 0) me.confirmed[to] = me.head;
  Message hello{.type = Message::Type::Hello, .cursors = me.cursors[to], .live = me.live, .purged_seq = me.purged_seq};
  hello.purged_life = me.purged_life;
  hello.known = me.known;
  for (const Document& each : me.documents) hello.holds_documents = hello.holds_documents || each.alive();
  Direction& way = direction(from, to);
  way.told_head = way.opened_head = me.head;
  way.said = hello;
  way.wire.push(hello);
}

void Exchange::written(Index at, Index document, const Document& before) {
  committed(at, {document, before, peer(at).documents[document].seq()}, std::nullopt);
}

std::optional<int> Exchange::run(std::optional<int> limit) {
  constexpr int kEndless = 60;
  for (int rounds = 0; deliver_round(limit); ++rounds) {
    if (rounds > kEndless) return std::nullopt;
  }
  for (const auto& row : directions_) {
    for (const Direction& way : row) {
      if (way.wire.overflowed() || way.in_flight.overflowed()) return std::nullopt;
    }
  }
  return carried_;
}

// One message of each direction. Result: whether there was any.
bool Exchange::deliver_round(std::optional<int> limit) {
  bool any = false;
  for (Index i = 0; i < world_.peer_count; ++i) {
    for (Index j = 0; j < world_.peer_count; ++j) {
      const Index from = (i + first_) % world_.peer_count;
      const Index to = (j + first_) % world_.peer_count;
      const bool opened = opening_ && ((from == first_ && to == second_) || (from == second_ && to == first_));
      if (opened && limit && carried_ >= *limit && world_.is_linked(from, to)) {
        world_.cut(from, to);
        direction(from, to) = {};
        direction(to, from) = {};
      }
      if (direction(from, to).wire.empty()) continue;
      carried_ += opened ? 1 : 0;
      deliver(from, to);
      any = true;
    }
  }
  return any;
}

void Exchange::deliver(Index from, Index to) {
  const Message message = direction(from, to).wire.front();
  direction(from, to).wire.pop();
  switch (message.type) {
    case Message::Type::Hello:
      return on_hello(to, from, message);
    case Message::Type::Changes:
      return on_changes(to, from, message);
    case Message::Type::Want:
      return on_want(to, from, message);
    case Message::Type::Ack:
      return on_ack(to, from, message);
  }
}

namespace {

// Whether who said `theirs` may have missed deletions that who said `ours` has forgotten.
bool is_behind(const Message& theirs, const Message& ours) {
  if (!theirs.holds_documents) return false;
  for (Index query = 0; query < kQueries; ++query) {
    if ((theirs.live >> query & 1) != 0 && theirs.cursors[query].base < ours.purged_seq) return true;
  }
  return false;
}

}  // namespace

void Exchange::on_hello(Index me, Index remote, const Message& hello) {
  Direction& way = direction(me, remote);
  peer(me).purged_life = std::max(peer(me).purged_life, hello.purged_life);
  if (rules_.broken(Defect::KnownBeforeLevel)) peer(me).known |= hello.known;
  for (Index query = 0; query < kQueries; ++query) {
    Position start = hello.cursors[query];
    start.seq = rewound(me, remote, start.seq);
    start.base = std::min(start.base, start.seq);
    way.feeds[query] = {(hello.live >> query & 1) != 0,
                        start,
                        start,
                        start.seq,
                        start.seq,
                        hello.cursors[query].seq == 0 && !rules_.broken(Defect::EchoWithheldFromNothing)};
  }
  if (!rules_.broken(Defect::HorizonIgnored)) {
    way.waits_for_surplus = is_behind(hello, way.said) && !rules_.broken(Defect::HorizonPassedEarly);
    if (is_behind(way.said, hello)) send_surplus(me, remote);
  }
  pump(me, remote);
}

void Exchange::on_ack(Index me, Index remote, const Message& ack) {
  Direction& way = direction(me, remote);
  delivered(way, way.in_flight.front());
  way.in_flight.pop();
  std::optional<Seq> settled;
  for (Index query = 0; query < kQueries; ++query) {
    FeedState& feed = way.feeds[query];
    if (!feed.live) continue;
    if (way.unanswered_wants == 0)
      feed.settled = std::max(feed.settled, std::min(feed.delivered, ack.cursors[query].seq));
    settled = std::min(settled.value_or(feed.settled), feed.settled);
  }
  if (way.feeds[kWhole].live) peer(me).told = std::max(peer(me).told, ack.cursors[kWhole].base);
  if (settled && peer(me).wants(kShown)) peer(me).confirmed[remote] = std::max(peer(me).confirmed[remote], *settled);
  pump(me, remote);
}

void Exchange::delivered(Direction& way, const Flight& flight) {
  way.unanswered_wants = std::uint8_t(way.unanswered_wants - flight.answers);
  for (Index query = 0; query < kQueries; ++query) {
    const Range& range = flight.ranges[query];
    FeedState& feed = way.feeds[query];
    if (range.set && range.from <= feed.delivered) feed.delivered = std::max(feed.delivered, range.to);
  }
}

void Exchange::level(Index a, Index b) {
  if (!world_.is_linked(a, b)) return;
  const std::array<Peer, 2> before{peer(a), peer(b)};
  const auto take = [&](Peer& me, const Peer& remote) {
    me.alone = 0;
    me.level_seq = me.head;
    if (me.wants(kWhole) || rules_.broken(Defect::KnownToPartial)) me.known |= remote.known;
  };
  take(peer(a), before[1]);
  take(peer(b), before[0]);
}

}  // namespace fermata::model
