#include <sqlite3.h>

#include <atomic>
#include <set>
#include <thread>

#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;

struct Fixture : ::testing::Test {
  void SetUp() override {
    auto options = in_memory(disk);
    options.clock = &clock;
    store = must_open(options);
    ASSERT_NE(store, nullptr);
    store->set_commit_listener([this](CommitEvent&& event) { events.push_back(std::move(event)); });
  }

  MemoryDisk disk;
  FixedClock clock;
  std::unique_ptr<Store> store;
  std::vector<CommitEvent> events;
};
struct Transactions : Fixture {};
struct Changes : Fixture {};
struct Merging : Fixture {};

crdt::Delta remote_delta(const std::string& id, const std::string& field, const Value& value, std::uint64_t seq,
                         std::uint64_t stamp) {
  return {.collection = "tasks",
          .id = id,
          .life = 1,
          .registers = {{.path = {field},
                         .kind = crdt::RegisterKind::Value,
                         .value = value,
                         .dot = {77, seq},
                         .stamp = {stamp},
                         .life = 1,
                         .mark = {}}}};
}

TEST_F(Transactions, NumberChangesDenselyInOrderOfFirstTouchAndTellTheListenerOnce) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->insert("tasks", "c", {{"n", 3}}));
  ASSERT_OK(transaction->set("tasks", "a", {"n"}, 10));
  ASSERT_OK(transaction->set("tasks", "c", {"n"}, 30));
  ASSERT_OK(transaction->remove("tasks", "a"));
  auto last = transaction->commit();
  ASSERT_OK(last);
  EXPECT_EQ(*last, 3u);
  ASSERT_EQ(events.size(), 2u);
  const CommitEvent& event = events[1];
  EXPECT_EQ(event.first_local_seq, 2u);
  EXPECT_EQ(event.source, 0u);
  ASSERT_EQ(event.changes.size(), 2u);
  EXPECT_EQ(event.changes[0].id, "c");
  EXPECT_EQ(event.changes[0].local_seq, 2u);
  EXPECT_FALSE(event.changes[0].existed_before);
  EXPECT_EQ(Map(event.changes[0].after), (Map{{"n", 30}}));
  EXPECT_EQ(event.changes[1].id, "a");
  EXPECT_EQ(event.changes[1].local_seq, 3u);
  EXPECT_TRUE(event.changes[1].existed_before);
  EXPECT_TRUE(event.changes[1].alive_before);
  EXPECT_FALSE(event.changes[1].alive_after);
  EXPECT_EQ(event.changes[1].before, (Map{{"n", 1}}));
}

// Ids greater than all others are taken for new without asking SQLite.
TEST_F(Transactions, KnowTheirDocumentsInWhateverOrderTheIdsCome) {
  const auto is_here = [&](const std::string& id) {
    auto transaction = store->begin();
    auto document = transaction->load("tasks", id);
    return document && document->alive();
  };
  for (const char* id : {"m", "z", "a", "n"}) {
    EXPECT_FALSE(is_here(id)) << id;
    ASSERT_OK(insert(*store, id, {{"n", 1}}));
    EXPECT_TRUE(is_here(id)) << id;
    EXPECT_FALSE(insert(*store, id, {{"n", 2}})) << id;
  }
  {
    auto abandoned = store->begin();
    ASSERT_OK(abandoned->insert("tasks", "zz", {{"n", 1}}));
    EXPECT_NE(abandoned->connection(), nullptr);
  }
  EXPECT_FALSE(is_here("zz"));
  ASSERT_OK(store->evict("tasks", "z"));
  EXPECT_FALSE(is_here("z"));
  ASSERT_OK(insert(*store, "z", {{"n", 3}}));
  ASSERT_OK(store->quiesce(std::chrono::seconds(1)));
  for (const char* id : {"z", "m", "a", "n"}) EXPECT_FALSE(insert(*store, id, {{"n", 2}})) << id;
  ASSERT_OK(insert(*store, "zz", {{"n", 1}}));
}

