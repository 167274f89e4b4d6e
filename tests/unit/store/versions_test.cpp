// Versions, digests, evict: that what the store keeps beside the documents is always what the documents say.
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;

struct Versions : ::testing::Test {
  void SetUp() override {
    auto options = in_memory(disk);
    options.clock = &clock;
    store = must_open(options);
    ASSERT_NE(store, nullptr);
    store->set_commit_listener([this](CommitEvent&& event) { events.push_back(std::move(event)); });
  }
  void remove(const std::string& id) {
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->remove("tasks", id));
    ASSERT_OK(transaction->commit());
  }

  MemoryDisk disk;
  FixedClock clock;
  std::unique_ptr<Store> store;
  std::vector<CommitEvent> events;
};

TEST_F(Versions, AgreeWithTheDocumentsThroughInsertChangeDeleteAndReturn) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  ASSERT_OK(insert(*store, "a", {{"n", 1}}, "notes"));
  expect_agreement(*store, "tasks");
  ASSERT_OK(set(*store, "a", "n", 2));
  remove("b");
  expect_agreement(*store, "tasks");
  expect_agreement(*store, "notes");
  ASSERT_OK(insert(*store, "b", {{"n", 3}}));
  expect_agreement(*store, "tasks");
  EXPECT_EQ(store->digest("tasks")->digest.count, 2u);
  EXPECT_EQ(store->digest("none")->digest, crdt::Digest());
}

TEST_F(Versions, AreToldWithEachChange) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  ASSERT_OK(set(*store, "a", "n", 2));
  remove("a");
  ASSERT_EQ(events.size(), 3u);
  const DocumentChange& born = events[0].changes[0];
  const DocumentChange& changed = events[1].changes[0];
  const DocumentChange& died = events[2].changes[0];
  EXPECT_EQ(born.version_before, 0u);
  EXPECT_NE(born.version_after, 0u);
  EXPECT_EQ(changed.version_before, born.version_after);
  EXPECT_NE(changed.version_after, changed.version_before);
  EXPECT_EQ(died.version_before, changed.version_after);
  EXPECT_EQ(died.version_after, 0u);
  EXPECT_EQ(died.fingerprint_after, store->load("tasks", "a")->fingerprint());
}

TEST_F(Versions, DigestsAreThoseOfTheLastCommitAfterARollback) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  const auto before = store->digest("tasks");
  {
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->insert("tasks", "b", {{"n", 1}}));
    ASSERT_OK(transaction->insert("fresh", "b", {{"n", 1}}));
    ASSERT_OK(transaction->evict("tasks", "a"));
    ASSERT_NE(transaction->connection(), nullptr);
  }
  EXPECT_EQ(store->digest("tasks")->digest, before->digest);
  ASSERT_OK(insert(*store, "c", {{"n", 1}}));
  ASSERT_OK(insert(*store, "c", {{"n", 1}}, "fresh"));
  expect_agreement(*store, "tasks");
  expect_agreement(*store, "fresh");
}

TEST_F(Versions, RowsWrittenTwiceInATransactionCountOnce) {
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->insert("tasks", "a", {{"n", 1}}));
  ASSERT_NE(transaction->connection(), nullptr);
  ASSERT_OK(transaction->set("tasks", "a", {"n"}, 2));
  ASSERT_OK(transaction->insert("tasks", "b", {{"n", 1}}));
  ASSERT_NE(transaction->connection(), nullptr);
  ASSERT_OK(transaction->remove("tasks", "b"));
  ASSERT_OK(transaction->commit());
  expect_agreement(*store, "tasks");
}

TEST_F(Versions, OutliveAReopening) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  const auto before = store->digest("tasks");
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(store->digest("tasks")->digest, before->digest);
  ASSERT_OK(set(*store, "a", "n", 2));
  expect_agreement(*store, "tasks");
}

