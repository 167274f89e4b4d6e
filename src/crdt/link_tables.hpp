// Things that one side of a link has said before are said again by number. Both sides keep the same table because both
// follow the same rule: whatever is new takes the next slot, and once all are taken, the oldest one's. A table lives as
// long as its link, and what is too long for it is never kept. Internal to crdt and to the tests of the wire.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "crdt/document.hpp"

namespace fermata::crdt {

inline constexpr std::size_t kCollectionSlots = 64;
inline constexpr std::size_t kActorSlots = 256;
inline constexpr std::size_t kPathSlots = 256;
// Of a collection's name, or of the names of a path together; at most so many names in a path.
inline constexpr std::size_t kMaxKeptBytes = 128;
inline constexpr std::size_t kMaxKeptNames = 8;

[[nodiscard]] inline bool is_kept(const std::string& text) {
  return text.size() <= kMaxKeptBytes;
}
[[nodiscard]] inline bool is_kept(const Path& path) {
  std::size_t bytes = 0;
  for (const std::string& name : path) bytes += name.size();
  return bytes <= kMaxKeptBytes && path.size() <= kMaxKeptNames;
}

struct PathHash {
  std::size_t operator()(const Path& path) const {
    std::size_t hash = path.size();
    for (const std::string& name : path) hash = hash * 31 + std::hash<std::string>()(name);
    return hash;
  }
};

// Whose commits have been mentioned, and the last of them.
struct ActorMemory {
  ActorId actor = 0;
  std::uint64_t last_seq = 0;
};

// The reader's side: by number.
template <class T, std::size_t kSlots>
class SaidTable {
 public:
  // Nothing for a number that was never given out. Valid until the next add().
  [[nodiscard]] T* at(std::uint64_t number) { return number < slots_.size() ? &slots_[number] : nullptr; }
  // Result: its number.
  std::size_t add(T thing) {
    const std::size_t number = next_;
    next_ = (next_ + 1) % kSlots;
    if (number == slots_.size()) {
      slots_.push_back(std::move(thing));
    } else {
      slots_[number] = std::move(thing);
    }
    return number;
  }

 private:
  std::vector<T> slots_;
  std::size_t next_ = 0;
};

// The writer's side: it also finds the number of what it is about to say.
template <class T, std::size_t kSlots, class Hash = std::hash<T>>
class SayingTable {
 public:
  [[nodiscard]] std::optional<std::size_t> find(const T& thing) {
    // Documents of one shape say the same things in the same order.
    const std::size_t guess = (last_ + 1) % kSlots;
    if (const T* guessed = slots_.at(guess); guessed != nullptr && *guessed == thing) return last_ = guess;
    const auto found = numbers_.find(thing);
    if (found == numbers_.end()) return std::nullopt;
    return last_ = found->second;
  }
  std::size_t add(const T& thing) {
    if (const T* oldest = slots_.at(next_)) numbers_.erase(*oldest);
    last_ = slots_.add(thing);
    next_ = (last_ + 1) % kSlots;
    numbers_.emplace(thing, last_);
    return last_;
  }

 private:
  SaidTable<T, kSlots> slots_;
  std::unordered_map<T, std::size_t, Hash> numbers_;
  std::size_t next_ = 0;
  std::size_t last_ = 0;
};

}  // namespace fermata::crdt