TEST_F(Transactions, NotCommittedIsNotThereAndLeavesNoHoleInTheNumbers) {
  {
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->insert("fresh", "a", {{"n", 1}}));
    ASSERT_NE(transaction->connection(), nullptr);  // writes the rows, and the collection, before rolling back
  }
  EXPECT_FALSE(store->load("fresh", "a")->exists());
  EXPECT_TRUE(events.empty());
  auto last = insert(*store, "b", {{"n", 2}}, "fresh");
  ASSERT_OK(last);
  EXPECT_EQ(*last, 1u);
  const auto document = store->load("fresh", "b");
  ASSERT_OK(document);
  ASSERT_FALSE(document->registers().empty());
  EXPECT_EQ(document->registers()[0].dot, (crdt::Dot{store->actor(), 1}));
}

TEST_F(Transactions, ARefusedWriteChangesNothingAndTheRestCommits) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  EXPECT_EQ(transaction->insert("tasks", "a", {{"n", 2}}).error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(transaction->set("tasks", "none", {"n"}, 2).error().code, ErrorCode::NotFound);
  EXPECT_EQ(transaction->insert("tasks", "", {}).error().code, ErrorCode::InvalidArgument);
  ASSERT_OK(transaction->insert("tasks", "b", {{"n", 3}}));
  auto last = transaction->commit();
  ASSERT_OK(last);
  EXPECT_EQ(*last, 2u);
  EXPECT_EQ(view(*store, "a"), (Map{{"n", 1}}));
}

TEST_F(Transactions, StampsGrowThoughTheWallClockFallsBackAcrossARestart) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  const auto first = store->load("tasks", "a")->newest_stamp();
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  clock.wall -= std::chrono::hours(1);
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  EXPECT_GT(store->load("tasks", "b")->newest_stamp(), first);
}

TEST_F(Transactions, TheConnectionSeesWhatTheTransactionWrote) {
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->insert("tasks", "a", {{"n", 1}}));
  int rows = 0;
  const auto count = [](void* out, int, char**, char**) {
    ++*static_cast<int*>(out);
    return 0;
  };
  sqlite3_exec(transaction->connection(), "SELECT id FROM documents WHERE life % 2 = 1", count, &rows, nullptr);
  EXPECT_EQ(rows, 1);
  ASSERT_OK(transaction->set("tasks", "a", {"n"}, 2));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(view(*store, "a"), (Map{{"n", 2}}));
  EXPECT_EQ(store->last_local_seq(), 1u);
}

TEST_F(Transactions, ADocumentBeyondTheLimitIsRefusedAndNothingOfItsTransactionIsKept) {
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->insert("tasks", "small", {{"n", 1}}));
  ASSERT_OK(transaction->insert("tasks", "big", {{"text", std::string(kMaxDocumentBytes, 'x')}}));
  auto done = transaction->commit();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::LimitExceeded);
  EXPECT_FALSE(store->load("tasks", "small")->exists());
  ASSERT_OK(insert(*store, "next", {{"n", 1}}));
}

TEST_F(Transactions, ADocumentThatMergingMadeLargerThanTheLimitCanBeDeleted) {
  crdt::Register r;
  r.path = {"text"};
  r.value = std::string(kMaxDocumentBytes, 'x');
  r.dot = {1, 1};
  ASSERT_OK(take_in(*store, {"tasks", "big", 1, {r}, true}));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->remove("tasks", "big"));
  ASSERT_OK(transaction->commit());
  EXPECT_FALSE(store->load("tasks", "big")->alive());
}

TEST_F(Transactions, NamesWithZerosAreNotMixedUp) {
  const std::string zero(1, '\0');
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->insert("tasks", "x" + zero + "y", {{"n", 1}}));
  ASSERT_OK(transaction->insert("tasks" + zero + "x", "y", {{"n", 2}}));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(store->load("tasks", "x" + zero + "y")->view(), (Map{{"n", 1}}));
  EXPECT_EQ(store->load("tasks" + zero + "x", "y")->view(), (Map{{"n", 2}}));
}

TEST_F(Transactions, ASecondCommitIsRefused) {
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->insert("tasks", "a", {{"n", 1}}));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(transaction->commit().error().code, ErrorCode::Closed);
}

TEST_F(Changes, ComeInOrderEachDocumentOnceAtItsLatest) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  ASSERT_OK(set(*store, "a", "n", 2));
  auto changes = store->changes_since(0, 10, 1 << 20);
  ASSERT_OK(changes);
  ASSERT_EQ(changes->documents.size(), 2u);
  EXPECT_EQ(changes->documents[0].id, "b");
  EXPECT_EQ(changes->documents[0].local_seq, 2u);
  EXPECT_EQ(changes->documents[1].id, "a");
  EXPECT_EQ(changes->documents[1].local_seq, 3u);
  EXPECT_EQ(changes->documents[1].collection, "tasks");
  EXPECT_EQ(store->changes_since(2, 10, 1 << 20)->documents.size(), 1u);
  EXPECT_TRUE(store->changes_since(3, 10, 1 << 20)->documents.empty());
}

