#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "model/checker.hpp"

namespace fermata::model {
namespace {

constexpr std::uint8_t kAll = 1u << kWhole, kSome = 1u << kShown;
constexpr ActionSet kTime = just(ActionKind::TimePasses);
constexpr ActionSet kSubscribing = just(ActionKind::Subscribe) | just(ActionKind::Unsubscribe);
constexpr ActionSet kForgetting = just(ActionKind::Evict) | just(ActionKind::Purge);
constexpr ActionSet kCutting = just(ActionKind::MeetCut);

struct Named {
  const char* name;
  Scope scope;
};

Scope scope_of(std::initializer_list<std::uint8_t> subscriptions, Index documents, std::uint8_t writes,
               ActionSet without) {
  Scope scope;
  scope.peers = std::uint8_t(subscriptions.size());
  std::copy(subscriptions.begin(), subscriptions.end(), scope.subscriptions.begin());
  scope.documents = documents;
  scope.writes = writes;
  scope.actions = kAllActions & ~without;
  return scope;
}

// Who ends a subscription to everything forgets what it alone had purged; that is an assumption (docs/TESTING.md), so
// no scope has both.
std::vector<Named> scopes() {
  const ActionSet purging = kTime | kSubscribing;
  const ActionSet evicting = kTime | just(ActionKind::Purge);
  return {
      {"two whole, purging", scope_of({kAll, kAll}, 1, 4, purging)},
      {"whole and part, purging", scope_of({kAll, kSome}, 1, 4, purging)},
      {"two whole, two documents", scope_of({kAll, kAll}, 2, 4, purging)},
      {"whole and part, two documents", scope_of({kAll, kSome}, 2, 4, purging)},
      {"three whole, purging", scope_of({kAll, kAll, kAll}, 1, 4, purging | kCutting)},
      {"two whole and part, purging", scope_of({kAll, kAll, kSome}, 1, 4, purging | kCutting)},
      {"whole and two parts, links die", scope_of({kAll, kSome, kSome}, 1, 3, purging)},
      {"three parts, links die", scope_of({kSome, kSome, kSome}, 1, 3, purging)},
      {"whole, part and both, evicting", scope_of({kAll, kSome, kAll | kSome}, 1, 3, evicting)},
      {"two whole and part, two documents", scope_of({kAll, kAll, kSome}, 2, 3, purging | kForgetting)},
  };
}

std::size_t states_per_scope() {
  const char* asked = std::getenv("FERMATA_MODEL_STATES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 30'000;
}

TEST(Model, EveryRunWithinTheScopeEndsWithEqualAndRightAnswers) {
  for (const auto& [name, scope] : scopes()) {
    const Report report = explore(scope, Rules{}, {.states = states_per_scope()});
    fmt::print("{:36} {}\n", name, report.violation.empty() ? report.text(scope) : "violated");
    EXPECT_EQ(report.violation, "") << report.text(scope);
    EXPECT_GT(report.states, 1000u) << "a scope in which nothing happens proves nothing";
  }
}

struct Broken {
  Defect defect;
  Scope scope;
};

Scope directed(std::initializer_list<std::uint8_t> subscriptions, std::uint8_t writes,
               std::initializer_list<ActionKind> actions, std::vector<Action> prologue = {}) {
  Scope scope = scope_of(subscriptions, 1, writes, 0);
  scope.actions = 0;
  for (const ActionKind each : actions) scope.actions |= just(each);
  scope.prologue = std::move(prologue);
  return scope;
}

// Each with a scope in which few states lead to the run that refutes it.
std::vector<Broken> broken_rules() {
  using enum ActionKind;
  const Scope evicting = directed({kAll, kSome}, 4, {Insert, MoveOut, MoveIn, Evict, Meet, Cut});
  const Scope resubscribing = directed({kAll, kAll}, 2, {Insert, Set, Evict, Subscribe, Unsubscribe, Meet, Cut});
  const Scope purging = directed({kAll, kAll}, 4, {Insert, Delete, Purge, Meet, Cut, MeetCut});
  Scope two_documents = directed({kAll, kSome}, 4, {Insert, Set, MoveOut, MeetCut});
  two_documents.documents = 2;
  Scope moving_out = directed({kAll, kSome}, 3, {Insert, MoveOut, Meet});
  moving_out.documents = 2;
  Scope stale = directed({kAll, kSome, kAll}, 6, {Meet, Cut},
                         {{Insert, 2, 1},
                          {Delete, 2, 1},
                          {Purge, 2},
                          {Insert, 0, 0},
                          {MoveOut, 0, 0},
                          {Meet, 0, 1},
                          {Cut, 0, 1},
                          {Meet, 1, 2},
                          {TimePasses},
                          {TimePasses}});
  stale.documents = 2;
  const std::vector<Action> half_told{{Insert, 0, 0}, {Meet, 0, 1},   {Meet, 0, 2}, {Cut, 0, 1},
                                      {Cut, 0, 2},    {Delete, 0, 0}, {Purge, 0}};
  return {
      {Defect::CursorOffByOne, directed({kAll, kAll}, 2, {Insert, Set, MeetCut})},
      {Defect::BaseIgnored, two_documents},
      {Defect::BeforeMatchIgnored, moving_out},
      {Defect::LeaversNotNamed, directed({kAll, kSome}, 2, {Insert, MoveOut, Meet, Cut})},
      {Defect::HeldRangeFolded, directed({kAll, kSome}, 2, {Insert, MoveOut, Meet, Cut, MeetCut})},
      {Defect::SupersededNotTold, directed({kAll, kAll, kSome}, 2, {Insert, MoveOut, Meet, Cut})},
      {Defect::HorizonIgnored, purging},
      {Defect::HorizonPassedEarly, purging},
      {Defect::JudgeAlways, purging},
      {Defect::JudgeNever, purging},
      {Defect::JudgeByPartialQuery, evicting},
      {Defect::DropWithoutTrace, directed({kAll, kAll, kAll}, 3, {Set, Meet, Cut}, half_told)},
      {Defect::StaleDeviceDrops, stale},
      {Defect::PartialMerged, evicting},
      {Defect::EchoWithheldFromNothing, resubscribing},
      {Defect::AnswerWithoutEcho, evicting},
      {Defect::PurgeUnrecognisable, purging},
      {Defect::KnownToPartial, directed({kAll, kSome}, 3, {Insert, MoveOut, MoveIn, Meet})},
      {Defect::KnownBeforeLevel, purging},
      {Defect::ForgottenLivesPurged, purging},
      {Defect::DeadNotTold, directed({kAll, kSome, kSome}, 2, {Insert, Delete, Purge, Meet, Cut, MeetCut})},
      {Defect::LifeReused, purging},
      {Defect::EvictKeepsCursors, resubscribing},
      {Defect::EvictKeepsKnown, resubscribing},
      {Defect::EvictWanted, directed({kAll, kAll}, 2, {Insert, Evict, Meet, Cut})},
  };
}

TEST(Model, EveryBrokenRuleIsRefutedByAShortRun) {
  int refuted = 0;
  for (const auto& [defect, scope] : broken_rules()) {
    const Report report = explore(scope, Rules{defect}, {.states = 30'000});
    fmt::print("{:30} {:6} states, {:2} actions: {}\n", name_of(defect), report.states, report.run.size(),
               report.violation);
    EXPECT_NE(report.violation, "") << name_of(defect) << " was not refuted: " << report.text(scope);
    refuted += report.violation.empty() ? 0 : 1;
  }
  EXPECT_EQ(refuted, int(Defect::Count) - 1) << "every defect needs its place in the table";
}

}  // namespace
}  // namespace fermata::model
