// What comes from a remote: as src/sync/intake.cpp does it, and the receiver's judgement over what it has forgotten.
#include <algorithm>

#include "model/exchange.hpp"

namespace fermata::model {

void Exchange::on_changes(Index me, Index remote, const Message& changes) {
  Taken taken;
  for (Index document = 0; document < documents_; ++document) {
    if (changes.documents[document].set) take_document(me, remote, document, changes, taken);
    const bool named = (changes.names >> document & 1) != 0;
    if (named && peer(me).documents[document].exists()) taken.wanted = DocumentSet(taken.wanted | 1u << document);
  }
  if (taken.wanted == 0 || rules_.broken(Defect::HeldRangeFolded)) {
    fold(me, remote, changes.held);
    fold(me, remote, changes.ranges);
  }
  Direction& way = direction(me, remote);
  if (taken.wanted != 0) {
    Message want{.type = Message::Type::Want, .names = taken.wanted, .ranges = changes.ranges, .held = changes.held};
    way.wire.push(want);
  }
  if (changes.surplus_end) way.waits_for_surplus = false;
  correct(me, remote, taken.corrections);
  pump(me, remote);
  way.wire.push({.type = Message::Type::Ack, .cursors = peer(me).cursors[remote]});
  for (Index i = 0; i < taken.changed; ++i) {
    const bool buried = peer(me).documents[taken.changes[i].document].life_mark.source == 0;
    committed(me, taken.changes[i], buried ? std::optional<Index>() : remote);
  }
}

void Exchange::correct(Index me, Index remote, DocumentSet documents) {
  if (documents == 0) return;
  Message frame;
  for (Index document = 0; document < documents_; ++document) {
    if ((documents >> document & 1) != 0) frame.documents[document] = whole(me, remote, document);
  }
  flush(me, remote, frame);
}

void Exchange::take_document(Index me, Index remote, Index document, const Message& changes, Taken& taken) {
  const Sent& sent = changes.documents[document];
  Document& ours = peer(me).documents[document];
  const Document before = ours;
  if (ours.kept_life() < sent.content.kept_life()) {
    if (!sent.whole && !rules_.broken(Defect::PartialMerged)) {
      taken.wanted = DocumentSet(taken.wanted | 1u << document);
      return;
    }
    if (sent.content.alive() && forgotten(me, sent)) {
      if (rules_.broken(Defect::DropWithoutTrace)) {
        peer(remote).documents[document] = {};
        return;
      }
      return bury(me, document, sent, taken);
    }
    if (changes.surplus && !ours.exists() && !wants(me, sent.content)) return;
  }
  const Mark mark{Seq(peer(me).head + 1), std::uint8_t(remote + 1)};
  if (merge(world_, ours, sent.content, mark)) {
    peer(me).head = mark.seq;
    taken.changes[taken.changed++] = {document, before, mark.seq};
  }
  const bool dead = sent.content.alive() && sent.content.life < ours.life && !rules_.broken(Defect::DeadNotTold);
  if (dead) taken.corrections = DocumentSet(taken.corrections | 1u << document);
  if (sent.fingerprint && !ours.same_content(*sent.fingerprint) && overlooks(me, remote, before, ours))
    taken.corrections = DocumentSet(taken.corrections | 1u << document);
}

bool Exchange::wants(Index me, const Document& document) const {
  const Peer& ours = world_.peers[me];
  return ours.wants(kWhole) || (ours.wants(kShown) && world_.matches(kShown, document));
}

// Whether we have had this life of a document that we do not have: then it was deleted and purged.
bool Exchange::forgotten(Index me, const Sent& sent) const {
  const Peer& judge = world_.peers[me];
  switch (rules_.defect) {
    case Defect::JudgeAlways:
      return judge.wants(kWhole);
    case Defect::JudgeNever:
      return false;
    case Defect::JudgeByPartialQuery:
    case Defect::StaleDeviceDrops:
      if (sent.had) return true;
      break;
    default:
      break;
  }
  return (judge.known >> sent.content.birth & 1) != 0;
}

// What the purged tombstone said, said again. It goes out like any deletion of our own.
void Exchange::bury(Index me, Index document, const Sent& sent, Taken& taken) {
  Document& ours = peer(me).documents[document];
  const Document before = ours;
  const Mark mark{++peer(me).head, 0};
  ours = sent.content;
  ours.life = std::uint8_t(ours.life + 1);
  ours.life_mark = mark;
  for (Register& each : ours.fields) {
    if (each.commit != 0) each.mark = mark;
  }
  taken.changes[taken.changed++] = {document, before, mark.seq};
}

void Exchange::fold(Index me, Index remote, const Ranges& ranges) {
  for (Index query = 0; query < kQueries; ++query) {
    if (!ranges[query].set || !peer(me).wants(Query(query))) continue;
    Range range = ranges[query];
    if (rules_.broken(Defect::CursorOffByOne)) ++range.to;
    Queue<Range, 12>& waiting = direction(remote, me).waiting[query];
    waiting.push(range);
    extend(peer(me).cursors[remote][query], waiting);
  }
}

// Whatever joins what we have; the rest waits for the hole before it.
void Exchange::extend(Position& position, Queue<Range, 12>& waiting) {
  for (bool joined = true; joined;) {
    joined = false;
    for (std::size_t left = waiting.size(); left > 0; --left) {
      const Range range = waiting.front();
      waiting.pop();
      if (range.from > position.seq) {
        waiting.push(range);
        continue;
      }
      joined = true;
      if (range.to < position.seq) continue;
      position.seq = range.to;
      if (range.complete) position.base = range.to;
    }
  }
}

void Exchange::on_want(Index me, Index remote, const Message& want) {
  ++direction(me, remote).unanswered_wants;
  Message answer;
  answer.ranges = {};
  for (Index document = 0; document < documents_; ++document) {
    if ((want.names >> document & 1) != 0) answer.documents[document] = whole(me, remote, document);
  }
  answer.held = want.ranges;
  for (Index query = 0; query < kQueries; ++query) {
    if (!want.held[query].set) continue;
    Range& joined = answer.held[query];
    if (!joined.set) {
      joined = want.held[query];
      continue;
    }
    joined.complete = want.ranges[query].complete;
    joined.from = std::min(joined.from, want.held[query].from);
  }
  flush(me, remote, answer, 1);
  pump(me, remote);
}

}  // namespace fermata::model
