// Messages in words, as tests/vectors has them. Numbers of 64 random bits are text, 0x and 16 digits.
#pragma once

#include "crdt/counter.hpp"
#include "crdt/digest.hpp"
#include "sync/messages.hpp"

namespace fermata::sync {

inline std::string number_text(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[number >> static_cast<unsigned>(shift) & 15u];
  return text;
}
inline Value number(std::uint64_t small) {
  return static_cast<std::int64_t>(small);
}

inline Value describe(const Position& position) {
  return Map{{"base", number(position.base)}, {"seq", number(position.seq)}};
}
inline Value describe(const Wanted& wanted) {
  return Map{{"id", number_text(wanted.id)},
             {"query", wanted.query},
             {"epoch", wanted.epoch},
             {"purged", number(wanted.purged_life)},
             {"cursor", describe(wanted.position)}};
}
inline Value describe(const Range& range) {
  return Map{{"subscription", number_text(range.subscription)},
             {"from", number(range.from)},
             {"to", number(range.to)},
             {"complete", range.complete}};
}
inline Value describe(const DocumentName& name) {
  return Array{name.collection, name.id};
}
inline Value describe(const Branch& branch) {
  return Map{{"subscription", number_text(branch.subscription)}, {"actor", number_text(branch.actor)}};
}
inline Value describe(const Offer& offer) {
  Array authors;
  for (const crdt::ActorId author : offer.authors) authors.push_back(number_text(author));
  return Map{{"collection", offer.collection},
             {"id", offer.id},
             {"version", number_text(offer.version)},
             {"authors", authors}};
}
template <class T>
Value describe_all(const std::vector<T>& items) {
  Array all;
  for (const T& item : items) all.push_back(describe(item));
  return all;
}
inline Value json_value(const Value& value) {
  // JSON has no bytes.
  if (const auto* bytes = value.if_a<Bytes>()) return Map{{"bytes", to_hex(*bytes)}};
  const auto* array = value.if_a<Array>();
  if (array == nullptr) return value;
  Array items;
  for (const Value& item : *array) items.push_back(json_value(item));
  return items;
}
inline Value describe(const crdt::Delta& delta) {
  Array registers;
  for (const crdt::Register& r : delta.registers) {
    const crdt::Path shown = r.kind == crdt::RegisterKind::Counter ? crdt::counter_path(r) : r.path;
    const Array path(shown.begin(), shown.end());
    Map described{{"path", path},
                  {"actor", number_text(r.dot.actor)},
                  {"seq", number(r.dot.seq)},
                  {"ms", number(r.stamp.value >> 16)},
                  {"counter", number(r.stamp.value & 0xffff)},
                  {"life", number(r.life)}};
    constexpr const char* kKinds[] = {"value", "map", "absent", "counter"};
    described.emplace("kind", kKinds[static_cast<std::size_t>(r.kind)]);
    if (crdt::has_value(r.kind)) described.emplace("value", json_value(r.value));
    registers.push_back(std::move(described));
  }
  return Map{{"collection", delta.collection},
             {"id", delta.id},
             {"life", number(delta.life)},
             {"whole", delta.whole},
             {"registers", registers}};
}
inline Value describe(const SentDocument& sent) {
  Value described = describe(sent.delta);
  if (!sent.fingerprint) return described;
  Map map = *described.if_a<Map>();
  map.emplace("fingerprint", number_text(*sent.fingerprint));
  return map;
}

struct Describer {
  Value operator()(const Hello& m) const {
    return Map{{"type", "HELLO"},
               {"highest", number(m.versions.highest)},
               {"lowest", number(m.versions.lowest)},
               {"capabilities", number(m.capabilities)},
               {"epoch", m.epoch},
               {"name", m.name},
               {"head", number(m.head)},
               {"subscriptions", describe_all(m.subscriptions)}};
  }
  Value operator()(const Subscribe& m) const {
    return Map{{"type", "SUBSCRIBE"}, {"subscription", describe(m.subscription)}};
  }
  Value operator()(const Unsubscribe& m) const { return Map{{"type", "UNSUBSCRIBE"}, {"id", number_text(m.id)}}; }
  Value operator()(const Changes& m) const {
    return Map{{"type", "CHANGES"},
               {"head", number(m.head)},
               {"assumed epoch", m.assumed_epoch},
               {"ranges", describe_all(m.again ? ranges_of(*m.again) : m.ranges)},
               {"documents", describe_all(m.documents)},
               {"names", describe_all(m.named)},
               {"offers", describe_all(m.offers)}};
  }
  Value operator()(const Want& m) const {
    return Map{{"type", "WANT"}, {"ranges", describe_all(m.ranges)}, {"names", describe_all(m.names)}};
  }
  Value operator()(const Ack& m) const {
    if (m.level) return Map{{"type", "ACK"}, {"frames", number(m.frames)}, {"level", number(*m.level)}};
    Array cursors;
    for (const auto& [id, position] : m.cursors) cursors.push_back(Array{number_text(id), describe(position)});
    return Map{{"type", "ACK"}, {"frames", number(m.frames)}, {"cursors", cursors}};
  }
  Value operator()(const Ping& m) const { return Map{{"type", "PING"}, {"nonce", number(m.nonce)}}; }
  Value operator()(const Pong& m) const { return Map{{"type", "PONG"}, {"nonce", number(m.nonce)}}; }
  Value operator()(const Goodbye& m) const {
    const Value ms = m.expected_return_ms ? number(*m.expected_return_ms) : Value(nullptr);
    return Map{{"type", "GOODBYE"}, {"reason", m.reason}, {"expected return in ms", ms}};
  }
  Value operator()(const Prune& m) const { return Map{{"type", "PRUNE"}, {"branches", describe_all(m.branches)}}; }
  Value operator()(const Graft& m) const { return Map{{"type", "GRAFT"}, {"branches", describe_all(m.branches)}}; }
  static Map digest(const crdt::Digest& of) {
    return {{"count", number(of.count)}, {"low", number_text(of.low)}, {"high", number_text(of.high)}};
  }
  static Map run(const char* type, const RunHead& of) {
    return {{"type", type},
            {"subscription", number_text(of.subscription)},
            {"run", number_text(of.run)},
            {"head", number(of.head)},
            {"digest", digest(of.digest)}};
  }
  Value operator()(const DigestOf& m) const {
    Map map{{"type", "DIGEST"},
            {"subscription", number_text(m.subscription)},
            {"head", number(m.head)},
            {"received", number(m.received)},
            {"digest", digest(m.digest)}};
    Map known;
    for (const auto& [actor, seq] : m.known) known.emplace(number_text(actor), number(seq));
    if (!known.empty()) map.emplace("known", std::move(known));
    return map;
  }
  Value operator()(const Stand& m) const {
    return Map{{"type", "STAND"},
               {"subscription", number_text(m.subscription)},
               {"behind", m.behind},
               {"head", number(m.head)},
               {"collection size", number(m.collection_size)},
               {"digest", m.digest ? Value(digest(*m.digest)) : Value(nullptr)}};
  }
  Value operator()(const Match& m) const {
    constexpr const char* kHow[] = {"equal", "walk", "symbols", "items", "done"};
    return Map{{"type", "MATCH"},
               {"subscription", number_text(m.subscription)},
               {"run", number_text(m.run)},
               {"how", kHow[static_cast<std::size_t>(m.how)]},
               {"from", number_text(m.from)},
               {"count", number(m.count)}};
  }
  Value operator()(const Symbols& m) const {
    Map map = run("SYMBOLS", m.of);
    map.emplace("first", number(m.first));
    map.emplace("packed", to_hex(m.packed));
    return map;
  }
  Value operator()(const Items& m) const {
    Map map = run("ITEMS", m.of);
    map.emplace("above", number_text(m.above));
    map.emplace("up to", number_text(m.up_to));
    map.emplace("packed", to_hex(m.packed));
    return map;
  }
  Value operator()(const Resolve& m) const {
    Array items;
    for (const std::uint64_t item : m.items) items.push_back(number_text(item));
    return Map{{"type", "RESOLVE"},
               {"subscription", number_text(m.subscription)},
               {"run", number_text(m.run)},
               {"items", items},
               {"ids", Array(m.ids.begin(), m.ids.end())}};
  }
  Value operator()(const Resolved& m) const {
    Array unknown;
    for (const std::uint64_t place : m.unknown) unknown.push_back(number(place));
    return Map{{"type", "RESOLVED"},
               {"subscription", number_text(m.subscription)},
               {"run", number_text(m.run)},
               {"unknown", unknown}};
  }
  Value operator()(const Fetch& m) const {
    return Map{{"type", "FETCH"},
               {"hash", to_hex(m.hash)},
               {"size", number(m.size_bytes)},
               {"offset", m.offset ? number(*m.offset) : Value(nullptr)}};
  }
  Value operator()(const Part& m) const {
    return Map{{"type", "PART"},
               {"hash", to_hex(m.hash)},
               {"offset", number(m.offset)},
               {"bytes", m.bytes ? Value(to_hex(*m.bytes)) : Value(nullptr)}};
  }
  Value operator()(const Have& m) const { return Map{{"type", "HAVE"}, {"hash", to_hex(m.hash)}}; }
  Value operator()(const Skipped&) const { return nullptr; }
};

inline Value describe(const Message& message) {
  return std::visit(Describer{}, message);
}

}  // namespace fermata::sync
