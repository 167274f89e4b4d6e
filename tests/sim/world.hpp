// Virtual time: a queue of things to do, run in order of their time and, at the same time, in order of their making.
// All randomness of a run comes from one seed, and every frame sent goes into one hash, so two runs can be compared.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

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
    queue_.emplace(std::pair(now_ + delay, ++made_), std::move(task));
  }
  void run_until(Instant end) {
    while (!queue_.empty() && queue_.begin()->first.first <= end) {
      auto entry = queue_.extract(queue_.begin());
      now_ = entry.key().first;
      entry.mapped()();
    }
    now_ = end;
  }

  void trace(ByteView bytes) {
    for (std::uint8_t byte : bytes) trace_ = (trace_ ^ byte) * 0x100000001b3u;  // FNV-1a
    trace_ = (trace_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 0x100000001b3u;
  }
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }

 private:
  SeededRandom random_;
  Instant now_{};
  std::uint64_t made_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325u;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
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
