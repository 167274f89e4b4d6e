// Counters among the fields of a document: what people see, what travels, what they refuse.
#include <gtest/gtest.h>

#include <limits>

#include "crdt/counter.hpp"
#include "crdt/delta_codec.hpp"
#include "crdt/digest.hpp"

namespace fermata::crdt {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
const Path kLikes{"likes"};

class Author {
 public:
  explicit Author(ActorId actor) : actor_(actor) {}

  Status insert(const Map& fields) { return document.insert(fields, next()); }
  Status set(const Path& path, const Value& value) { return document.set(path, value, next()); }
  Status unset(const Path& path) { return document.unset(path, next()); }
  Status count(std::int64_t amount, const Path& path = kLikes) { return document.increment(path, amount, next()); }
  void hear(const Author& other) {
    if (auto all = other.document.delta_since(0, 0)) document.merge(*all, LocalMark{++local_seq_, 1});
  }
  [[nodiscard]] Value seen(const std::string& name = "likes") const {
    const Map view = document.view();
    const auto found = view.find(name);
    return found == view.end() ? Value("missing") : found->second;
  }

  [[nodiscard]] std::uint64_t local_seq() const { return local_seq_; }

  Document document;
  std::uint64_t time = 100;

 private:
  Commit next() {
    ++time;
    return {{actor_, ++seq_}, Stamp{time << 16U}, ++local_seq_};
  }
  ActorId actor_;
  std::uint64_t seq_ = 0, local_seq_ = 0;
};

struct Counter : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(ann.insert({{"title", "t"}}));
    ben.hear(ann);
  }
  void meet() {
    ann.hear(ben);
    ben.hear(ann);
    EXPECT_EQ(ann.document.view(), ben.document.view());
    EXPECT_EQ(ann.document.fingerprint(), ben.document.fingerprint());
  }
  Author ann{1}, ben{2};
};

TEST_F(Counter, BeginsAtZeroWhereTheFieldIsMissingAndCountsBothWays) {
  ASSERT_TRUE(ann.count(5));
  EXPECT_EQ(ann.seen(), Value(5));
  ASSERT_TRUE(ann.count(-7));
  EXPECT_EQ(ann.seen(), Value(-2));
  ASSERT_TRUE(ann.count(0, {"quiet"}));
  EXPECT_EQ(ann.seen("quiet"), Value(0));
  ASSERT_TRUE(ann.count(1, {"by", "day"}));
  EXPECT_EQ(ann.seen("by"), Value(Map{{"day", 1}}));
}

TEST_F(Counter, AddsUpWhatSeveralCountAtOnceAndCountsNothingTwice) {
  ASSERT_TRUE(ann.count(1));
  ASSERT_TRUE(ben.count(10));
  meet();
  EXPECT_EQ(ann.seen(), Value(11));
  ASSERT_TRUE(ann.count(1));
  ASSERT_TRUE(ben.count(-1));
  ASSERT_TRUE(ben.count(-1));
  meet();
  meet();
  EXPECT_EQ(ann.seen(), Value(10));
}

