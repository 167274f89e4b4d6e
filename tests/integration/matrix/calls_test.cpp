// Calls, alarms and the sound's ways: silent audio is taken away and must come back.
#include <signal.h>

#include "integration/matrix/matrix.hpp"

namespace fermata::test {
namespace {

class MatrixCalls : public Matrix {
 protected:
  void SetUp() override {
    fill_desk(50);
    start_phone();
    ASSERT_TRUE(synced()) << report();
    leave_and_hold();
    write(20);
    ASSERT_TRUE(synced()) << report();
  }
  // Everything arrived without a moment of suspension.
  void finish_without_a_freeze() {
    write(20);
    ASSERT_TRUE(synced()) << report();
    finish();
    EXPECT_EQ(events_.count("frozen"), 0u) << report();
    EXPECT_TRUE(gaps().empty());
  }
};

TEST_F(MatrixCalls, AnInterruptionIsBridgedAndWhatWasWrittenMeanwhileArrivesInIt) {
  act("call 2s");
  ASSERT_TRUE(events_.await("call_begin"));
  write(20);
  ASSERT_TRUE(synced()) << report();
  ASSERT_TRUE(events_.await("call_end"));
  ASSERT_TRUE(events_.await("playing", 2)) << report();
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, OverlappingCallsAreOneInterruption) {
  act("call 2s");
  act("call 3s");
  ASSERT_TRUE(events_.await("call_begin", 2));
  write(20);
  ASSERT_TRUE(synced()) << report();
  ASSERT_TRUE(events_.await("call_end", 2));
  ASSERT_TRUE(events_.await("playing", 2)) << report();
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, AnAlarmIsAnInterruptionToo) {
  act("alarm 1s");
  ASSERT_TRUE(events_.await("not_playing"));
  ASSERT_TRUE(events_.await("playing", 2)) << report();
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, ACallLongerThanTheAssertionSuspendsInPeaceAndIsCaughtUp) {
  act("call 9s");
  ASSERT_TRUE(events_.await("frozen")) << report();
  write(20);
  act("wait-call");
  ASSERT_TRUE(events_.await("call_end"));
  act("foreground");
  ASSERT_TRUE(synced()) << report();
  leave_and_hold();  // although nobody told it that the call ended
  write(20);
  ASSERT_TRUE(synced()) << report();
  finish();
  ASSERT_EQ(gaps().size(), 1u);
  EXPECT_TRUE(gaps()[0].cause == GapCause::Interrupted || gaps()[0].cause == GapCause::Expired)
      << name_of(gaps()[0].cause);
  EXPECT_GT(gaps()[0].changes_missed, 0u);
  EXPECT_TRUE(gaps()[0].catch_up.has_value());
}

// Stopped behind the phone's back from before a call until after it: the app hears of its beginning only, if at all.
TEST_F(MatrixCalls, AFreezeAcrossAWholeCallDoesNotSilenceItForEver) {
  const pid_t app = app_pid();
  ASSERT_GT(app, 0) << report();
  ASSERT_EQ(::kill(app, SIGSTOP), 0);
  act("call 600ms");  // less than the grace, which begins with it
  ASSERT_TRUE(events_.await("call_end")) << report();
  write(20);
  ASSERT_EQ(::kill(app, SIGCONT), 0);
  act("expect playing within 20s");
  act("note it plays");
  ASSERT_TRUE(events_.await("note")) << report();
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, ALostRouteIsBridgedUntilItIsBack) {
  act("route lost");
  ASSERT_TRUE(events_.await("task_begin")) << report();
  write(20);
  ASSERT_TRUE(synced()) << report();
  act("route back");
  ASSERT_TRUE(events_.await("task_end")) << report();
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, AMovedRouteIsFollowed) {
  act("route moved");
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, AKilledRouteIsRebuilt) {
  act("route killed");
  write(20);
  ASSERT_TRUE(synced()) << report();
  finish_without_a_freeze();
}

TEST_F(MatrixCalls, ThreeDeathsOfTheSoundServerAreSurvived) {
  for (std::size_t death = 1; death <= 3; ++death) {
    act("media-services reset");
    ASSERT_TRUE(events_.await("audio_restarted", death)) << report();
    write(20);
    ASSERT_TRUE(synced()) << report();
    ASSERT_TRUE(events_.await("playing", 1 + death)) << report();
  }
  finish_without_a_freeze();
}

}  // namespace
}  // namespace fermata::test
