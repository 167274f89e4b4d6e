// Merging is a join: whatever arrives, in whatever order, however often, in whatever portions.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include <array>

#include "crdt/document.hpp"
#include "crdt/order.hpp"
#include "generators.hpp"
#include "wire.hpp"

namespace fermata::crdt {
namespace {

constexpr LocalMark kMark{1, 1};

// Everything that two equal documents agree on: all but the marks.
std::string state_of(const Document& document) {
  std::string text = std::to_string(document.life());
  for (const Register& r : document.registers()) {
    for (const std::string& name : r.path) text += "." + name;
    text += "=" + std::to_string(int(r.kind)) + to_json(r.value) + "@" + std::to_string(r.stamp.value) + ":" +
            std::to_string(r.dot.actor) + ":" + std::to_string(r.dot.seq) + ":" + std::to_string(r.life) + "\n";
  }
  return text;
}

Delta whole_delta(const Document& document) {
  return document.delta_since(0, 0).value();
}

Document made_of(const Wild& wild) {
  Document document;
  document.merge(wild.delta, kMark);
  return document;
}

Document merged(Document a, const Document& b) {
  a.merge(whole_delta(b), kMark);
  return a;
}

void check_round_trip(const Document& document) {
  const Bytes body = document.encode_body();
  RC_ASSERT(decode_value(body).value() == Value(document.view()));
  const auto back = Document::decode(body, document.encode_metadata());
  if (!back) RC_FAIL(back.error().message);
  RC_ASSERT(state_of(*back) == state_of(document));
  RC_ASSERT(back->life_mark() == document.life_mark());
  for (std::size_t i = 0; i < back->registers().size(); ++i) {
    RC_ASSERT(back->registers()[i].mark == document.registers()[i].mark);
  }
}

RC_GTEST_PROP(Merge, IsCommutative, (const Wild& a, const Wild& b)) {
  const Document x = made_of(a), y = made_of(b);
  RC_ASSERT(state_of(merged(x, y)) == state_of(merged(y, x)));
  RC_ASSERT(merged(x, y).fingerprint() == merged(y, x).fingerprint());
}

RC_GTEST_PROP(Merge, IsAssociative, (const Wild& a, const Wild& b, const Wild& c)) {
  const Document x = made_of(a), y = made_of(b), z = made_of(c);
  RC_ASSERT(state_of(merged(merged(x, y), z)) == state_of(merged(x, merged(y, z))));
}

RC_GTEST_PROP(Merge, IsIdempotentAndSaysSo, (const Wild& a, const Wild& b)) {
  Document document = merged(made_of(a), made_of(b));
  const std::string before = state_of(document);
  for (const Wild* again : {&a, &b}) RC_ASSERT(!document.merge(again->delta, kMark));
  RC_ASSERT(!document.merge(whole_delta(document), kMark));
  RC_ASSERT(state_of(document) == before);
}

RC_GTEST_PROP(Merge, TakesWholeDeltasAndSingleRegistersAlike, (const Wild& a, const Wild& b)) {
  Document whole = made_of(a), single = whole;
  const bool changed = whole.merge(b.delta, kMark);
  bool changed_singly = single.merge(Delta{"", "", b.delta.life, {}}, kMark);
  for (auto r = b.delta.registers.rbegin(); r != b.delta.registers.rend(); ++r) {
    changed_singly = single.merge(Delta{"", "", b.delta.life, {*r}}, kMark) || changed_singly;
  }
  RC_ASSERT(state_of(whole) == state_of(single));
  RC_ASSERT(changed == (state_of(whole) != state_of(made_of(a))));
  RC_ASSERT(changed || !changed_singly);
}

RC_GTEST_PROP(Pruning, IsMonotone, (const Wild& a, const Wild& b)) {
  const Document before = made_of(a);
  const Document after = merged(before, made_of(b));
  RC_ASSERT(after.life() >= before.life());
  for (const Register& r : after.registers()) {
    const auto old = place_of(before.registers(), r.path);
    if (old == before.registers().end() || old->path != r.path) continue;
    RC_ASSERT(!wins(*old, r) || old->life < r.life);
    const bool same_write = old->dot == r.dot && old->stamp == r.stamp && old->life == r.life;
    if (same_write && old->kind == RegisterKind::Map) RC_ASSERT(r.kind == RegisterKind::Map);
  }
}

RC_GTEST_PROP(Pruning, LeavesNoVoidRegisterAndNoHiddenValue, (const Wild& a, const Wild& b)) {
  const Document document = merged(made_of(a), made_of(b));
  for (const Register& r : document.registers()) {
    for (const Register& above : document.registers()) {
      if (!is_below(r.path, above.path)) continue;
      RC_ASSERT(above.kind == RegisterKind::Map);
      RC_ASSERT(above.value.is_null());
      RC_ASSERT(age_of(above) <= age_of(r));
    }
  }
}

RC_GTEST_PROP(Encoding, OfAnyDocumentRoundTrips, (const Wild& a, const Wild& b)) {
  Document document = made_of(a);
  document.merge(b.delta, LocalMark{300, 70000});
  check_round_trip(document);
}

RC_GTEST_PROP(Encoding, OfAnyDeltaRoundTrips, (const Wild& wild, const std::string& collection, unsigned id)) {
  Delta delta = wild.delta;
  delta.collection = "c" + to_hex(as_bytes(collection));
  delta.id = std::to_string(id);
  Bytes bytes = wire(delta);
  bytes.push_back(7);
  CborReader in(bytes);
  const auto back = unwired(in);
  RC_ASSERT(back.has_value());
  RC_ASSERT(in.uint().value() == 7U);
  RC_ASSERT(back->collection == delta.collection);
  RC_ASSERT(back->id == delta.id);
  RC_ASSERT(back->life == delta.life);
  Bytes again = wire(*back);
  again.push_back(7);
  RC_ASSERT(again == bytes);
}

// Three peers that write, with clocks that disagree, and fetch from each other by cursor, as sync does.
class Group {
 public:
  void take(const Step& step) {
    if (step.verb == Step::Receive) {
      receive(step.peer, step.other);
    } else {
      write(step);
    }
  }

