// What survives: killed processes, power cuts, full disks, failing disks.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <set>

#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;
using support::TempDir;

std::uint64_t test_seed() {
  const char* given = std::getenv("FERMATA_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

std::string reproduce(std::uint64_t seed) {
  return "reproduce with FERMATA_SEED=" + std::to_string(seed);
}

// The documents "d1", "d2", … that are there, which must be a prefix. Result: how many.
std::uint64_t prefix_length(Store& store) {
  std::uint64_t count = 0;
  while (store.load("tasks", "d" + std::to_string(count + 1))->exists()) ++count;
  EXPECT_EQ(store.last_local_seq(), count);
  EXPECT_EQ(store.changes_since(0, 1'000'000, std::size_t{1} << 30)->documents.size(), count)
      << "something beyond a hole";
  expect_agreement(store, "tasks");
  return count;
}

// Runs in the child: writes for ever, and says so after each commit.
[[noreturn]] void write_and_acknowledge(const std::string& directory, std::uint64_t next, int pipe) {
  auto store = Store::open(on_disk(directory));
  if (!store) ::_exit(2);
  for (;; ++next) {
    if (!insert(**store, "d" + std::to_string(next), {{"n", static_cast<long>(next)}})) ::_exit(3);
    if (::write(pipe, &next, sizeof next) != sizeof next) ::_exit(4);
  }
}

// The last number that the child acknowledged before it was killed, after `acknowledged` more of them and a short,
// random while.
std::uint64_t run_until_killed(const std::string& directory, std::uint64_t next, SeededRandom& random) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    write_and_acknowledge(directory, next, ends[1]);
  }
  ::close(ends[1]);
  std::uint64_t last = next - 1, heard = 0;
  for (std::uint64_t left = random.below(12); left > 0 && ::read(ends[0], &heard, sizeof heard) == sizeof heard;
       --left) {
    last = heard;
  }
  for (std::uint64_t spin = random.below(20'000); spin > 0; --spin) {
    static_cast<void>(::getppid());
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with status " << WEXITSTATUS(status);
  while (::read(ends[0], &heard, sizeof heard) == sizeof heard) {
    last = heard;
  }
  ::close(ends[0]);
  return last;
}

TEST(KilledProcess, LeavesEveryAcknowledgedCommitAndKeepsTheEpochButNotTheActor) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(reproduce(seed));
  SeededRandom random(seed);
  TempDir dir;
  auto first = must_open(on_disk(dir.path()));
  const Epoch epoch = first->epoch();
  first.reset();
  std::uint64_t present = 0;
  for (int round = 0; round < 50; ++round) {
    const std::uint64_t acknowledged = run_until_killed(dir.path(), present + 1, random);
    auto store = must_open(on_disk(dir.path()));
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->epoch(), epoch);
    present = prefix_length(*store);
    ASSERT_GE(present, acknowledged) << "round " << round;
    ASSERT_LE(present, acknowledged + 1) << "round " << round;
  }
  EXPECT_GT(present, 50u) << "hardly anything was written";
}

TEST(Identity, KeepsTheActorOverCleanClosesAndRotatesItOverUncleanOnes) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  const auto actor = store->actor();
  const auto epoch = store->epoch();
  store = nullptr;
  store = must_open(in_memory(disk));
  EXPECT_EQ(store->actor(), actor);
  ASSERT_OK(insert(*store, "d2", {{"n", 1}}));
  EXPECT_EQ(store->load("tasks", "d2")->registers()[0].dot, (crdt::Dot{actor, 2}));
  disk.kill_process();
  store = nullptr;
  store = must_open(in_memory(disk));
  EXPECT_EQ(prefix_length(*store), 2u);
  EXPECT_NE(store->actor(), actor);
  EXPECT_EQ(store->epoch(), epoch) << "a process crash loses no commit";
  ASSERT_OK(insert(*store, "d3", {{"n", 1}}));
  EXPECT_EQ(store->load("tasks", "d3")->registers()[0].dot, (crdt::Dot{store->actor(), 1}));
}

TEST(Identity, AnUncleanEndUnderAnotherOrUnknownBootStartsANewEpoch) {
  MemoryDisk disk;
  auto options = in_memory(disk);
  auto store = must_open(options);
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  Epoch epoch = store->epoch();
  for (const std::string boot : {"another", ""}) {
    disk.kill_process();
    store = nullptr;
    options.boot_id = boot;
    store = must_open(options);
    EXPECT_NE(store->epoch(), epoch);
    epoch = store->epoch();
    ASSERT_OK(set(*store, "d1", "n", 2));
  }
  disk.kill_process();
  store = nullptr;
  store = must_open(options);
  EXPECT_NE(store->epoch(), epoch) << "two unknown boots are not the same boot";
}

TEST(Identity, ACleanStoreThatIsOnlyReadStaysCleanWhateverHappens) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  const auto actor = store->actor();
  const auto epoch = store->epoch();
  store = nullptr;
  store = must_open(in_memory(disk));
  EXPECT_EQ(view(*store, "d1"), (Map{{"n", 1}}));
  disk.crash();
  store = nullptr;
  store = must_open(in_memory(disk));
  EXPECT_EQ(store->actor(), actor);
  EXPECT_EQ(store->epoch(), epoch);
}

