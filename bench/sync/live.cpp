#include <condition_variable>
#include <mutex>

#include "device.hpp"
#include "floors.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "live: commit on A to callback on B";

// The latest value that an observer was told of.
class Told {
 public:
  void tell(std::int64_t value) {
    const std::lock_guard lock(mutex_);
    value_ = value;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait(std::int64_t value) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return value_ == value; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t value_ = -1;
};

std::int64_t number_in(const QueryResult& result) {
  if (result.items.empty()) return -1;
  const auto found = result.items.front().find("n");
  const auto* number = found == result.items.front().end() ? nullptr : found->second.if_a<std::int64_t>();
  return number == nullptr ? -1 : *number;
}

void add_spans(Report& report, const std::string& what, std::vector<double> seconds) {
  const Figure figure{{}, {}, {}, std::move(seconds)};
  for (const auto& [name, quantile] : {std::pair("p50", 0.5), std::pair("p95", 0.95), std::pair("p99", 0.99)})
    report.add(kSection, what + ", " + name, "ms", figure.at(quantile) * 1000);
}

std::vector<double> changes_one_by_one(Device& from, Told& told, std::size_t count, std::int64_t first) {
  std::vector<double> spans;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t value = first + static_cast<std::int64_t>(i);
    const auto start = Clock::now();
    from.write("UPDATE items SET n = :n WHERE _id = 'one'", {{"n", value}});
    require(told.wait(value), "a change did not arrive within 20 s");
    spans.push_back(seconds_since(start));
  }
  return spans;
}

}  // namespace

void measure_live(Report& report, const Sizes& sizes, int repeats) {
  Device from, to;
  from.fill(1000);
  from.write("INSERT INTO items DOCUMENTS ({_id: 'one', n: 0})");
  to.want("SELECT * FROM items");
  to.connect(from.listen());
  Told told;
  const auto observation = value_of(to.database().observe(
      "SELECT * FROM items WHERE _id = 'one'", [&](const QueryResult& result) { told.tell(number_in(result)); }));
  require(told.wait(0), "the first state did not arrive within 20 s");
  std::int64_t next = 1;
  for (int i = 0; i < repeats; ++i) {
    const std::uint64_t bytes = to.peer().status().wire_bytes_received;
    add_spans(report, "latency", changes_one_by_one(from, told, sizes.live, next));
    next += static_cast<std::int64_t>(sizes.live);
    report.add(kSection, "bytes per change to the receiver, TLS and framing included", "B",
               static_cast<double>(to.peer().status().wire_bytes_received - bytes) / static_cast<double>(sizes.live));
    add_spans(report, "floor: raw TCP one way, 100 B", tcp_one_way(sizes.live, 100));
    add_spans(report, "floor: bare SQLite commit", bare_commits(sizes.live));
  }
  report.add(kSection, "ratio of p50 to raw TCP", "",
             report.median(kSection, "latency, p50") / report.median(kSection, "floor: raw TCP one way, 100 B, p50"));
}

}  // namespace fermata::bench
