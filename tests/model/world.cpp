#include "model/world.hpp"

#include <algorithm>

namespace fermata::model {

Seq Document::seq() const {
  Seq last = life_mark.seq;
  for (const Register& each : fields) last = std::max(last, each.mark.seq);
  return last;
}

bool Document::same_content(const Document& other) const {
  return life == other.life && birth == other.birth &&
         std::equal(fields.begin(), fields.end(), other.fields.begin(),
                    [](const Register& a, const Register& b) { return a.commit == b.commit; });
}

void World::link(Index a, Index b) {
  linked[a] = PeerSet(linked[a] | 1u << b);
  linked[b] = PeerSet(linked[b] | 1u << a);
}

void World::cut(Index a, Index b) {
  linked[a] = PeerSet(linked[a] & ~(1u << b));
  linked[b] = PeerSet(linked[b] & ~(1u << a));
}

bool World::shown(const Document& document) const {
  return commits[document.fields[kShownField].commit].shown;
}

bool World::matches(Query query, const Document& document) const {
  return document.exists() && (query == kWhole || shown(document));
}

bool merge(const World& world, Document& ours, const Document& theirs, Mark mark) {
  bool changed = false;
  if (theirs.life > ours.life) {
    ours.life = theirs.life;
    ours.life_mark = mark;
    changed = true;
  }
  const std::uint8_t kept = ours.kept_life();
  const auto counts = [&](CommitId commit) { return commit != 0 && world.commits[commit].life == kept; };
  if (!counts(ours.birth)) ours.birth = 0;
  for (Register& each : ours.fields) {
    if (!counts(each.commit)) each = {};
  }
  // Of two concurrent births one has to stand for the life; either would do.
  if (counts(theirs.birth) && theirs.birth > ours.birth) {
    ours.birth = theirs.birth;
    changed = true;
    ours.life_mark = mark;
  }
  for (Index i = 0; i < kFields; ++i) {
    if (!counts(theirs.fields[i].commit) || theirs.fields[i].commit <= ours.fields[i].commit) continue;
    ours.fields[i] = {theirs.fields[i].commit, mark};
    changed = true;
  }
  return changed;
}

}  // namespace fermata::model
