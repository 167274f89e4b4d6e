// Virtual time: a queue of things to do, run in order of their time and, at the same time, in order of their making.
// All randomness of a run comes from one seed, and every frame sent goes into one hash, so two runs can be compared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace fermata::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] SeededRandom& random() { return random_; }
  [[nodiscard]] bool chance(unsigned percent) { return random_.below(100) < percent; }
  [[nodiscard]] Duration between(Duration least, Duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + Duration(static_cast<std::int64_t>(random_.below(span)));
  }

  void after(Duration delay, std::function<void()> task) {
    queue_.push_back({now_ + delay, ++made_, std::move(task)});
    std::push_heap(queue_.begin(), queue_.end(), later);
  }
  void run_until(Instant end) {
    while (!queue_.empty() && queue_.front().when <= end) {
      std::pop_heap(queue_.begin(), queue_.end(), later);
      const Task next = std::move(queue_.back());
      queue_.pop_back();
      now_ = next.when;
      next.run();
    }
    now_ = end;
  }

  void trace(ByteView bytes) {
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) mix(word(bytes.first(8)));
    mix(word(bytes));
    mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  }
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }

 private:
  struct Task {
    Instant when;
    std::uint64_t made = 0;
    std::function<void()> run;
  };
  static bool later(const Task& a, const Task& b) { return std::pair(a.when, a.made) > std::pair(b.when, b.made); }
  static std::uint64_t word(ByteView bytes) {
    std::uint64_t number = bytes.size();
    if (!bytes.empty()) std::memcpy(&number, bytes.data(), bytes.size());
    return number;
  }
  void mix(std::uint64_t number) {
    trace_ = (trace_ ^ number) * 0x100000001b3u;
    trace_ ^= trace_ >> 29;
  }

  SeededRandom random_;
  Instant now_{};
  std::uint64_t made_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325u;
  std::vector<Task> queue_;  // a heap
};

// A device's clocks: the world's time, and a wall clock that may be wrong.
class SkewedClock final : public Clock {
 public:
  explicit SkewedClock(const World& world) : world_(world) {}
  [[nodiscard]] Instant now() override { return world_.now(); }
  [[nodiscard]] WallTime wall_now() override {
    return WallTime(milliseconds(1'700'000'000'000) + skew +
                    std::chrono::duration_cast<milliseconds>(world_.now().time_since_epoch()));
  }
  milliseconds skew{0};

 private:
  const World& world_;
};

}  // namespace fermata::sim
