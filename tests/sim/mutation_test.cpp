// The test of the tests: each bug, put in on purpose, is noticed by an oracle within some seeds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scenario.hpp"

namespace fermata::sim {
namespace {

using sync::Mutation;

struct Bug {
  Mutation mutation;
  const char* name;
};

constexpr Bug kBugs[] = {
    {Mutation::CursorOffByOne, "CursorOffByOne"},
    {Mutation::BeforeMatchIgnored, "BeforeMatchIgnored"},
    {Mutation::HeldRangeFolded, "HeldRangeFolded"},
    {Mutation::EchoDropsDocument, "EchoDropsDocument"},
    {Mutation::BaseIgnored, "BaseIgnored"},
    {Mutation::FingerprintIgnored, "FingerprintIgnored"},
    {Mutation::OfferTakenForGranted, "OfferTakenForGranted"},
    {Mutation::OpenOffersFolded, "OpenOffersFolded"},
    {Mutation::LazyForEver, "LazyForEver"},
    {Mutation::LazySendsNothing, "LazySendsNothing"},
};

class InjectedBugs : public testing::TestWithParam<Bug> {};

TEST_P(InjectedBugs, AreNoticedByTheOracles) {
  constexpr std::uint64_t kTries = 2000;
  for (std::uint64_t seed = 1; seed <= kTries; ++seed) {
    const Violation violation = run_scenario(kShort, seed, GetParam().mutation).violation;
    if (!violation) continue;
    std::printf("| %s | %llu | %s |\n", GetParam().name, static_cast<unsigned long long>(seed),
                name_of(violation.oracle));
    return;
  }
  FAIL() << "no oracle noticed within " << kTries << " seeds";
}

INSTANTIATE_TEST_SUITE_P(All, InjectedBugs, testing::ValuesIn(kBugs),
                         [](const testing::TestParamInfo<Bug>& bug) { return bug.param.name; });

}  // namespace
}  // namespace fermata::sim

// Half of a run's time is AddressSanitizer's bookkeeping of where each allocation came from, and of freed memory. Who
// needs to know more repeats the run with ASAN_OPTIONS=malloc_context_size=30.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=1:max_malloc_fill_size=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}
