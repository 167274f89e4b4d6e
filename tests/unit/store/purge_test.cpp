// Forgetting tombstones: which ones, how many at a time, and that what is said about it is as durable as the deed.
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using namespace std::chrono_literals;
using support::MemoryDisk;

struct Purge : ::testing::Test {
  void SetUp() override { reopen(); }
  void reopen() {
    store.reset();
    auto options = in_memory(disk);
    options.clock = &clock;
    store = must_open(options);
    ASSERT_NE(store, nullptr);
  }
  void bury(const std::string& id, const Map& fields = {{"n", 1}}) {
    ASSERT_OK(insert(*store, id, fields));
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->remove("tasks", id));
    ASSERT_OK(transaction->commit());
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    auto log = store->changes_since(0, 1000, 1 << 20);
    if (!log) return {why(log)};
    for (const auto& each : log->documents) all.push_back(each.id);
    return all;
  }

  MemoryDisk disk;
  FixedClock clock;
  std::unique_ptr<Store> store;
};

TEST_F(Purge, ForgetsTombstonesOlderThanAskedForAndNothingElse) {
  bury("old");
  ASSERT_OK(insert(*store, "living", {{"n", 1}}));
  clock.wall += 24h;
  bury("young");
  EXPECT_EQ(store->purge(clock.wall - 24h, 100), std::size_t{0}) << "just as old is not older";
  EXPECT_EQ(store->purged_seq(), 0u);
  EXPECT_EQ(store->purge(clock.wall - 23h, 100), std::size_t{1});
  EXPECT_EQ(store->purged_seq(), 2u);
  EXPECT_EQ(ids(), (std::vector<std::string>{"living", "young"}));
  EXPECT_FALSE(store->load("tasks", "old")->exists());
  EXPECT_EQ(store->changes_since(0, 10, 1 << 20)->head, 5u);
}

TEST_F(Purge, TakesTheOldestFirstAndNoMoreThanAskedFor) {
  for (const char* id : {"a", "b", "c"}) {
    bury(id);
    clock.wall += 1h;
  }
  EXPECT_EQ(store->purge(clock.wall, 2), std::size_t{2});
  EXPECT_EQ(ids(), (std::vector<std::string>{"c"}));
  EXPECT_EQ(store->purged_seq(), 4u);
  EXPECT_EQ(store->purge(clock.wall, 2), std::size_t{1});
  EXPECT_EQ(store->purge(clock.wall, 2), std::size_t{0});
  EXPECT_EQ(store->purged_seq(), 6u);
}

TEST_F(Purge, CountsFromTheLastChangeOfTheTombstone) {
  bury("a");
  clock.wall += 24h;
  const auto source = store->source_number("remote");
  ASSERT_OK(source);
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  const crdt::Delta late{.collection = "tasks", .id = "a", .life = 4, .registers = {}};
  ASSERT_OK(transaction->merge(late, *source));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(store->purge(clock.wall - 1h, 10), std::size_t{0});
  clock.wall += 2h;
  EXPECT_EQ(store->purge(clock.wall - 1h, 10), std::size_t{1});
  EXPECT_EQ(store->purged_seq(), 3u);
}

TEST_F(Purge, SparesWhatCameBackToLife) {
  bury("a");
  clock.wall += 24h;
  ASSERT_OK(insert(*store, "a", {{"n", 2}}));
  EXPECT_EQ(store->purge(clock.wall + 1h, 10), std::size_t{0});
  EXPECT_EQ(view(*store, "a"), (Map{{"n", 2}}));
}

TEST_F(Purge, LeavesTheLogUsable) {
  bury("a");
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  bury("c");
  EXPECT_EQ(store->purge(clock.wall + 1h, 10), std::size_t{2});
  const auto changes = store->changes_since(1, 10, 1 << 20);
  ASSERT_OK(changes);
  ASSERT_EQ(changes->documents.size(), 1u);
  EXPECT_EQ(changes->documents[0].local_seq, 3u);
  EXPECT_EQ(changes->head, 5u) << "the log's end does not move back, or a cursor would be beyond it";
  const auto next = insert(*store, "d", {{"n", 1}});
  ASSERT_OK(next);
  EXPECT_EQ(*next, 6u);
  EXPECT_EQ(store->collections()->front().second, 2u);
}