  void receive(std::size_t to, std::size_t from) {
    if (to == from) return;
    Peer& reader = peers_[to];
    Peer& writer = peers_[from];
    writer.open_commit = false;
    reader.open_commit = false;
    const auto delta = writer.document.delta_since(reader.cursors[from], source_of(to));
    reader.cursors[from] = writer.local_seq;
    if (delta) reader.document.merge(*delta, LocalMark{++reader.local_seq, source_of(from)});
  }

  [[nodiscard]] std::size_t size() const { return peers_.size(); }
  [[nodiscard]] const Document& document(std::size_t peer) const { return peers_[peer].document; }

 private:
  struct Peer {
    Document document;
    std::uint64_t seq = 0, local_seq = 0;
    bool open_commit = false;
    std::uint64_t time = 0;
    std::array<std::uint64_t, 3> cursors{};
  };

  static std::uint32_t source_of(std::size_t peer) { return static_cast<std::uint32_t>(peer + 1); }

  // What an author sees afterwards is what it wrote, whatever the clocks say.
  void write(const Step& step) {
    Peer& peer = peers_[step.peer];
    if (!step.same_commit || !peer.open_commit) {
      ++peer.seq;
      peer.time = ++now_ + 20 * step.peer;
    }
    peer.open_commit = true;
    const Commit commit{{step.peer + 1, peer.seq}, Stamp{peer.time}, ++peer.local_seq};
    const Path path = small_path(step.path);
    const bool was_alive = peer.document.alive();
    if (step.verb == Step::Insert) {
      RC_ASSERT(peer.document.insert(small_fields(step.value), commit).has_value() == !was_alive);
      if (!was_alive) RC_ASSERT(peer.document.view() == small_fields(step.value));
    } else if (step.verb == Step::Remove) {
      RC_ASSERT(peer.document.remove(commit).has_value() == was_alive);
      RC_ASSERT(!peer.document.alive());
    } else if (step.verb == Step::Unset) {
      RC_ASSERT(peer.document.unset(path, commit).has_value() == was_alive);
      if (was_alive) RC_ASSERT(at(peer.document.view(), path) == nullptr);
    } else if (step.verb == Step::Count) {
      count(peer.document, path, std::int64_t{step.value} - 3, commit);
    } else if (below_counter(peer.document, path)) {
      RC_ASSERT(!peer.document.set(path, small_value(step.value), commit));
    } else {
      RC_ASSERT(peer.document.set(path, small_value(step.value), commit).has_value() == was_alive);
      if (was_alive) {
        const Map view = peer.document.view();
        RC_ASSERT(at(view, path) != nullptr);
        RC_ASSERT(*at(view, path) == small_value(step.value));
      }
    }
  }

