// What finding the difference of two sets costs: coded symbols against the list of all items. One line per case.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/random.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {
namespace {

using Items = std::vector<std::uint64_t>;

struct Sets {
  Items theirs, ours;
};

// `common` shared items, and `different` that only one side has, half of them here.
Sets make_sets(std::size_t common, std::size_t different, Random& random) {
  Sets sets;
  for (std::size_t i = 0; i < common; ++i) sets.theirs.push_back(random.u64() | 1);
  sets.ours = sets.theirs;
  for (std::size_t i = 0; i < different; ++i) (i % 2 == 0 ? sets.theirs : sets.ours).push_back(random.u64() | 1);
  return sets;
}

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

long peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// As a session does it: a first batch, then as many as the estimate asks for, until it decodes.
void run_symbols(const Sets& sets, std::size_t different, std::uint64_t salt, std::size_t first_batch) {
  double encode_ms = 0;
  double decode_ms = 0;
  std::size_t bytes = 0;
  int rounds = 0;
  auto start = std::chrono::steady_clock::now();
  SymbolEncoder encoder(sets.theirs, salt);
  encode_ms += since(start);
  start = std::chrono::steady_clock::now();
  SymbolDecoder decoder(sets.ours, salt);
  decode_ms += since(start);
  while (!decoder.decoded()) {
    ++rounds;
    const std::size_t have = decoder.received();
    const std::size_t want = have == 0 ? first_batch : std::max(have + have / 4, symbols_for(decoder.estimate()));
    start = std::chrono::steady_clock::now();
    const auto symbols = encoder.next(want - have);
    const Bytes packed = pack_symbols(symbols, have, encoder.items());
    encode_ms += since(start);
    bytes += packed.size();
    start = std::chrono::steady_clock::now();
    const auto unpacked = unpack_symbols(packed, have, encoder.items()).value();
    if (!decoder.add(unpacked)) std::printf("NOT A SET\n");
    decode_ms += since(start);
  }
  const bool right = decoder.theirs().size() + decoder.only_ours().size() == different;
  std::printf(
      "symbols  first %-5zu common %-8zu different %-8zu rounds %d symbols %-8zu bytes %-9zu encode %.1f ms decode "
      "%.1f ms peak %ld MiB%s\n",
      first_batch, sets.ours.size(), different, rounds, decoder.received(), bytes, encode_ms, decode_ms, peak_mib(),
      right ? "" : " WRONG");
}

void run_list(Sets sets, std::size_t different) {
  auto start = std::chrono::steady_clock::now();
  std::sort(sets.theirs.begin(), sets.theirs.end());
  const Bytes packed = pack_items(sets.theirs, 0);
  const double encode_ms = since(start);
  start = std::chrono::steady_clock::now();
  const auto unpacked = unpack_items(packed, 0).value();
  std::sort(sets.ours.begin(), sets.ours.end());
  Items missing;
  std::set_difference(unpacked.begin(), unpacked.end(), sets.ours.begin(), sets.ours.end(),
                      std::back_inserter(missing));
  std::printf(
      "list                 common %-8zu different %-8zu rounds 1 items %-8zu bytes %-9zu encode %.1f ms decode %.1f "
      "ms peak %ld MiB\n",
      sets.ours.size(), different, unpacked.size(), packed.size(), encode_ms, since(start), peak_mib());
}

// How many symbols it takes, when added one by one.
void run_overhead(std::size_t different, int times, Random& random) {
  std::vector<std::size_t> needed;
  std::vector<double> estimates;
  for (int i = 0; i < times; ++i) {
    const Sets sets = make_sets(0, different, random);
    const std::uint64_t salt = random.u64();
    SymbolEncoder encoder(sets.theirs, salt);
    SymbolDecoder decoder(sets.ours, salt);
    while (!decoder.decoded()) {
      const auto more = encoder.next(1);
      if (!decoder.add(more)) std::printf("NOT A SET\n");
      if (decoder.received() == 64) estimates.push_back(decoder.estimate());
    }
    needed.push_back(decoder.received());
  }
  std::sort(needed.begin(), needed.end());
  std::size_t failing = 0;
  for (std::size_t each : needed) failing += each > symbols_for(static_cast<double>(different)) ? 1u : 0u;
  std::printf("overhead different %-6zu median %zu p99 %zu worst %zu; symbols_for %zu fails %zu of %d", different,
              needed[needed.size() / 2], needed[needed.size() * 99 / 100], needed.back(),
              symbols_for(static_cast<double>(different)), failing, times);
  std::sort(estimates.begin(), estimates.end());
  if (!estimates.empty())
    std::printf("; estimate from 64: p5 %.0f median %.0f p95 %.0f", estimates[estimates.size() / 20],
                estimates[estimates.size() / 2], estimates[estimates.size() * 19 / 20]);
  std::printf("\n");
}

}  // namespace
}  // namespace fermata::sync

int main() {
  using namespace fermata;
  using namespace fermata::sync;
  SeededRandom random(4);
  for (std::size_t different : {1u, 2u, 10u, 40u, 100u, 1000u})
    run_overhead(different, different < 500 ? 2000 : 200, random);
  for (std::size_t different : {0u, 10u, 1000u, 100'000u, 400'000u, 800'000u}) {
    const Sets sets = make_sets(1'000'000 - different / 2, different, random);
    run_symbols(sets, different, random.u64(), 64);
    run_list(sets, different);
  }
  for (std::size_t size : {20u, 200u, 2000u, 20'000u}) {
    const Sets sets = make_sets(size / 2, size, random);
    run_symbols(sets, size, random.u64(), 64);
    run_list(sets, size);
  }
}