TEST(PowerLoss, AfterACleanCloseTheFirstCommitAlreadyMakesTheNextStartRotateTheActor) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  store = nullptr;
  store = must_open(in_memory(disk));
  const auto actor = store->actor();
  const auto epoch = store->epoch();
  ASSERT_OK(insert(*store, "d2", {{"n", 1}}));  // a peer may have it from us by now
  disk.crash();
  store = nullptr;
  store = must_open(in_memory(disk));
  EXPECT_NE(store->actor(), actor);
  EXPECT_NE(store->epoch(), epoch);
}

TEST(PowerLoss, LeavesAPrefixAndANewEpochAndANewActor) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(reproduce(seed));
  SeededRandom random(seed);
  MemoryDisk disk;
  std::uint64_t present = 0;
  std::set<Epoch> epochs;
  std::set<crdt::ActorId> actors;
  constexpr std::size_t kRounds = 40;
  for (std::size_t round = 0; round < kRounds; ++round) {
    auto store = must_open(in_memory(disk));
    ASSERT_NE(store, nullptr);
    const std::uint64_t survived = prefix_length(*store);
    ASSERT_LE(survived, present) << "round " << round;
    EXPECT_TRUE(epochs.insert(store->epoch()).second) << "round " << round;
    EXPECT_TRUE(actors.insert(store->actor()).second) << "round " << round;
    present = survived;
    for (std::uint64_t left = 1 + random.below(30); left > 0; --left) {
      ++present;
      ASSERT_OK(insert(*store, "d" + std::to_string(present), {{"text", std::string(random.below(9000), 'x')}}));
    }
    disk.crash(random);
    store = nullptr;
  }
}

TEST(PowerLoss, AtAnyWriteLeavesWhatWasCommittedBeforeACleanClose) {
  for (std::uint64_t write = 1;; ++write) {
    SCOPED_TRACE("power lost at write " + std::to_string(write));
    MemoryDisk disk;
    auto store = must_open(in_memory(disk));
    ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
    ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
    disk.lose_power_at_write(write);
    static_cast<void>(insert(*store, "d2", {{"n", 2}}));
    static_cast<void>(store->quiesce(std::chrono::seconds(5)));
    store = nullptr;
    const bool survived_whole = disk.powered();
    disk.crash();
    store = must_open(in_memory(disk));
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(view(*store, "d1"), (Map{{"n", 1}}));
    const std::uint64_t present = prefix_length(*store);
    if (survived_whole) {
      EXPECT_EQ(present, 2u);
      EXPECT_GT(write, 5u) << "the test lost no power";
      return;
    }
  }
}

TEST(FullDisk, GivesNoSpaceKeepsNothingHalfWrittenAndGoesOnOnceThereIsSpace) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  disk.limit_free_space(30'000);
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  for (int i = 2; i < 20; ++i) {
    ASSERT_OK(transaction->insert("tasks", "d" + std::to_string(i), {{"text", std::string(5000, 'x')}}));
  }
  auto done = transaction->commit();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::NoSpace);
  EXPECT_EQ(prefix_length(*store), 1u);
  disk.unlimited_space();
  ASSERT_OK(insert(*store, "d2", {{"n", 2}}));
  store = nullptr;
  store = must_open(in_memory(disk));
  EXPECT_EQ(prefix_length(*store), 2u);
  EXPECT_EQ(store->load("tasks", "d2")->registers()[0].dot.seq, 2u) << "the refused commit must not use up a seq";
}

TEST(FullDisk, AtCreationIsNoSpaceAndALaterOpenSucceeds) {
  MemoryDisk disk;
  disk.limit_free_space(10'000);
  auto refused = Store::open(in_memory(disk));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::NoSpace);
  EXPECT_EQ(disk.open_files(), 0u);
  disk.unlimited_space();
  auto store = must_open(in_memory(disk));
  ASSERT_NE(store, nullptr);
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
}

TEST(FailingDisk, AWriteThatFailsAnywhereIsAnErrorAndLosesNothingThatWasCommitted) {
  bool failed_once = false;
  for (std::uint64_t write = 1; write < 12; ++write) {
    SCOPED_TRACE("failing write " + std::to_string(write));
    MemoryDisk disk;
    auto store = must_open(in_memory(disk));
    ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
    disk.fail_write(write);
    const auto second = insert(*store, "d2", {{"n", 2}});
    failed_once = failed_once || !second;
    if (!second) {
      EXPECT_EQ(second.error().code, ErrorCode::Io);
      ASSERT_OK(insert(*store, "d2", {{"n", 2}}));
    }
    EXPECT_EQ(prefix_length(*store), 2u);
  }
  EXPECT_TRUE(failed_once);
}

TEST(Quiesce, OnAFullDiskClosesEverythingAllTheSameAndSaysSo) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  const auto actor = store->actor();
  disk.limit_free_space(0);
  auto done = store->quiesce(std::chrono::seconds(5));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::NoSpace);
  EXPECT_EQ(disk.open_files(), 0u);
  disk.unlimited_space();
  EXPECT_EQ(prefix_length(*store), 1u);
  EXPECT_NE(store->actor(), actor) << "an unclean close must not keep the actor";
}

}  // namespace
}  // namespace fermata::store