  // Counts where something can be counted, and there only.
  static void count(Document& document, const Path& path, std::int64_t amount, const Commit& commit) {
    const Map before = document.view();
    const Value* seen = at(before, path);
    const bool counter = is_counter_at(document, path);
    const bool possible = document.alive() && (seen == nullptr || counter) && !below_counter(document, path);
    RC_ASSERT(document.increment(path, amount, commit).has_value() == possible);
    if (!possible) {
      RC_ASSERT(document.view() == before);
      return;
    }
    const Map after = document.view();
    const std::int64_t old = counter ? *seen->if_a<std::int64_t>() : 0;
    RC_ASSERT(at(after, path) != nullptr);
    RC_ASSERT(*at(after, path) == Value(old + amount));
  }

  static bool is_counter_at(const Document& document, const Path& path) {
    const auto& all = document.registers();
    return std::any_of(all.begin(), all.end(), [&](const Register& r) {
      return r.kind == RegisterKind::Counter && counter_path(r) == path && at(document.view(), path) != nullptr &&
             at(document.view(), path)->if_a<std::int64_t>() != nullptr;
    });
  }

  static bool below_counter(const Document& document, Path path) {
    for (path.pop_back(); !path.empty(); path.pop_back()) {
      if (document.alive() && is_counter_at(document, path)) return true;
    }
    return false;
  }

  static const Value* at(const Map& map, const Path& path) {
    const Map* level = &map;
    const Value* value = nullptr;
    for (const std::string& name : path) {
      if (level == nullptr) return nullptr;
      const auto found = level->find(name);
      if (found == level->end()) return nullptr;
      value = &found->second;
      level = value->if_a<Map>();
    }
    return value;
  }

  std::array<Peer, 3> peers_;
  std::uint64_t now_ = 0;
};

RC_GTEST_PROP(History, ConvergesThroughCursorsAndEveryStepRoundTrips, (const std::vector<Step>& steps)) {
  Group group;
  for (const Step& step : steps) {
    group.take(step);
    check_round_trip(group.document(step.peer));
  }
  // Peer 0 and peer 2 meet through peer 1 only.
  for (const auto& [to, from] : {std::pair{1, 0}, {1, 2}, {0, 1}, {2, 1}})
    group.receive(std::size_t(to), std::size_t(from));
  const std::string state = state_of(group.document(0));
  for (std::size_t peer = 1; peer < group.size(); ++peer) {
    RC_ASSERT(state_of(group.document(peer)) == state);
    RC_ASSERT(group.document(peer).fingerprint() == group.document(0).fingerprint());
    RC_ASSERT(group.document(peer).view() == group.document(0).view());
  }
}

RC_GTEST_PROP(History, OldNewsChangeNothing, (const std::vector<Step>& steps)) {
  Group group;
  std::vector<std::pair<unsigned, Delta>> news;
  for (Step step : steps) {
    step.same_commit = false;  // half a commit is no news: it never leaves its author
    group.take(step);
    if (const auto delta = group.document(step.peer).delta_since(0, 0)) news.emplace_back(step.peer, *delta);
  }
  for (const auto& [peer, delta] : news) {
    Document document = group.document(peer);
    RC_ASSERT(!document.merge(delta, kMark));
  }
}

RC_GTEST_PROP(DeltaSince, BringsAReaderFromItsCursorToTheWritersState, (const std::vector<Step>& steps, unsigned cut)) {
  Group group;
  Document reader;
  const std::size_t at = steps.empty() ? 0 : cut % steps.size();
  std::uint64_t cursor = 0;
  std::set<decltype(Step::peer)> since_cut;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Step step = steps[i];
    // A commit is shipped whole: what comes after the cut belongs to commits begun after it.
    step.same_commit = step.same_commit && (i < at || since_cut.contains(step.peer));
    if (i >= at) since_cut.insert(step.peer);
    group.take(step);
    if (i + 1 != at) continue;
    const auto seen = group.document(0).delta_since(0, 0);
    if (seen) reader.merge(*seen, kMark);
    cursor = group.document(0).life_mark().local_seq;
    for (const Register& r : group.document(0).registers()) cursor = std::max(cursor, r.mark.local_seq);
  }
  const auto rest = group.document(0).delta_since(cursor, 0);
  if (rest) reader.merge(*rest, kMark);
  RC_ASSERT(state_of(reader) == state_of(group.document(0)));
}

}  // namespace
}  // namespace fermata::crdt
