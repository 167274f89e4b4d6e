// What the property tests are fed: honest histories of several peers, and deltas that no honest peer would write.
#pragma once

#include <rapidcheck.h>

#include <ostream>

#include "crdt/counter.hpp"
#include "crdt/document.hpp"

namespace fermata::crdt {

// Few names, so that paths often are the same, or above or below each other.
inline Path small_path(unsigned pick) {
  static const std::vector<Path> kPaths{{"a"},           {"b"},      {"a", "x"},           {"a", "y"},
                                        {"a", "x", "p"}, {"b", "x"}, {"a", "x", "p", "q"}, {"a!", "x"}};
  return kPaths[pick % kPaths.size()];
}

inline Value small_value(unsigned pick) {
  static const std::vector<Value> kValues{nullptr,
                                          1,
                                          -70000,
                                          true,
                                          "text",
                                          0.5,
                                          Array{1, Map{{"k", 2}}},
                                          Map{},
                                          Map{{"x", 3}, {"z", Map{}}},
                                          Map{{"x", Map{{"p", Array{}}}}},
                                          Bytes{1, 2},
                                          Timestamp::parse("2026-11-23T19:40:26.5Z").value(),
                                          Attachment::make({1}, 3, {{"x", "y"}}).value()};
  return kValues[pick % kValues.size()];
}

inline Map small_fields(unsigned pick) {
  static const std::vector<Map> kFields{{},
                                        {{"a", 1}},
                                        {{"a", Map{{"x", 1}, {"y", 2}}}, {"b", nullptr}},
                                        {{"a", Map{{"x", Map{{"p", 1}}}}}, {"b", Array{1, 2}}},
                                        {{"b", Map{}}}};
  return kFields[pick % kFields.size()];
}

// One thing that happens to one of a few peers.
struct Step {
  enum Verb : std::uint8_t { Insert, Set, SetToo, Count, Unset, Remove, Receive, kVerbs };
  Verb verb = Insert;
  unsigned peer = 0, other = 0, path = 0, value = 0;
  bool same_commit = false;  // goes on with the peer's last commit, if nothing was shipped since
};

inline std::ostream& operator<<(std::ostream& out, const Step& s) {
  static const char* const kNames[] = {"insert", "set", "set", "count", "unset", "remove", "receive"};
  return out << "{" << kNames[s.verb] << " peer " << s.peer << " other " << s.other << " path " << s.path << " value "
             << s.value << (s.same_commit ? " same commit}" : "}");
}

// A document whose registers are as hostile as the wire allows: small ranges, so that ages tie and clash.
struct Wild {
  Delta delta;
};

inline std::ostream& operator<<(std::ostream& out, const Wild& wild) {
  out << "{life " << wild.delta.life;
  for (const Register& r : wild.delta.registers) {
    out << "; ";
    for (const std::string& name : r.path) out << "." << name;
    out << " kind " << int(r.kind) << " = " << to_json(r.value) << " dot " << r.dot.actor << ":" << r.dot.seq
        << " stamp " << r.stamp.value << " life " << r.life;
  }
  return out << "}";
}

inline Register wild_register(unsigned path, unsigned dice) {
  Register r;
  r.path = small_path(path);
  r.kind = static_cast<RegisterKind>(dice % 4);
  if (r.kind == RegisterKind::Value) r.value = small_value((dice / 4) % 7);  // the first seven are no maps
  r.dot = Dot{1 + (dice / 28) % 2, 1 + (dice / 56) % 2};
  r.stamp = Stamp{1 + (dice / 112) % 3};
  r.life = (dice / 336) % 5 == 0 ? 3 : 1;
  if (r.kind == RegisterKind::Counter) {
    r.value = value_of({(dice / 4) % 3, (dice / 12) % 2});
    r.path = share_path(std::move(r.path), r.dot.actor);
  }
  return r;
}

}  // namespace fermata::crdt

namespace rc {

template <>
struct Arbitrary<fermata::crdt::Step> {
  static Gen<fermata::crdt::Step> arbitrary() {
    using fermata::crdt::Step;
    return gen::build<Step>(
        gen::set(&Step::verb, gen::map(gen::inRange(0, int{Step::kVerbs}), [](int v) { return Step::Verb(v); })),
        gen::set(&Step::peer, gen::inRange(0U, 3U)), gen::set(&Step::other, gen::inRange(0U, 3U)),
        gen::set(&Step::path, gen::inRange(0U, 8U)), gen::set(&Step::value, gen::inRange(0U, 11U)),
        gen::set(&Step::same_commit));
  }
};

template <>
struct Arbitrary<fermata::crdt::Wild> {
  static Gen<fermata::crdt::Wild> arbitrary() {
    using namespace fermata::crdt;
    const auto dice = gen::container<std::vector<unsigned>>(8, gen::inRange(0U, 3360U));
    return gen::apply(
        [](std::uint64_t life, std::vector<unsigned> rolls) {
          Wild wild;
          wild.delta.collection = "c";
          wild.delta.id = "d";
          wild.delta.life = life;
          for (unsigned path = 0; path < rolls.size(); ++path) {
            if (rolls[path] % 2 == 0) wild.delta.registers.push_back(wild_register(path, rolls[path] / 2));
          }
          std::sort(wild.delta.registers.begin(), wild.delta.registers.end(),
                    [](const Register& a, const Register& b) { return a.path < b.path; });
          return wild;
        },
        gen::element<std::uint64_t>(1, 1, 1, 2, 3), dice);
  }
};

}  // namespace rc
