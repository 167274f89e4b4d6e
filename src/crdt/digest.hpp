// What two peers compare instead of their documents: for one document its version, for a set of them the digest of
// their versions. Both are fixed for all implementations; docs/PROTOCOL.md and tests/vectors have examples.
#pragma once

#include <cstdint>
#include <string_view>

namespace fermata::crdt {

class Document;

// Names one state of one document: XXH3-64 of collection, id and fingerprint, encoded as for Document::fingerprint; 1
// where that is 0. Of a dead or unknown document 0.
[[nodiscard]] std::uint64_t version_of(std::string_view collection, std::string_view id, const Document& document);
// The same, of a living document whose fingerprint is known.
[[nodiscard]] std::uint64_t version_of(std::string_view collection, std::string_view id, std::uint64_t fingerprint);

// The digest of a set of versions: how many, and two independent wrapping sums, in any order. Equal sets have equal
// digests; unequal ones differ but for 2^-128 (by accident; not against somebody who constructs documents for it).
// Version 0 stands for nothing and adds nothing.
struct Digest {
  std::uint64_t count = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  constexpr void add(std::uint64_t version) {
    if (version == 0) return;
    ++count;
    low += mix(version, kLowStep);
    high += mix(version, kHighStep);
  }
  // Takes out what add() put in.
  constexpr void remove(std::uint64_t version) {
    if (version == 0) return;
    --count;
    low -= mix(version, kLowStep);
    high -= mix(version, kHighStep);
  }
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  static constexpr std::uint64_t kLowStep = 0x9e3779b97f4a7c15u;
  static constexpr std::uint64_t kHighStep = 0xd1b54a32d192ed03u;
  // SplitMix64's finaliser after a step that is different for each lane.
  [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t version, std::uint64_t step) {
    std::uint64_t mixed = version + step;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }
};

}  // namespace fermata::crdt