TEST_F(Counter, IsReplacedByASetAlsoWithWhatItsAuthorHadNotHeardOf) {
  ASSERT_TRUE(ann.count(1));
  meet();
  ben.time += 1000;
  ASSERT_TRUE(ben.count(5));  // later than the set, and unknown to its author
  ASSERT_TRUE(ann.set(kLikes, "none"));
  meet();
  EXPECT_EQ(ben.seen(), Value("none"));
  const auto refused = ben.count(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(refused.error().message.find("'likes' is no counter"), std::string::npos) << refused.error().message;
}

TEST_F(Counter, BeginsAnewAfterAnUnsetForAllWhoHaveHeardOfIt) {
  ASSERT_TRUE(ann.count(3));
  meet();
  ASSERT_TRUE(ann.unset(kLikes));
  ASSERT_TRUE(ben.count(100));  // on what ann has taken away
  EXPECT_EQ(ann.seen(), Value("missing"));
  meet();
  EXPECT_EQ(ben.seen(), Value("missing"));
  ASSERT_TRUE(ann.count(1));
  ASSERT_TRUE(ben.count(2));
  meet();
  EXPECT_EQ(ann.seen(), Value(3));
}

TEST_F(Counter, EndsWithItsDocumentsLife) {
  ASSERT_TRUE(ann.count(3));
  meet();
  ASSERT_TRUE(ann.document.remove({{1, 50}, Stamp{1}, 50}));
  ASSERT_TRUE(ann.document.insert({{"title", "again"}}, {{1, 51}, Stamp{2}, 51}));
  ASSERT_TRUE(ben.count(100));
  meet();
  EXPECT_EQ(ben.seen(), Value("missing"));
}

TEST_F(Counter, HasNoFieldsAndNothingButACounterCanBeCounted) {
  ASSERT_TRUE(ann.count(1));
  EXPECT_EQ(ann.set({"likes", "x"}, 1).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(ann.count(1, {"likes", "x"}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(ann.count(1, {"title"}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(ann.count(1, {}).error().code, ErrorCode::InvalidArgument);
  ASSERT_TRUE(ann.set({"map"}, Map{}));
  ASSERT_TRUE(ann.set({"full"}, Map{{"x", 1}}));
  EXPECT_EQ(ann.count(1, {"map"}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(ann.count(1, {"full"}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(ann.count(1, Path(kMaxDepth + 1, "x")).error().code, ErrorCode::LimitExceeded);
  EXPECT_EQ(Author(9).count(1).error().code, ErrorCode::NotFound);
  EXPECT_EQ(ann.seen(), Value(1));
}

TEST_F(Counter, GivesWayToAMapThatWasMadeOfTheMissingFieldMeanwhile) {
  ASSERT_TRUE(ann.count(1));
  ASSERT_TRUE(ben.set({"likes", "by"}, "ben"));
  meet();
  EXPECT_EQ(ann.seen(), Value(Map{{"by", "ben"}}));
  const auto back = Document::decode(ann.document.encode_body(), ann.document.encode_metadata());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->view(), ann.document.view());
  EXPECT_EQ(back->fingerprint(), ann.document.fingerprint());
}

TEST_F(Counter, StandsStillWhereItsNumbersEnd) {
  ASSERT_TRUE(ann.count(kMost));
  ASSERT_TRUE(ann.count(kMost));
  ASSERT_TRUE(ben.count(kMost));
  meet();
  EXPECT_EQ(ann.seen(), Value(kMost));
  ASSERT_TRUE(ben.count(kLeast));
  ASSERT_TRUE(ann.count(kLeast));
  meet();
  EXPECT_EQ(ann.seen(), Value(0)) << "four totals of the greatest int64";
  ASSERT_TRUE(ann.count(kLeast, {"down"}));
  ASSERT_TRUE(ben.count(kLeast, {"down"}));
  meet();
  EXPECT_EQ(ann.seen("down"), Value(-kMost)) << "as far as one author alone can count";
}

// A copy of a database is another author (the store sees to that), with the shares of its origin as they were.
TEST_F(Counter, OfARestoredCopyNeitherLosesNorRepeatsWhatWasCounted) {
  ASSERT_TRUE(ann.count(1));
  Author clone(3);
  clone.hear(ann);
  ASSERT_TRUE(ann.count(10));
  meet();
  ASSERT_TRUE(clone.count(100));
  ben.hear(clone);
  meet();
  clone.hear(ben);
  EXPECT_EQ(clone.seen(), Value(111));
  EXPECT_EQ(ann.seen(), Value(111));
}

TEST_F(Counter, ShipsOnlyTheShareThatChanged) {
  ASSERT_TRUE(ann.count(7));
  meet();
  ASSERT_TRUE(ben.count(1));
  const std::uint64_t cursor = ben.local_seq();
  ASSERT_TRUE(ben.count(1));
  auto delta = ben.document.delta_since(cursor, 0);
  ASSERT_TRUE(delta.has_value());
  ASSERT_EQ(delta->registers.size(), 1U);
  EXPECT_EQ(counter_path(delta->registers[0]), kLikes);
  EXPECT_EQ(delta->registers[0].value, Value(Array{2, 0}));
  delta->collection = "tasks";
  delta->id = "t1";
  DeltaWriter writer;
  writer.add(*delta);
  CborWriter out;
  writer.take(out);
  CborReader in(out.view());
  DeltaReader reader;
  const auto back = reader.read(in, {10, 100});
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->size(), 1U);
  ASSERT_EQ((*back)[0].registers.size(), 1U);
  EXPECT_EQ((*back)[0].registers[0].path, delta->registers[0].path);
  EXPECT_EQ((*back)[0].registers[0].kind, RegisterKind::Counter);
  EXPECT_EQ((*back)[0].registers[0].value, delta->registers[0].value);
  ann.document.merge((*back)[0], LocalMark{90, 1});
  EXPECT_EQ(ann.seen(), Value(9));
}

TEST_F(Counter, ChangesTheVersionWithEachCount) {
  ASSERT_TRUE(ann.count(1));
  const auto before = version_of("c", "i", ann.document);
  ASSERT_TRUE(ann.count(1));
  EXPECT_NE(version_of("c", "i", ann.document), before);
}

TEST_F(Counter, StoresAsANumberThatNoMetadataIsNeededToRead) {
  ASSERT_TRUE(ann.count(7));
  ASSERT_TRUE(ben.count(1));
  meet();
  EXPECT_EQ(decode_value(ann.document.encode_body()).value(), Value(Map{{"likes", 8}, {"title", "t"}}));
  const auto back = Document::decode(ann.document.encode_body(), ann.document.encode_metadata());
  ASSERT_TRUE(back) << back.error().message;
  Author again(1);
  again.document = *back;
  ASSERT_TRUE(again.count(1));
  EXPECT_EQ(again.seen(), Value(9));
}

}  // namespace
}  // namespace fermata::crdt
