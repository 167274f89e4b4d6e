// Whole peers in one process: real SQLite, real TLS sockets on loopback, real threads.
#include <unistd.h>

#include <fstream>
#include <thread>

#include "integration/peer/peer_fixture.hpp"

namespace fermata {
namespace {

TEST(Peer, AChangeOnOneSideReachesTheObserverOnTheOther) {
  TestPeer desk, phone;
  phone.want("SELECT * FROM tasks");
  desk.want("SELECT * FROM tasks");
  phone.connect(desk.listen());
  Watched on_phone(phone.database(), "SELECT * FROM tasks");
  Watched on_desk(desk.database(), "SELECT * FROM tasks WHERE done = true");
  desk.run("INSERT INTO tasks DOCUMENTS (:t)", {{"t", Map{{"_id", "milk"}, {"done", false}}}});
  ASSERT_TRUE(on_phone.wait_count(1));
  phone.run("UPDATE tasks SET done = true WHERE _id = 'milk'");
  ASSERT_TRUE(on_desk.wait_count(1));
  desk.run("DELETE FROM tasks");
  ASSERT_TRUE(on_phone.wait_count(0));
}

TEST(Peer, OnlyDocumentsThatMatchTheSubscriptionArriveAndThoseThatLeaveItAreUpdatedOnce) {
  TestPeer desk, phone;
  phone.want("SELECT * FROM tasks WHERE owner = 'ann'");
  phone.connect(desk.listen());
  Watched all(phone.database(), "SELECT * FROM tasks");
  desk.run("INSERT INTO tasks DOCUMENTS (:a), (:b)",
           {{"a", Map{{"_id", "1"}, {"owner", "bob"}}}, {"b", Map{{"_id", "2"}, {"owner", "ann"}}}});
  ASSERT_TRUE(all.wait_count(1));
  desk.run("UPDATE tasks SET owner = 'bob' WHERE _id = '2'");
  ASSERT_TRUE(
      all.wait([](const auto& items) { return items.size() == 1 && *find_path(items[0], "owner") == Value("bob"); }));
}

TEST(Peer, WhatWasWrittenWhileApartArrivesInOneRoundTripAfterMeetingAgain) {
  TestPeer desk, phone;
  const std::string address = desk.listen();
  phone.want("SELECT * FROM tasks");
  phone.connect(address);
  Watched on_phone(phone.database(), "SELECT * FROM tasks");
  desk.run("INSERT INTO tasks DOCUMENTS ({_id: 'first'})");
  ASSERT_TRUE(on_phone.wait_count(1));
  phone.platform->events_.on_app_state(AppState::Background, std::chrono::milliseconds(200));
  ASSERT_TRUE(phone.platform->wait_ready());
  for (int i = 0; i < 20; ++i) desk.run("INSERT INTO tasks DOCUMENTS (:t)", {{"t", Map{{"n", i}}}});
  phone.platform->events_.on_app_state(AppState::Foreground, std::nullopt);
  ASSERT_TRUE(on_phone.wait_count(21));
  const CatchUp catch_up = phone.peer->status().catch_up;
  EXPECT_TRUE(catch_up.done);
  EXPECT_EQ(catch_up.round_trips, 1u);
  EXPECT_EQ(phone.peer->status().full_handshakes, 1u);
  EXPECT_EQ(phone.peer->status().resumed_handshakes, 1u);
}

// Whether this process holds a file lock, as a phone looks for at suspension.
bool holds_file_locks() {
  std::ifstream locks("/proc/locks");
  const std::string pid = " " + std::to_string(::getpid()) + " ";
  for (std::string line; std::getline(locks, line);) {
    if (line.find(pid) != std::string::npos) return true;
  }
  return false;
}

TEST(Peer, HoldsNoFileLockOncePausedNotEvenAfterTheAppWroteAgain) {
  TestPeer phone;
  phone.listen();
  phone.run("INSERT INTO tasks DOCUMENTS ({_id: 'first'})");
  EXPECT_TRUE(holds_file_locks()) << "or this test tests nothing";
  phone.platform->events_.on_app_state(AppState::Background, std::chrono::milliseconds(200));
  ASSERT_TRUE(phone.platform->wait_ready());
  EXPECT_FALSE(holds_file_locks());
  phone.run("INSERT INTO tasks DOCUMENTS ({_id: 'second'})");
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (holds_file_locks() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(holds_file_locks());
  phone.platform->events_.on_app_state(AppState::Foreground, std::nullopt);
  EXPECT_EQ(phone.run("SELECT * FROM tasks").items.size(), 2u);
}

TEST(Peer, StartAndStopFromTwoThreadsLeaveNothingBehind) {
  for (int round = 0; round < 20; ++round) {
    TestPeer peer;
    std::thread stopper([&] { peer.peer->stop(); });
    (void)peer.peer->start({.listen = {"127.0.0.1:0"}});
    stopper.join();
    peer.peer.reset();  // a keeper that still knew it would now steer a ruin; the sanitizers watch
    peer.background.start();
    peer.background.stop();
  }
}

TEST(Peer, AStrangerWithAnotherSecretIsRefusedAndCounted) {
  TestPeer desk, stranger("another secret altogether");
  desk.run("INSERT INTO tasks DOCUMENTS ({_id: 'private'})");
  stranger.want("SELECT * FROM tasks");
  stranger.connect(desk.listen());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (desk.peer->status().refused_links == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_GT(desk.peer->status().refused_links, 0u);
  EXPECT_TRUE(stranger.run("SELECT * FROM tasks").items.empty());
  EXPECT_TRUE(desk.peer->status().links.empty());
}

TEST(Peer, ADirectoryKeepsItsIdentityAndItsDocuments) {
  TestPeer desk;
  const std::string device = desk.peer->status().device;
  desk.run("INSERT INTO tasks DOCUMENTS ({_id: 'kept'})");
  desk.open();
  EXPECT_EQ(desk.peer->status().device, device);
  EXPECT_EQ(desk.run("SELECT * FROM tasks").items.size(), 1u);
}

TEST(Peer, HasAsManyDifferentSubscriptionsAsOthersAccept) {
  TestPeer peer;
  for (int i = 0; i < 1024; ++i) peer.want("SELECT * FROM tasks WHERE n = " + std::to_string(i));
  peer.want("SELECT * FROM tasks WHERE n = 0");
  const auto more = peer.peer->subscribe("SELECT * FROM tasks WHERE n = 1024");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::LimitExceeded);
}

TEST(Peer, ABusyPortIsOneClearError) {
  TestPeer one, two;
  const auto started = two.peer->start({.listen = {one.listen()}});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::Busy) << started.error().message;
}

TEST(Peer, StopsTwiceAndOutlivesItsHandles) {
  TestPeer desk;
  desk.listen();
  desk.want("SELECT * FROM tasks");
  desk.peer->stop();
  desk.peer->stop();
  EXPECT_EQ(desk.run("SELECT * FROM tasks").items.size(), 0u);
  desk.peer.reset();
  desk.wanted.clear();
}

TEST(Peer, AHundredThousandBytesOfDocumentsInBothDirectionsConverge) {
  TestPeer desk, phone;
  std::vector<Map> documents;
  for (int i = 0; i < 3000; ++i) documents.push_back({{"_id", std::to_string(i)}, {"name", std::string(40, 'x')}});
  ASSERT_TRUE(desk.database().import("places", documents));
  for (auto& document : documents) document["_id"] = "p" + *document["_id"].if_a<std::string>();
  ASSERT_TRUE(phone.database().import("places", documents));
  desk.want("SELECT * FROM places");
  phone.want("SELECT * FROM places");
  phone.connect(desk.listen());
  Watched on_desk(desk.database(), "SELECT * FROM places"), on_phone(phone.database(), "SELECT * FROM places");
  EXPECT_TRUE(on_phone.wait_count(6000));
  EXPECT_TRUE(on_desk.wait_count(6000));
}

}  // namespace
}  // namespace fermata
