#include <thread>

#include "device.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "resume among many documents";

std::vector<std::string> some_ids(Device& device, std::size_t count) {
  std::vector<std::string> ids;
  const auto result = value_of(device.database().execute("SELECT * FROM items LIMIT " + std::to_string(count)));
  for (const Map& item : result.items) ids.push_back(*item.at("_id").if_a<std::string>());
  return ids;
}

std::uint64_t handshakes(const PeerStatus& status) {
  return status.full_handshakes + status.resumed_handshakes;
}

// Nothing moves any more: acknowledgements come after the catch-up.
std::uint64_t wire_bytes_when_quiet(Peer& peer) {
  std::uint64_t last = 0;
  wait_until(
      [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
        const PeerStatus status = peer.status();
        return std::exchange(last, status.wire_bytes_sent + status.wire_bytes_received) ==
               status.wire_bytes_sent + status.wire_bytes_received;
      },
      "silence");
  return last;
}

void resume_once(Report& report, Device& from, Device& to, const std::vector<std::string>& ids, std::size_t changes,
                 std::int64_t value) {
  to.suspend();
  for (std::size_t i = 0; i < changes; ++i)
    from.write("UPDATE items SET n = :n WHERE _id = :id", {{"n", value}, {"id", ids[i]}});
  const PeerStatus before = to.peer().status();
  const std::uint64_t bytes = before.wire_bytes_sent + before.wire_bytes_received;
  const auto start = Clock::now();
  to.resume();
  PeerStatus status;
  while (true) {
    status = to.peer().status();
    if (handshakes(status) > handshakes(before) && !status.links.empty() && status.links.front().caught_up) break;
    require(seconds_since(start) < 60, "a device did not catch up within a minute");
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  const std::string what = std::to_string(changes) + " changes: ";
  report.add(kSection, what + "foreground to caught up, TCP and TLS included", "ms", seconds_since(start) * 1000);
  report.add(kSection, what + "link open to caught up", "ms", status.catch_up.ms);
  report.add(kSection, what + "round trips of sync", "", static_cast<double>(status.catch_up.round_trips));
  report.add(kSection, what + "bytes on the wire both ways, TLS included", "B",
             static_cast<double>(wire_bytes_when_quiet(to.peer()) - bytes));
}

}  // namespace

void measure_resume(Report& report, const Sizes& sizes, int repeats) {
  Device from, to;
  from.fill(sizes.resume);
  to.want("SELECT * FROM items");
  to.connect(from.listen());
  wait_until([&] { return to.peer().status().catch_up.done; }, "the initial sync");
  const std::vector<std::string> ids = some_ids(from, 1000);
  std::int64_t value = 0;
  for (const std::size_t changes : {0u, 10u, 1000u}) {
    for (int i = 0; i < repeats; ++i) resume_once(report, from, to, ids, std::min(changes, ids.size()), ++value);
  }
}

}  // namespace fermata::bench
