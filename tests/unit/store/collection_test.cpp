// When the content of attachments goes, and when not.
#include "content.hpp"

namespace fermata::store {
namespace {

using namespace std::chrono_literals;
using support::TempDir;

class CollectionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open() { return must_open({.directory = directory.path(), .clock = &clock}); }
  Attachments& attachments() { return store->attachments(); }
  std::size_t collect() {
    const auto collected = attachments().collect();
    EXPECT_TRUE(collected) << why(collected);
    return collected ? collected->attachments : 0;
  }
  // A small content, and a document that has named it for long.
  Attachment named_by(const std::string& id, std::uint8_t salt = 1) {
    Attachment attachment = must_put(*store, some_content(100, salt));
    EXPECT_TRUE(insert(*store, id, {{"file", attachment}}));
    clock.wall += 24h;
    return attachment;
  }
  bool is_here(const Attachment& attachment) { return content_of(*store, attachment.hash()).has_value(); }
  std::optional<std::chrono::milliseconds> until_next() {
    const auto next = attachments().next_collection();
    EXPECT_TRUE(next) << why(next);
    if (!*next) return std::nullopt;
    return **next - clock.wall;
  }

  TempDir directory;
  FixedClock clock;
  std::unique_ptr<Store> store = open();
};

TEST_F(CollectionTest, WhatADocumentNamesNoMoreIsKeptForAWhileWhateverMadeItGo) {
  const std::function<Status(Transaction&)> ways[] = {[](Transaction& t) { return t.remove("tasks", "d"); },
                                                      [](Transaction& t) { return t.evict("tasks", "d"); },
                                                      [](Transaction& t) { return t.unset("tasks", "d", {"file"}); },
                                                      [](Transaction& t) { return t.set("tasks", "d", {"file"}, 1); }};
  std::uint8_t salt = 0;
  for (const auto& way : ways) {
    SCOPED_TRACE(int{salt});
    const Attachment attachment = named_by("d", ++salt);
    ASSERT_OK(change(*store, way));
    EXPECT_EQ(collect(), 0u) << "somebody may put it into another document";
    clock.wall += kAttachmentGrace - 1ms;
    EXPECT_EQ(collect(), 0u);
    EXPECT_TRUE(is_here(attachment));
    clock.wall += 1ms;
    EXPECT_EQ(collect(), 1u);
    EXPECT_FALSE(is_here(attachment));
    const auto left = store->load("tasks", "d");
    if (left->alive()) {
      ASSERT_OK(change(*store, [](Transaction& t) { return t.remove("tasks", "d"); }));
    }
  }
}

TEST_F(CollectionTest, WhatARemoteTakesOutOfADocumentIsKeptForAWhile) {
  const Attachment attachment = named_by("d");
  ASSERT_OK(take_in(*store, {.collection = "tasks", .id = "d", .life = 2, .registers = {}, .whole = true}));
  ASSERT_FALSE(store->load("tasks", "d")->alive());
  EXPECT_EQ(collect(), 0u);
  clock.wall += kAttachmentGrace;
  EXPECT_EQ(collect(), 1u);
  EXPECT_FALSE(is_here(attachment));
}

TEST_F(CollectionTest, WhatMovesToAnotherDocumentStays) {
  const Attachment attachment = named_by("d");
  ASSERT_OK(change(*store, [](Transaction& t) { return t.remove("tasks", "d"); }));
  clock.wall += kAttachmentGrace / 2;
  ASSERT_OK(insert(*store, "e", {{"file", attachment}}));
  clock.wall += 1h;
  EXPECT_EQ(collect(), 0u);
  EXPECT_TRUE(is_here(attachment));
}

TEST_F(CollectionTest, IsDueAGraceAfterSomethingWasPutOrUnnamedAndNotOtherwise) {
  EXPECT_EQ(until_next(), std::nullopt);
  const Attachment attachment = must_put(*store, some_content(100));
  ASSERT_OK(insert(*store, "d", {{"file", attachment}}));
  EXPECT_EQ(until_next(), kAttachmentGrace);
  clock.wall += kAttachmentGrace;
  EXPECT_EQ(until_next(), 0ms);
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(until_next(), std::nullopt) << "all has been judged";
  ASSERT_OK(set(*store, "d", "title", "x"));
  EXPECT_EQ(until_next(), std::nullopt) << "it still names it";
  store.reset();
  store = open();
  EXPECT_EQ(until_next(), std::nullopt);
  ASSERT_OK(change(*store, [](Transaction& t) { return t.remove("tasks", "d"); }));
  EXPECT_EQ(until_next(), kAttachmentGrace);
  store.reset();
  store = open();
  EXPECT_EQ(until_next(), kAttachmentGrace) << "another opening knows of it";
}

TEST_F(CollectionTest, IsDueAgainForWhatSomebodyWasReading) {
  const Attachment attachment = must_put(*store, some_content(100));
  auto found = attachments().find_complete(attachment.hash(), std::nullopt);
  ASSERT_TRUE(found);
  clock.wall += 1h;
  EXPECT_EQ(collect(), 0u);
  EXPECT_LE(until_next(), 0ms);
  found->second.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(until_next(), std::nullopt);
}

TEST_F(CollectionTest, IsDueAtOnceForWhatAnInterruptedOneLeft) {
  const Attachment attachment = must_put(*store, some_content(40 * kChunkBytes));
  clock.wall += 1h;
  {
    Attachments::Collection collection(attachments());
    while (is_here(attachment)) ASSERT_EQ(collection.step(), true);
    ASSERT_EQ(collection.step(), true);
    ASSERT_EQ(collection.collected().attachments, 0u);
  }
  EXPECT_LT(until_next(), 0ms);
  store.reset();
  EXPECT_EQ(run_sql(directory.path(), "DELETE FROM attachment_chunks WHERE id < 0"), 0);
  store = open();
  EXPECT_LT(until_next(), 0ms);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(until_next(), std::nullopt);
}

TEST_F(CollectionTest, AClockThatWentBackDoesNotMakeItForget) {
  must_put(*store, some_content(100));
  clock.wall += 10000h;
  EXPECT_EQ(collect(), 1u);
  clock.wall -= 10000h;
  must_put(*store, some_content(100));
  EXPECT_EQ(until_next(), kAttachmentGrace);
}

// Names things before the n-th step of a collection. `others`: so many more documents change then.
class CollectionMeanwhile : public CollectionTest, public testing::WithParamInterface<int> {
 protected:
  // Enough for two steps.
  static constexpr int kDocuments = 5000;