TEST_F(Purge, IsRememberedAcrossAQuiesceAndACrash) {
  bury("a");
  bury("b");
  ASSERT_EQ(store->purge(clock.wall + 1h, 1), std::size_t{1});
  ASSERT_OK(store->quiesce(5s));
  ASSERT_OK(insert(*store, "c", {{"n", 1}}));
  EXPECT_EQ(store->purged_seq(), 2u);
  ASSERT_EQ(store->purge(clock.wall + 1h, 1), std::size_t{1});
  reopen();
  EXPECT_EQ(store->purged_seq(), 4u);
  EXPECT_EQ(ids(), (std::vector<std::string>{"c"}));
}

TEST_F(Purge, NeverForgetsATombstoneOfALifeThatOnlyAForgerReaches) {
  bury("a");
  crdt::Register r;
  r.path = {"n"};
  r.dot = {store->actor(), 1};
  r.life = crdt::kMaxLife - 1;
  ASSERT_OK(take_in(*store, {"tasks", "ghost", crdt::kMaxLife, {r}, true}));
  const auto step = store->purge_known(clock.wall + 1h, {{"tasks", store->last_local_seq()}}, {}, 10);
  ASSERT_OK(step);
  EXPECT_EQ(step->forgotten, 1u);
  EXPECT_EQ(ids(), (std::vector<std::string>{"ghost"}));
  EXPECT_EQ(store->purged_life("tasks"), std::uint64_t{2});
  ASSERT_OK(store->raise_purged_life("tasks", crdt::kMaxLife));
  EXPECT_EQ(store->purged_life("tasks"), kMaxPurgedLife);
}

TEST_F(Purge, OfCollectionsWithoutDocumentsIsTakenOverUpToALimit) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  std::size_t taken = 0;
  for (std::size_t i = 0; i < kMaxForeignGraves + 50; ++i) {
    const std::string name = "c" + std::to_string(i);
    ASSERT_OK(store->raise_purged_life(name, 2));
    if (*store->purged_life(name) == 2) ++taken;
  }
  EXPECT_EQ(taken, kMaxForeignGraves);
  for (const char* mine : {"tasks", "c0"}) {
    ASSERT_OK(store->raise_purged_life(mine, 4));
    EXPECT_EQ(store->purged_life(mine), std::uint64_t{4});
  }
}

TEST_F(Purge, TheCommitsOfSoManyActorsAreKnownAndNoneOfOursThatWeHaveNotMade) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  KnownCommits told;
  for (crdt::ActorId actor = 1; actor <= 2 * kMaxKnownActors; ++actor) told[actor] = 9;
  ASSERT_OK(store->learn("tasks", told));
  told = {{1, 10}, {store->actor(), 1'000'000}};
  ASSERT_OK(store->learn("tasks", told));
  const auto known = store->known("tasks");
  ASSERT_OK(known);
  EXPECT_EQ(known->size(), kMaxKnownActors + 1) << "our own besides";
  EXPECT_EQ(known->at(1), 10u);
  EXPECT_EQ(known->at(store->actor()), 1u);
}

TEST(PurgeAndPower, APowerCutTakesBackTheHorizonWithThePurge) {
  bool was_cut = true;
  for (std::uint64_t write = 1; was_cut; ++write) {
    SCOPED_TRACE("power lost at write " + std::to_string(write));
    MemoryDisk disk;
    auto store = must_open(in_memory(disk));
    ASSERT_NE(store, nullptr);
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->insert("tasks", "a", {{"n", 1}}));
    ASSERT_OK(transaction->remove("tasks", "a"));
    ASSERT_OK(transaction->commit());
    ASSERT_OK(store->quiesce(5s));
    disk.lose_power_at_write(write);
    const auto purged = store->purge(system_clock().wall_now() + 1h, 1);
    static_cast<void>(store->quiesce(5s));
    was_cut = !disk.powered();
    store = nullptr;
    EXPECT_TRUE(was_cut || purged == std::size_t{1});
    disk.crash();
    store = must_open(in_memory(disk));
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->purged_seq() == 1, !store->load("tasks", "a")->exists());
    EXPECT_EQ(store->last_local_seq(), 1u);
    ASSERT_LT(write, 1000u);
    EXPECT_TRUE(was_cut || write > 2) << "the test lost no power";
  }
}

}  // namespace
}  // namespace fermata::store
