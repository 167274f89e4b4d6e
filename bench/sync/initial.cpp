#include "device.hpp"
#include "floors.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "initial sync over loopback TLS";

void sync_once(Report& report, const std::string& address, std::size_t documents) {
  Device receiver;
  receiver.want("SELECT * FROM items");
  const double cpu_before = cpu_seconds();
  receiver.connect(address);
  wait_until([&] { return receiver.peer().status().catch_up.done; }, "the initial sync");
  const double cpu = cpu_seconds() - cpu_before;
  require(receiver.count() == documents, "the receiver says it caught up and has not");
  const PeerStatus status = receiver.peer().status();
  const auto count = static_cast<double>(documents);
  const double rate = count / (status.catch_up.ms / 1000);
  report.add(kSection, "documents per second", "/s", rate);
  report.add(kSection, "bytes per document on the wire", "B", static_cast<double>(status.wire_bytes_received) / count);
  report.add(kSection, "processor time per document, both sides", "us", cpu / count * 1e6);
  receiver.close();
  double plain_cpu = 0;
  const double plain = plain_inserts_per_second(receiver.database_file(), plain_cpu);
  report.add(kSection, "floor: plain SQLite, same rows and indexes", "/s", plain);
  report.add(kSection, "floor: processor time per row", "us", plain_cpu / count * 1e6);
  report.add(kSection, "ratio to plain SQLite", "", rate / plain);
}

}  // namespace

void measure_initial(Report& report, const Sizes& sizes, int repeats) {
  Device sender;
  const auto start = Clock::now();
  sender.fill(sizes.initial);
  report.add(kSection, "import into the sender, 1,000 a transaction", "/s",
             static_cast<double>(sizes.initial) / seconds_since(start));
  const std::string address = sender.listen();
  for (int i = 0; i < repeats; ++i) sync_once(report, address, sizes.initial);
}

}  // namespace fermata::bench
