// Documents by plain examples: what one author sees, and what two authors agree on.
#include "crdt/document.hpp"
#include "wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata::crdt {
namespace {

// One device that writes documents. Its clock is the test's.
class LocalAuthor {
 public:
  explicit LocalAuthor(ActorId actor) : actor_(actor) {}
  [[nodiscard]] Commit at(std::uint64_t time) { return {{actor_, ++seq_}, Stamp{time}, ++local_seq_}; }
  [[nodiscard]] Commit same_commit(std::uint64_t time) { return {{actor_, seq_}, Stamp{time}, ++local_seq_}; }

 private:
  ActorId actor_;
  std::uint64_t seq_ = 0;
  std::uint64_t local_seq_ = 0;
};

constexpr LocalMark kFromRemote{1000, 7};

Delta everything(const Document& document) {
  return document.delta_since(0, 0).value();
}

Document inserted(const Map& fields, const Commit& commit) {
  Document document;
  EXPECT_TRUE(document.insert(fields, commit));
  return document;
}

void expect_merged_both_ways(Document a, Document b, const Map& expected) {
  const Delta of_a = everything(a);
  const Delta of_b = everything(b);
  a.merge(of_b, kFromRemote);
  b.merge(of_a, kFromRemote);
  EXPECT_EQ(to_json(a.view()), to_json(expected));
  EXPECT_EQ(to_json(b.view()), to_json(expected));
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_EQ(a.life(), b.life());
}

std::vector<Path> paths_of(const Document& document) {
  std::vector<Path> paths;
  for (const Register& r : document.registers()) paths.push_back(r.path);
  return paths;
}

TEST(Document, ShowsWhatWasInserted) {
  LocalAuthor a(1);
  const Map fields{
      {"n", 1}, {"nothing", nullptr}, {"list", Array{1, Map{{"x", 2}}}}, {"empty", Map{}}, {"in", Map{{"deep", "er"}}}};
  const Document document = inserted(fields, a.at(10));
  EXPECT_TRUE(document.alive());
  EXPECT_EQ(document.life(), 1U);
  EXPECT_EQ(to_json(document.view()), to_json(fields));
  EXPECT_EQ(document.registers().size(), 5U);
}

TEST(Document, KnowsNullFromAbsence) {
  LocalAuthor a(1);
  Document document = inserted({{"x", nullptr}, {"y", 1}}, a.at(10));
  ASSERT_TRUE(document.unset({"y"}, a.at(11)));
  EXPECT_EQ(to_json(document.view()), R"({"x":null})");
}

TEST(Document, CannotBeInsertedTwice) {
  LocalAuthor a(1);
  Document document = inserted({{"x", 1}}, a.at(10));
  EXPECT_EQ(document.insert({{"x", 2}}, a.at(11)).error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(to_json(document.view()), R"({"x":1})");
}

TEST(Document, AnUpdateNeverRevivesADeletedDocument) {
  LocalAuthor a(1);
  Document document = inserted({{"x", 1}}, a.at(10));
  ASSERT_TRUE(document.remove(a.at(11)));
  EXPECT_EQ(document.set({"x"}, 2, a.at(12)).error().code, ErrorCode::NotFound);
  EXPECT_EQ(document.unset({"x"}, a.at(12)).error().code, ErrorCode::NotFound);
  EXPECT_EQ(document.remove(a.at(12)).error().code, ErrorCode::NotFound);
  EXPECT_FALSE(document.alive());
  EXPECT_EQ(document.life(), 2U);
}

TEST(Document, ATombstoneKeepsItsLastLookForRouting) {
  LocalAuthor a(1);
  Document document = inserted({{"x", 1}}, a.at(10));
  ASSERT_TRUE(document.remove(a.at(11)));
  EXPECT_EQ(to_json(document.view()), R"({"x":1})");
}

TEST(Document, ANewLifeStartsWithoutTheFieldsOfTheOld) {
  LocalAuthor a(1);
  Document document = inserted({{"x", 1}, {"y", 1}}, a.at(10));
  ASSERT_TRUE(document.remove(a.at(11)));
  ASSERT_TRUE(document.insert({{"z", 2}}, a.at(12)));
  EXPECT_EQ(document.life(), 3U);
  EXPECT_EQ(to_json(document.view()), R"({"z":2})");
}

TEST(Document, AnEditOfOneWhoDidNotSeeTheDeletionDoesNotReviveIt) {
  LocalAuthor a(1), b(2);
  Document mine = inserted({{"x", 1}}, a.at(10));
  Document theirs = mine;
  ASSERT_TRUE(mine.remove(a.at(11)));
  ASSERT_TRUE(theirs.set({"x"}, 2, b.at(99)));
  theirs.merge(everything(mine), kFromRemote);
  EXPECT_FALSE(theirs.alive());
}

TEST(Document, ConcurrentInsertsMergeFieldByField) {
  LocalAuthor a(1), b(2);
  expect_merged_both_ways(inserted({{"x", 1}, {"y", 1}}, a.at(10)), inserted({{"x", 2}, {"z", 2}}, b.at(11)),
                          {{"x", 2}, {"y", 1}, {"z", 2}});
}

TEST(Document, TheGreaterActorWinsATie) {
  LocalAuthor a(1), b(2);
  expect_merged_both_ways(inserted({{"x", 1}}, a.at(10)), inserted({{"x", 2}}, b.at(10)), {{"x", 2}});
}

TEST(Document, AnEditBeatsWhatItsAuthorSawHoweverLateThatClockWas) {
  LocalAuthor ahead(9), behind(1);
  Document document = inserted({{"x", 1}}, ahead.at(1'000'000));
  const Document before = document;
  ASSERT_TRUE(document.set({"x"}, 2, behind.at(10)));
  expect_merged_both_ways(before, document, {{"x", 2}});
}

TEST(Nested, AReplacedSubtreeIsGoneWithAllThatStoodBelow) {
  LocalAuthor a(1), b(2);
  Document document = inserted({{"m", Map{{"a", 1}, {"b", Map{{"c", 2}}}}}}, a.at(10));
  const Document before = document;
  ASSERT_TRUE(document.set({"m"}, Map{{"d", 3}}, b.at(20)));
  EXPECT_EQ(to_json(document.view()), R"({"m":{"d":3}})");
  EXPECT_THAT(paths_of(document), testing::ElementsAre(Path{"m"}, Path{"m", "d"}));
  expect_merged_both_ways(before, document, {{"m", Map{{"d", 3}}}});
}

TEST(Nested, AConcurrentYoungerEditSurvivesInsideAReplacedSubtree) {
  LocalAuthor a(1), b(2);
  const Document before = inserted({{"m", Map{{"a", 1}, {"b", 2}}}}, a.at(10));
  Document replaced = before, edited = before;
  ASSERT_TRUE(replaced.set({"m"}, Map{{"d", 3}}, a.at(20)));
  ASSERT_TRUE(edited.set({"m", "a"}, 9, b.at(21)));
  expect_merged_both_ways(replaced, edited, {{"m", Map{{"a", 9}, {"d", 3}}}});
}

TEST(Nested, AConcurrentOlderEditIsVoidInsideAReplacedSubtree) {
  LocalAuthor a(1), b(2);
  const Document before = inserted({{"m", Map{{"a", 1}}}}, a.at(10));
  Document replaced = before, edited = before;
  ASSERT_TRUE(edited.set({"m", "a"}, 9, b.at(19)));
  ASSERT_TRUE(replaced.set({"m"}, 5, a.at(20)));
  expect_merged_both_ways(replaced, edited, {{"m", 5}});
}

TEST(Nested, AValueGivesWayToAYoungerFieldBelowItAndKeepsOnlyItsStamp) {
  LocalAuthor a(1), b(2);
  Document document = inserted({{"m", "a long value that nobody sees any more"}}, a.at(10));
  const Document before = document;
  ASSERT_TRUE(document.set({"m", "k"}, 1, b.at(20)));
  EXPECT_EQ(to_json(document.view()), R"({"m":{"k":1}})");
  ASSERT_EQ(document.registers().size(), 2U);
  EXPECT_EQ(document.registers()[0].kind, RegisterKind::Map);
  EXPECT_TRUE(document.registers()[0].value.is_null());
  EXPECT_EQ(document.registers()[0].stamp, Stamp{10});
  expect_merged_both_ways(before, document, {{"m", Map{{"k", 1}}}});
}

TEST(Nested, AHiddenValueDoesNotComeBackWithACopyThatStillHasIt) {
  LocalAuthor a(1), b(2);
  const Document before = inserted({{"m", 5}}, a.at(10));
  Document document = before;
  ASSERT_TRUE(document.set({"m", "k"}, 1, b.at(20)));
  EXPECT_FALSE(document.merge(everything(before), kFromRemote));
  EXPECT_EQ(to_json(document.view()), R"({"m":{"k":1}})");
}

TEST(Nested, RemovingTheLastKeyLeavesAnEmptyMap) {
  LocalAuthor a(1);
  Document document = inserted({{"m", Map{{"k", 1}}}}, a.at(10));
  ASSERT_TRUE(document.unset({"m", "k"}, a.at(11)));
  EXPECT_EQ(to_json(document.view()), R"({"m":{}})");
  ASSERT_TRUE(document.unset({"m"}, a.at(12)));
  EXPECT_EQ(to_json(document.view()), "{}");
}

TEST(Nested, UnsettingWhatIsNotThereChangesNothing) {
  LocalAuthor a(1);
  Document document = inserted({{"m", 5}}, a.at(10));
  const std::uint64_t before = document.fingerprint();
  ASSERT_TRUE(document.unset({"n"}, a.at(11)));
  ASSERT_TRUE(document.unset({"n", "k"}, a.at(12)));
  ASSERT_TRUE(document.unset({"m", "k"}, a.at(13)));
  EXPECT_EQ(document.fingerprint(), before);
  EXPECT_EQ(to_json(document.view()), R"({"m":5})");
}

TEST(Nested, AnUnsetSubtreeComesBackPiecewise) {
  LocalAuthor a(1), b(2);
  Document document = inserted({{"m", Map{{"a", 1}, {"b", 2}}}}, a.at(10));
  ASSERT_TRUE(document.unset({"m"}, a.at(11)));
  const Document before = document;
  ASSERT_TRUE(document.set({"m", "c"}, 3, b.at(5)));
  expect_merged_both_ways(before, document, {{"m", Map{{"c", 3}}}});
}

TEST(Nested, MapsInsideArraysStayInside) {
  LocalAuthor a(1);
  Document document = inserted({{"list", Array{Map{{"x", 1}}}}}, a.at(10));
  EXPECT_EQ(document.registers().size(), 1U);
  ASSERT_TRUE(document.set({"list"}, Array{Map{{"x", 2}}, Map{}}, a.at(11)));
  EXPECT_EQ(to_json(document.view()), R"({"list":[{"x":2},{}]})");
  EXPECT_EQ(document.registers().size(), 1U);
}

TEST(Nested, AnExplicitEmptyMapIsARegister) {
  LocalAuthor a(1);
  const Document document = inserted({{"m", Map{}}}, a.at(10));
  ASSERT_EQ(document.registers().size(), 1U);
  EXPECT_EQ(document.registers()[0].kind, RegisterKind::Map);
}

TEST(Nested, DepthIsBounded) {
  LocalAuthor a(1);
  Map deep{{"leaf", 1}};
  for (std::size_t level = 1; level < kMaxDepth; ++level) deep = Map{{"k", std::move(deep)}};
  const Document document = inserted(deep, a.at(10));
  const auto back = Document::decode(document.encode_body(), document.encode_metadata());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->view(), deep);
  Delta all = everything(document);
  all.collection = "c";
  all.id = "d";
  EXPECT_TRUE(unwired(wire(all)));

  Document refused;
  EXPECT_EQ(refused.insert({{"k", deep}}, a.at(11)).error().code, ErrorCode::LimitExceeded);
  EXPECT_FALSE(refused.exists());
  Document other = inserted({}, a.at(12));
  EXPECT_EQ(other.set({"k"}, deep, a.at(13)).error().code, ErrorCode::LimitExceeded);
  EXPECT_EQ(other.set(Path(kMaxDepth + 1, "k"), 1, a.at(13)).error().code, ErrorCode::LimitExceeded);
  EXPECT_EQ(other.set(Path(kMaxDepth, "k"), Array{}, a.at(13)).error().code, ErrorCode::LimitExceeded);
  EXPECT_TRUE(other.set(Path(kMaxDepth, "k"), 1, a.at(13)));
}

TEST(OneCommit, ShipsTheStateThatItEndedWith) {
  LocalAuthor a(1), b(2);
  const Document before = inserted({{"x", 1}, {"m", Map{{"old", 1}}}}, b.at(500));
  Document document = before;
  ASSERT_TRUE(document.set({"x"}, 2, a.at(10)));
  ASSERT_TRUE(document.set({"x"}, 3, a.same_commit(10)));
  ASSERT_TRUE(document.set({"m", "old"}, 2, a.same_commit(10)));
  ASSERT_TRUE(document.set({"m"}, 7, a.same_commit(10)));
  ASSERT_TRUE(document.set({"m", "a"}, 8, a.same_commit(10)));
  ASSERT_TRUE(document.set({"m", "a", "b"}, 9, a.same_commit(10)));
  ASSERT_TRUE(document.set({"m", "c"}, 1, a.same_commit(10)));
  ASSERT_TRUE(document.unset({"m", "c"}, a.same_commit(10)));
  const Map expected{{"x", 3}, {"m", Map{{"a", Map{{"b", 9}}}}}};
  EXPECT_EQ(to_json(document.view()), to_json(expected));
  expect_merged_both_ways(before, document, expected);
}

TEST(OneCommit, MayDeleteAndRecreate) {
  LocalAuthor a(1), b(2);
  const Document before = inserted({{"x", 1}, {"y", 1}}, b.at(500));
  Document document = before;
  ASSERT_TRUE(document.set({"x"}, 2, a.at(10)));
  ASSERT_TRUE(document.remove(a.same_commit(10)));
  ASSERT_TRUE(document.insert({{"z", 3}}, a.same_commit(10)));
  ASSERT_TRUE(document.set({"z"}, 4, a.same_commit(10)));
  expect_merged_both_ways(before, document, {{"z", 4}});
}

TEST(DeltaSince, CarriesOnlyWhatIsNewAndNotWhatCameFromTheReader) {
  Document document;
  ASSERT_TRUE(document.insert({{"x", 1}, {"y", 1}}, Commit{{1, 1}, Stamp{10}, 5}));
  ASSERT_TRUE(document.set({"x"}, 2, Commit{{1, 2}, Stamp{11}, 6}));
  Document remote = document;
  ASSERT_TRUE(remote.set({"y"}, 3, Commit{{2, 1}, Stamp{12}, 1}));
  document.merge(remote.delta_since(0, 0).value(), LocalMark{7, 3});

  EXPECT_EQ(document.delta_since(0, 0)->registers.size(), 2U);
  ASSERT_EQ(document.delta_since(5, 3)->registers.size(), 1U);
  EXPECT_EQ(document.delta_since(5, 3)->registers[0].path, Path{"x"});
  EXPECT_EQ(document.delta_since(6, 0)->registers[0].path, Path{"y"});
  EXPECT_FALSE(document.delta_since(6, 3));
  EXPECT_FALSE(document.delta_since(7, 0));
  ASSERT_TRUE(document.remove(Commit{{1, 3}, Stamp{13}, 8}));
  ASSERT_TRUE(document.delta_since(7, 3));
  EXPECT_EQ(document.delta_since(7, 3)->life, 2U);
  EXPECT_TRUE(document.delta_since(7, 3)->registers.empty());
}

TEST(Merge, TellsWhetherAnythingChanged) {
  LocalAuthor a(1), b(2);
  Document document = inserted({{"x", 1}}, a.at(10));
  Document remote = document;
  EXPECT_FALSE(document.merge(everything(remote), kFromRemote));
  ASSERT_TRUE(remote.set({"x"}, 2, b.at(11)));
  EXPECT_TRUE(document.merge(everything(remote), kFromRemote));
  EXPECT_FALSE(document.merge(everything(remote), kFromRemote));
  EXPECT_EQ(document.registers()[0].mark, kFromRemote);
}

TEST(Limits, AFieldWithTheLastStampCannotBeOvertakenAndSaysSo) {
  Document document;
  ASSERT_TRUE(document.insert({{"x", 1}}, Commit{{1, 1}, kMaxStamp, 1}));
  EXPECT_EQ(document.set({"x"}, 2, Commit{{2, 1}, Stamp{10}, 2}).error().code, ErrorCode::LimitExceeded);
  ASSERT_TRUE(document.remove(Commit{{2, 2}, Stamp{10}, 3}));
  ASSERT_TRUE(document.insert({{"x", 3}}, Commit{{2, 3}, Stamp{10}, 4}));
  EXPECT_EQ(to_json(document.view()), R"({"x":3})");
}

TEST(Limits, ADocumentAtTheEndOfItsLivesSaysSo) {
  Document document;
  document.merge(Delta{"c", "d", kMaxLife - 1, {}}, kFromRemote);
  ASSERT_TRUE(document.alive());
  ASSERT_TRUE(document.remove(Commit{{1, 1}, Stamp{1}, 1})) << "whatever lives can be deleted";
  EXPECT_EQ(document.insert({}, Commit{{1, 2}, Stamp{1}, 2}).error().code, ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace fermata::crdt