TEST_F(Changes, StopAtTheLimitsButNeverBeforeTheFirst) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK(insert(*store, "d" + std::to_string(i), {{"text", std::string(1000, 'x')}}));
  }
  EXPECT_EQ(store->changes_since(0, 3, 1 << 20)->documents.size(), 3u);
  EXPECT_EQ(store->changes_since(0, 100, 1)->documents.size(), 1u);
  EXPECT_EQ(store->changes_since(0, 100, 3500)->documents.size(), 4u);
}

// Else a walk of the log would take itself for complete without the changes between its rows and its head.
TEST_F(Changes, StateTheHeadOfTheirOwnSnapshotWhileOthersWrite) {
  constexpr int kWrites = 400;
  ASSERT_OK(insert(*store, "a", {{"n", 0}}));
  std::atomic<bool> failed = false;
  std::thread writer([&] {
    for (int i = 1; i <= kWrites && !failed; ++i) failed = failed || !set(*store, "a", "n", i);
  });
  for (std::uint64_t head = 0; head <= kWrites && !failed;) {
    auto changes = store->changes_since(0, 10, 1 << 20);
    failed = !changes || changes->documents.size() != 1;
    if (failed) break;
    EXPECT_EQ(changes->head, changes->documents[0].local_seq);
    EXPECT_GE(changes->head, head);
    head = changes->head;
  }
  writer.join();
  EXPECT_FALSE(failed);
}

TEST_F(Changes, GiveOnlyTheFieldsThatChangedSince) {
  ASSERT_OK(insert(*store, "a", {{"title", "t"}, {"done", false}}));
  const auto before = store->last_local_seq();
  ASSERT_OK(set(*store, "a", "done", true));
  auto changes = store->changes_since(before, 10, 1 << 20);
  ASSERT_OK(changes);
  ASSERT_EQ(changes->documents.size(), 1u);
  auto delta = changes->documents[0].document.delta_since(before, 0);
  ASSERT_TRUE(delta.has_value());
  ASSERT_EQ(delta->registers.size(), 1u);
  EXPECT_EQ(delta->registers[0].path, (crdt::Path{"done"}));
  EXPECT_EQ(delta->registers[0].dot, (crdt::Dot{store->actor(), 2}));
  EXPECT_EQ(changes->documents[0].document.delta_since(0, 0)->registers.size(), 2u);
}

TEST_F(Changes, CollectionsAreCountedByTheirLivingDocuments) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}, "zebras"));
  ASSERT_OK(insert(*store, "b", {{"n", 1}}, "ants"));
  ASSERT_OK(insert(*store, "c", {{"n", 1}}, "ants"));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->remove("zebras", "a"));
  ASSERT_OK(transaction->remove("ants", "b"));
  ASSERT_OK(transaction->commit());
  auto collections = store->collections();
  ASSERT_OK(collections);
  EXPECT_EQ(*collections, (std::vector<std::pair<std::string, std::uint64_t>>{{"ants", 1}}));
}

TEST_F(Merging, SavesTheCursorInTheTransactionOfTheDataOrNotAtAll) {
  const Epoch remote = "0123456789abcdef0123456789abcdef";
  const auto source = store->source_number(remote);
  ASSERT_OK(source);
  const Cursor cursor{.remote_epoch = remote, .subscription_key = 0xffff'ffff'ffff'fff0, .remote_seq = 9};
  {
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->merge(remote_delta("a", "n", 1, 1, 5), *source));
    ASSERT_OK(transaction->save_cursor(cursor));
  }
  EXPECT_EQ(*store->cursor(remote, cursor.subscription_key), 0u);
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->merge(remote_delta("a", "n", 1, 1, 5), *source));
  ASSERT_OK(transaction->save_cursor(cursor));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(*store->cursor(remote, cursor.subscription_key), 9u);
  EXPECT_EQ(*store->cursor(remote, 1), 0u);
  EXPECT_EQ(view(*store, "a"), (Map{{"n", 1}}));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].source, *source);
}

