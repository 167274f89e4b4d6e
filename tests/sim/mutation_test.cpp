// The test of the tests: each bug, put in on purpose, is noticed by an oracle within some seeds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scenario.hpp"

namespace fermata::sim {
namespace {

using sync::Mutation;

struct Bug {
  Mutations mutations;
  const char* name;
  const Plan* plan = &kShort;
  std::uint64_t first = 1;  // looked for from near where it showed
};

constexpr Bug kBugs[] = {
    {{.sync = Mutation::CursorOffByOne}, "CursorOffByOne"},
    {{.sync = Mutation::BeforeMatchIgnored}, "BeforeMatchIgnored"},
    {{.sync = Mutation::HeldRangeFolded}, "HeldRangeFolded", &kShort, 35},
    {{.sync = Mutation::EchoDropsDocument}, "EchoDropsDocument"},
    {{.sync = Mutation::BaseIgnored}, "BaseIgnored", &kShort, 12},
    {{.sync = Mutation::FingerprintIgnored}, "FingerprintIgnored", &kShort, 16},
    {{.sync = Mutation::OfferTakenForGranted}, "OfferTakenForGranted"},
    {{.sync = Mutation::OpenOffersFolded}, "OpenOffersFolded"},
    {{.sync = Mutation::LazyForEver}, "LazyForEver", &kShort, 12},
    {{.sync = Mutation::LazySendsNothing}, "LazySendsNothing"},
    {{.sync = Mutation::EpochIgnored}, "EpochIgnored"},
    {{.sync = Mutation::SourceOfOldEpoch}, "SourceOfOldEpoch"},
    {{.sync = Mutation::WantAnsweredPartly}, "WantAnsweredPartly"},
    {{.sync = Mutation::NamesNotSent}, "NamesNotSent", &kShort, 25},
    {{.sync = Mutation::ClosedWindowSkips}, "ClosedWindowSkips", &kShort, 79},
    {{.sync = Mutation::WindowNeverCloses}, "WindowNeverCloses", &kShort, 782},
    {{.sync = Mutation::DrainFolds}, "DrainFolds", &kShort, 415},
    {{.sync = Mutation::CorrectionsForgotten}, "CorrectionsForgotten"},
    {{.sync = Mutation::CursorBeforeData}, "CursorBeforeData", &kShort, 34},
    {{.sync = Mutation::LevelTooEarly}, "LevelTooEarly"},
    {{.sync = Mutation::OfferOfOtherState}, "OfferOfOtherState"},
    {{.store = store::Mutation::ActorReused}, "ActorReused"},
    {{.store = store::Mutation::EpochKept}, "EpochKept"},
    {{.sync = Mutation::HorizonIgnored}, "HorizonIgnored", &kForgetful, 10},
    {{.sync = Mutation::JudgeLeftOut}, "JudgeLeftOut", &kForgetful, 9},
    {{.sync = Mutation::BuriedUnseen}, "BuriedUnseen", &kForgetful},
    {{.sync = Mutation::PurgedUnknown}, "PurgedUnknown", &kForgetful},
    {{.sync = Mutation::PartTakenForWhole}, "PartTakenForWhole", &kForgetful, 1197},
    {{.sync = Mutation::DeadUntold}, "DeadUntold", &kForgetful, 759},
};

class InjectedBugs : public testing::TestWithParam<Bug> {};

TEST_P(InjectedBugs, AreNoticedByTheOracles) {
  constexpr std::uint64_t kTries = 2000;
  for (std::uint64_t seed = GetParam().first; seed < GetParam().first + kTries; ++seed) {
    const Violation violation = run_scenario(*GetParam().plan, seed, GetParam().mutations).violation;
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
