// Real suspensions: frozen, sockets taken away, locks checked. Nothing is lost, and the ledger knows.
#include <signal.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "integration/matrix/matrix.hpp"

namespace fermata::test {
namespace {

class MatrixSuspension : public Matrix {
 protected:
  void freeze() {
    const std::size_t before = events_.count("frozen");
    act("background");
    ASSERT_TRUE(events_.await("frozen", before + 1)) << report();
  }
  void thaw() {
    act("foreground");
    ASSERT_TRUE(synced()) << report();
  }
};

// FERMATA_FREEZE_SECONDS makes it longer, as for a release.
TEST_F(MatrixSuspension, AFreezeWithReclaimedSocketsIsCaughtUp) {
  const char* wish = std::getenv("FERMATA_FREEZE_SECONDS");
  fill_desk(100);
  start_phone({.background_sync = false});
  ASSERT_TRUE(synced()) << report();
  freeze();
  write(100);
  std::this_thread::sleep_for(std::chrono::seconds(wish != nullptr ? std::atoi(wish) : 3));  // the freeze itself
  thaw();
  finish();
  ASSERT_EQ(gaps().size(), 1u);
  EXPECT_EQ(gaps()[0].cause, GapCause::Off);
  EXPECT_EQ(gaps()[0].changes_missed, 100u);
  EXPECT_TRUE(gaps()[0].catch_up.has_value());
  EXPECT_GE(*gaps()[0].length, std::chrono::milliseconds(3000));
}

TEST_F(MatrixSuspension, TenRoundsThroughTheBackgroundLoseNothing) {
  fill_desk(50);
  start_phone({.background_sync = false});
  ASSERT_TRUE(synced()) << report();
  for (int round = 0; round < 10; ++round) {
    freeze();
    write(10);
    thaw();
    write(10);
  }
  finish();
  EXPECT_EQ(gaps().size(), 10u);
}

TEST_F(MatrixSuspension, TwentyImmediateReversalsLeaveItHolding) {
  fill_desk(50);
  start_phone();
  ASSERT_TRUE(synced()) << report();
  for (int reversal = 0; reversal < 20; ++reversal) {
    act("background");
    act("foreground");
    write(2);
  }
  leave_and_hold();
  write(10);
  ASSERT_TRUE(synced()) << report();
  finish();
}

// The seed is fixed: the same moments each time, spread over the pause and the quiesce().
TEST_F(MatrixSuspension, AReturnAtAnyMomentOfThePauseIsSafe) {
  fill_desk(50);
  start_phone({.background_sync = false});
  ASSERT_TRUE(synced()) << report();
  std::mt19937 random(7);
  for (int round = 0; round < 12; ++round) {
    act("background");
    act("wait " + std::to_string(700 + random() % 350) + "ms");  // the grace ends after 1000 ms
    act("foreground");
    act("wait 50ms");
    write(5);
  }
  thaw();
  finish();
}

TEST_F(MatrixSuspension, AnInitialSyncIsSuspendedInItsMiddle) {
  fill_desk(20'000);
  start_phone({.time_scale = "0.4", .background_sync = false});
  ASSERT_TRUE(eventually([this] {
    const auto links = desk_->status().links;
    return !links.empty() && links[0].documents_sent > 0;
  })) << report();
  act("background");
  ASSERT_TRUE(events_.await("frozen")) << report();
  thaw();
  finish();
}

TEST_F(MatrixSuspension, AThousandConflictingEditsConverge) {
  fill_desk(1000);
  start_phone({.background_sync = false});
  ASSERT_TRUE(synced()) << report();
  act("airplane 4s");
  ASSERT_TRUE(eventually([this] { return desk_->status().links.empty(); })) << report();
  const Outcome edited = fermata({"query", phone_directory_, "UPDATE items SET n = -1"});
  ASSERT_EQ(edited.code, 0) << edited << report();
  write(1000);
  freeze();
  thaw();
  finish();
}

// The peer is frozen itself, so nothing can be flushed: the pause must not wait for it longer than it has.
TEST_F(MatrixSuspension, AFlushThatCannotEndIsGivenUpInTimeAndCounted) {
  fill_desk(0);
  const std::string table = folder_ / "table";
  ASSERT_EQ(fermata({"init", table, "--secret-file", secret_}).code, 0);
  Program other({"serve", table, "--listen", "127.0.0.1:0", "--subscribe", "SELECT * FROM items"});
  const auto listening = other.err_line_with("listening on ");
  ASSERT_TRUE(listening.has_value());
  // A grace of two seconds: half of it is for the peer, half of the rest for its links, and the store needs what is
  // left.
  start_phone({.time_scale = "0.4", .background_sync = false, .connect = listening->substr(listening->rfind(' ') + 1)});
  ASSERT_EQ(
      fermata({"query", phone_directory_, "INSERT INTO items DOCUMENTS (:d)", "--param", R"(d={"_id":"first","x":1})"})
          .code,
      0);
  ASSERT_TRUE(eventually([&] { return !lines_of(fermata({"query", table, "SELECT * FROM items"}).out).empty(); }));
  other.signal(SIGSTOP);
  ASSERT_EQ(fermata({"query", phone_directory_, "UPDATE items SET x = 2"}).code, 0);
  act("background");
  ASSERT_TRUE(events_.await("frozen")) << report();
  EXPECT_EQ(events_.count("ready"), 1u) << "it was still flushing when the grace ended" << report();
  EXPECT_EQ(events_.count("lock_violation"), 0u);
  other.signal(SIGCONT);
  act("foreground");
  ASSERT_TRUE(eventually([&] {
    const auto lines = lines_of(fermata({"query", table, "SELECT * FROM items"}).out);
    return lines.size() == 1 && lines[0].find("\"x\":2") != std::string::npos;
  })) << report();
  const Outcome gaps = fermata({"gaps", phone_directory_, "--json"});
  EXPECT_NE(gaps.out.find("\"changes_unsent\":1"), std::string::npos) << gaps;
  act("quit");
  EXPECT_EQ(phone_->finish().code, 0);
}

TEST_F(MatrixSuspension, AClockThatJumpsAnHourEitherWayDisturbsNothing) {
  fill_desk(50);
  start_phone({.phone = {"--clock"}, .environment = {"ASAN_OPTIONS=verify_asan_link_order=0"}});
  ASSERT_TRUE(synced()) << report();
  leave_and_hold();
  for (const char* jump : {"clock +1h", "clock -1h", "clock -1h"}) {
    act(jump);
    write(10);
    ASSERT_TRUE(synced()) << report();
    const Outcome edited =
        fermata({"query", phone_directory_, "UPDATE items SET name = 'renamed' WHERE _id = 'item-7'"});
    EXPECT_EQ(edited.code, 0) << edited;
  }
  finish();
  EXPECT_EQ(events_.count("frozen"), 0u);
  EXPECT_TRUE(gaps().empty()) << "a jump of the wall clock was taken for a suspension";
}

}  // namespace
}  // namespace fermata::test