TEST_F(Merging, OfWhatIsKnownTellsNobodyButKeepsTheCursor) {
  const auto source = store->source_number("remote");
  ASSERT_OK(source);
  for (std::uint64_t round = 1; round <= 2; ++round) {
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->merge(remote_delta("a", "n", 1, 1, 5), *source));
    ASSERT_OK(transaction->save_cursor({"remote", 1, round}));
    ASSERT_OK(transaction->commit());
  }
  EXPECT_EQ(events.size(), 1u);
  EXPECT_EQ(store->last_local_seq(), 1u);
  EXPECT_EQ(*store->cursor("remote", 1), 2u);
}

TEST_F(Merging, MakesLaterLocalStampsGreaterThanWhatWasSeen) {
  const auto source = store->source_number("remote");
  ASSERT_OK(source);
  const auto wall = static_cast<std::uint64_t>(clock.wall.time_since_epoch().count());
  const std::uint64_t ahead = (wall + 30'000) << 16;
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->merge(remote_delta("a", "n", 1, 1, ahead), *source));
  ASSERT_OK(transaction->commit());
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  EXPECT_GT(store->load("tasks", "b")->newest_stamp(), crdt::Stamp{ahead});
}

TEST_F(Merging, DoesNotMixWithLocalWritesNorWithAnotherSource) {
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->merge(remote_delta("a", "n", 1, 1, 5), 1));
  EXPECT_EQ(transaction->insert("tasks", "b", {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(transaction->merge(remote_delta("a", "n", 1, 1, 5), 2).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(transaction->merge(remote_delta("a", "n", 1, 1, 5), 0).error().code, ErrorCode::InvalidArgument);
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(store->last_local_seq(), 1u);
}

TEST_F(Merging, NumbersOfSourcesAndEpochsOfDevicesOutliveARestart) {
  const auto first = store->source_number("one");
  const auto second = store->source_number("two");
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_GE(*first, 1u);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(*store->last_epoch_of("device"), "");
  ASSERT_OK(store->remember_epoch("another", "one"));
  ASSERT_OK(store->remember_epoch("device", "one"));
  ASSERT_OK(store->remember_epoch("device", "two"));
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(*store->source_number("one"), *first);
  EXPECT_EQ(*store->source_number("two"), *second);
  EXPECT_EQ(*store->last_epoch_of("device"), "two");
}

TEST_F(Merging, CursorsOfAnEpochThatADeviceHasNoMoreAreForgotten) {
  for (const auto& [device, epoch] : {std::pair("phone", "one"), {"desk", "shared"}, {"its copy", "shared"}})
    ASSERT_OK(store->remember_epoch(device, epoch));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  for (const char* epoch : {"one", "shared"}) ASSERT_OK(transaction->save_cursor({epoch, 7, 5}));
  ASSERT_OK(transaction->commit());
  ASSERT_OK(store->remember_epoch("phone", "one"));
  EXPECT_EQ(*store->cursor("one", 7), 5u) << "it is still the same";
  ASSERT_OK(store->remember_epoch("phone", "two"));
  EXPECT_EQ(*store->cursor("one", 7), 0u);
  ASSERT_OK(store->remember_epoch("its copy", "its own"));
  EXPECT_EQ(*store->cursor("shared", 7), 5u) << "another device has it too";
}

TEST_F(Merging, TheNumberOfAnEpochThatADeviceHasNoMoreIsForgottenAndNotGivenOutAnew) {
  std::set<std::uint32_t> numbers;
  for (int life = 0; life < 10; ++life) {
    const std::string epoch = std::to_string(life);
    ASSERT_OK(store->remember_epoch("device", epoch));
    const auto number = store->source_number(epoch);
    ASSERT_OK(number);
    EXPECT_TRUE(numbers.insert(*number).second) << "documents mention it";
  }
  ASSERT_OK(store->remember_epoch("device", "last"));
  ASSERT_OK(store->source_number("last"));
  ASSERT_OK(store->remember_epoch("device", "last"));
  ASSERT_OK(store->read([](sqlite3* database) -> Status {
    sqlite3_stmt* count = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, "SELECT count(*) FROM sources", -1, &count, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_step(count), SQLITE_ROW);
    EXPECT_EQ(sqlite3_column_int64(count, 0), 1);
    sqlite3_finalize(count);
    return {};
  }));
}

}  // namespace
}  // namespace fermata::store