TEST_F(Versions, OfEqualStatesAreEqualInAnotherStoreHoweverTheyCameThere) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}, {"m", 2}}));
  ASSERT_OK(set(*store, "a", "n", 2));
  MemoryDisk other_disk;
  auto other = must_open(in_memory(other_disk));
  ASSERT_NE(other, nullptr);
  const auto source = other->source_number(store->epoch());
  ASSERT_OK(source);
  auto transaction = other->begin();
  ASSERT_OK(transaction);
  auto delta = store->load("tasks", "a")->delta_since(0, 0);
  ASSERT_TRUE(delta.has_value());
  delta->collection = "tasks";
  delta->id = "a";
  ASSERT_OK(transaction->merge(*delta, *source));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(other->digest("tasks")->digest, store->digest("tasks")->digest);
  // The names are part of it: the same state under another id or in another collection is another version.
  const auto document = store->load("tasks", "a");
  EXPECT_NE(crdt::version_of("tasks", "a", *document), crdt::version_of("tasks", "b", *document));
  EXPECT_NE(crdt::version_of("tasks", "a", *document), crdt::version_of("task", "sa", *document));
}

TEST_F(Versions, DocumentsAreFoundByTheirPlaceInTheLog) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  ASSERT_OK(set(*store, "a", "n", 2));
  EXPECT_FALSE(store->document_at(1)->has_value()) << "it changed since";
  const auto found = store->document_at(3);
  ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->collection, "tasks");
  EXPECT_EQ((*found)->id, "a");
  EXPECT_EQ((*found)->document.view(), (Map{{"n", 2}}));
  EXPECT_FALSE(store->document_at(4)->has_value());
}

TEST_F(Versions, EvictedDocumentsLeaveNoTraceInTheLogAndListenersAreTold) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  ASSERT_OK(insert(*store, "b", {{"n", 1}}));
  const std::uint64_t version = events[0].changes[0].version_after;
  ASSERT_OK(store->evict("tasks", "a"));
  EXPECT_FALSE(store->load("tasks", "a")->exists());
  EXPECT_EQ(store->last_local_seq(), 2u);
  EXPECT_EQ(store->purged_seq(), 0u);
  EXPECT_EQ(store->changes_since(0, 10, 1 << 20)->documents.size(), 1u);
  expect_agreement(*store, "tasks");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_TRUE(events[2].changes.empty());
  ASSERT_EQ(events[2].evicted.size(), 1u);
  EXPECT_EQ(events[2].evicted[0].id, "a");
  EXPECT_EQ(events[2].evicted[0].version_before, version);
  EXPECT_EQ(events[2].evicted[0].before, (Map{{"n", 1}}));
  ASSERT_OK(insert(*store, "c", {{"n", 1}}));
  EXPECT_EQ(events[3].first_local_seq, 3u);
}

TEST_F(Versions, OnlyLivingDocumentsThatTheTransactionHasNotTouchedAreEvicted) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  ASSERT_OK(insert(*store, "dead", {{"n", 1}}));
  remove("dead");
  EXPECT_EQ(store->evict("tasks", "none").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store->evict("tasks", "dead").error().code, ErrorCode::NotFound);
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->set("tasks", "a", {"n"}, 2));
  EXPECT_EQ(transaction->evict("tasks", "a").error().code, ErrorCode::InvalidArgument);
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(view(*store, "a"), (Map{{"n", 2}}));
  expect_agreement(*store, "tasks");
}

TEST_F(Versions, WhatWasEvictedCanBeInsertedAgainInTheSameTransaction) {
  ASSERT_OK(insert(*store, "a", {{"n", 1}}));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->evict("tasks", "a"));
  ASSERT_OK(transaction->insert("tasks", "a", {{"n", 2}}));
  ASSERT_OK(transaction->remember("fact", "kept with it"));
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(view(*store, "a"), (Map{{"n", 2}}));
  EXPECT_EQ(*store->recall("fact"), "kept with it");
  expect_agreement(*store, "tasks");
}

}  // namespace
}  // namespace fermata::store
