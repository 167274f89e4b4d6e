// What goes to a remote: as src/sync/feed_send.cpp does it, one document per frame.
#include <algorithm>

#include "model/exchange.hpp"

namespace fermata::model {

// Where we hold documents by a query, the remote may owe us corrections of what we sent.
Seq Exchange::rewound(Index from, Index to, Seq seq) const {
  const Peer& me = world_.peers[from];
  return me.wants(kShown) ? std::min(seq, me.confirmed[to]) : seq;
}

Sent Exchange::delta(Index from, Index to, Index document, Seq since, bool from_nothing) const {
  const Document& ours = world_.peers[from].documents[document];
  const Seq opened = directions_[from][to].opened_head;
  const auto qualifies = [&](Mark mark) {
    return mark.seq > since && (mark.source != to + 1 || (from_nothing && mark.seq <= opened));
  };
  Sent sent;
  sent.content = ours;
  sent.whole = true;
  bool any = qualifies(ours.life_mark);
  for (Register& each : sent.content.fields) {
    if (each.commit == 0) continue;
    if (qualifies(each.mark)) {
      any = true;
      continue;
    }
    each = {};
    sent.whole = false;
  }
  sent.set = any && ours.exists();
  if (world_.peers[from].wants(kShown) && !rules_.broken(Defect::SupersededNotTold)) sent.fingerprint = ours;
  return sent;
}

// All of it, whatever the remote may have had once.
Sent Exchange::whole(Index from, Index to, Index document) const {
  const Document& ours = world_.peers[from].documents[document];
  Sent sent = delta(from, to, document, 0, false);
  sent.set = ours.exists();
  if (!rules_.broken(Defect::AnswerWithoutEcho)) sent.content = ours;
  sent.whole = true;
  const Message& theirs = directions_[to][from].said;
  if (rules_.broken(Defect::JudgeByPartialQuery)) sent.had = ours.life_mark.seq <= theirs.cursors[kShown].seq;
  const Peer& me = world_.peers[from];
  const bool stale = me.alone >= 2 && world_.peers[to].alone < 2;
  if (rules_.broken(Defect::StaleDeviceDrops)) sent.had = stale && ours.seq() <= me.level_seq;
  return sent;
}

// Every living document, whole: who has purged judges also what it does not want (any more). Reconciliation finds those
// that it lacks; taking in the others changes nothing.
void Exchange::send_surplus(Index from, Index to) {
  for (Index document = 0; document < documents_; ++document) {
    if (!peer(from).documents[document].alive()) continue;
    Message frame;
    frame.surplus = true;
    frame.documents[document] = whole(from, to, document);
    flush(from, to, frame);
  }
  Message end;
  end.surplus_end = true;
  flush(from, to, end);
}

void Exchange::pump(Index from, Index to) {
  Direction& way = direction(from, to);
  if (way.waits_for_surplus) return;
  const Seq head = peer(from).head;
  for (;;) {
    PeerSet group = 0;
    Seq lowest = 0;
    for (Index query = 0; query < kQueries; ++query) {
      const FeedState& feed = way.feeds[query];
      if (!feed.live || (feed.position.complete() && feed.position.seq >= head)) continue;
      if (group != 0 && lowest < feed.position.seq) continue;
      if (group != 0 && lowest > feed.position.seq) group = 0;
      lowest = feed.position.seq;
      group = PeerSet(group | 1u << query);
    }
    if (group == 0) break;
    walk(from, to, group);
  }
  if (announcement_due(way)) flush(from, to, {});
}

void Exchange::walk(Index from, Index to, PeerSet group) {
  Direction& way = direction(from, to);
  const Seq head = peer(from).head;
  Seq start = 0, limit = 0xff;
  for (Index query = 0; query < kQueries; ++query) {
    if ((group >> query & 1) != 0) start = way.feeds[query].position.seq;
  }
  for (const FeedState& feed : way.feeds) {
    if (feed.live && feed.position.seq > start) limit = std::min(limit, feed.position.seq);
  }
  std::optional<Index> next;
  for (Index document = 0; document < documents_; ++document) {
    const Seq seq = peer(from).documents[document].seq();
    if (seq > start && (!next || seq < peer(from).documents[*next].seq())) next = document;
  }
  Message frame;
  Seq reached = std::max(start, head);
  if (next) {
    const Seq seq = peer(from).documents[*next].seq();
    if (seq <= limit) walk_document(from, to, group, *next, frame);
    reached = std::min(seq, limit);
  }
  const bool complete = reached >= head || rules_.broken(Defect::BaseIgnored);
  for (Index query = 0; query < kQueries; ++query) {
    if ((group >> query & 1) == 0) continue;
    way.feeds[query].position.seq = reached;
    if (complete) way.feeds[query].position.base = reached;
  }
  flush(from, to, frame);
}

void Exchange::walk_document(Index from, Index to, PeerSet group, Index document, Message& frame) const {
  const Direction& way = directions_[from][to];
  const Document& ours = world_.peers[from].documents[document];
  Sent& sent = frame.documents[document];
  if ((group >> kWhole & 1) != 0) {
    sent = delta(from, to, document, way.feeds[kWhole].position.base, way.feeds[kWhole].from_nothing);
    return;
  }
  if (world_.matches(kShown, ours)) {
    sent = delta(from, to, document, 0, way.feeds[kShown].from_nothing);
    return;
  }
  // Whether it matched where the cursor stands cannot be known; whoever holds it will ask.
  if (rules_.broken(Defect::LeaversNotNamed)) return;
  if (delta(from, to, document, way.feeds[kShown].position.base, way.feeds[kShown].from_nothing).set)
    frame.names = DocumentSet(frame.names | 1u << document);
}

void Exchange::push(Index from, Index to, const Change& change, std::optional<Index> source) {
  Direction& way = direction(from, to);
  if (!way.open || way.waits_for_surplus) return;
  PeerSet live = 0;
  for (Index query = 0; query < kQueries; ++query) {
    const FeedState& feed = way.feeds[query];
    if (feed.live && feed.position.complete() && feed.position.seq + 1 == change.seq)
      live = PeerSet(live | 1u << query);
  }
  if (live == 0) return;
  const Share share = share_of(live, change, peer(from).documents[change.document]);
  for (Index query = 0; query < kQueries; ++query) {
    if ((live >> query & 1) != 0) way.feeds[query].position = {change.seq, change.seq};
  }
  Message frame;
  // Of what the remote itself sent, only documents that it lacks otherwise can be of use to it.
  if (share != Share::Nothing && share >= (source == to ? Share::Whole : Share::Registers))
    frame.documents[change.document] =
        delta(from, to, change.document, share == Share::Whole ? Seq(0) : Seq(change.seq - 1), false);
  if (frame.documents[change.document].set || announcement_due(way)) flush(from, to, frame);
}

Exchange::Share Exchange::share_of(PeerSet live, const Change& change, const Document& after) const {
  Share share = Share::Nothing;
  for (Index query = 0; query < kQueries; ++query) {
    if ((live >> query & 1) == 0) continue;
    const bool before = !rules_.broken(Defect::BeforeMatchIgnored) && world_.matches(Query(query), change.before);
    if (before || query == kWhole) return Share::Registers;
    if (world_.matches(Query(query), after)) share = Share::Whole;
  }
  return share;
}

void Exchange::committed(Index me, const Change& change, std::optional<Index> source) {
  for (Index to = 0; to < world_.peer_count; ++to) {
    if (to != me) push(me, to, change, source);
  }
}

void Exchange::announce(Direction& way, Message& frame) {
  for (Index query = 0; query < kQueries; ++query) {
    FeedState& feed = way.feeds[query];
    if (!feed.live || feed.announced == feed.position) continue;
    frame.ranges[query] = {true, feed.announced.seq, feed.position.seq, feed.position.complete()};
    feed.announced = feed.position;
  }
}

bool Exchange::announcement_due(const Direction& way) const {
  return std::any_of(way.feeds.begin(), way.feeds.end(), [&](const FeedState& feed) {
    return feed.live && feed.announced.seq < feed.position.seq && feed.announced.seq < way.told_head;
  });
}

void Exchange::flush(Index from, Index to, Message frame, std::uint8_t answers) {
  Direction& way = direction(from, to);
  announce(way, frame);
  bool empty = frame.names == 0 && !frame.surplus_end;
  for (const Sent& each : frame.documents) empty = empty && !each.set;
  for (Index query = 0; query < kQueries; ++query) empty = empty && !frame.ranges[query].set && !frame.held[query].set;
  if (empty) {
    if (way.in_flight.empty()) {
      way.unanswered_wants = std::uint8_t(way.unanswered_wants - answers);
    } else {
      way.in_flight.back().answers = std::uint8_t(way.in_flight.back().answers + answers);
    }
    return;
  }
  way.told_head = peer(from).head;
  way.in_flight.push({frame.ranges, answers});
  way.wire.push(frame);
}

bool Exchange::overlooks(Index me, Index remote, const Document& before, const Document& after) {
  bool asks = false;
  for (Index query = 0; query < kQueries; ++query) {
    if (!direction(me, remote).feeds[query].live) continue;
    if (world_.matches(Query(query), before) || world_.matches(Query(query), after)) return false;
    asks = true;
  }
  return asks;
}

}  // namespace fermata::model