  static std::string id_of(int number) { return "old" + std::to_string(number); }
  void fill() {
    ASSERT_OK(change(*store, [&](Transaction& t) {
      Status done;
      for (int i = 0; i < kDocuments && done; ++i) done = t.insert("tasks", id_of(i), {{"n", i}});
      return done;
    }));
  }
  void change_others() {
    ASSERT_OK(change(*store, [&](Transaction& t) {
      Status done;
      for (int i = 1; i <= GetParam() && done; ++i) done = t.set("tasks", id_of(i), {"n"}, Value(-i));
      return done;
    }));
  }
  void finish(Attachments::Collection& collection) {
    auto more = collection.step();
    while (more && *more) more = collection.step();
    EXPECT_TRUE(more) << why(more);
  }
};

TEST_P(CollectionMeanwhile, LeavesWhatADocumentNamesThatItHasPassedOrNotMet) {
  fill();
  std::uint8_t salt = 0;
  for (int steps = 0;; ++steps) {
    SCOPED_TRACE(steps);
    const Attachment in_new = must_put(*store, some_content(10, ++salt));
    const Attachment in_old = must_put(*store, some_content(10, ++salt));
    const Attachment unnamed = must_put(*store, some_content(10, ++salt));
    clock.wall += 1h;
    Attachments::Collection collection(attachments());
    for (int i = 0; i < steps; ++i) ASSERT_EQ(collection.step(), true);
    if (!is_here(unnamed)) {
      EXPECT_GT(steps, 4);
      break;
    }
    ASSERT_OK(insert(*store, "new" + std::to_string(steps), {{"file", in_new}}));
    ASSERT_OK(set(*store, id_of(0), "file" + std::to_string(steps), in_old));
    change_others();
    finish(collection);
    EXPECT_TRUE(is_here(in_new));
    EXPECT_TRUE(is_here(in_old));
    EXPECT_FALSE(is_here(unnamed));
  }
}

INSTANTIATE_TEST_SUITE_P(Few, CollectionMeanwhile, testing::Values(0));
INSTANTIATE_TEST_SUITE_P(Many, CollectionMeanwhile, testing::Values(4900));

}  // namespace
}  // namespace fermata::store
