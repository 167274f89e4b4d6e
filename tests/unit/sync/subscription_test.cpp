// Subscriptions: found by what they demand, added, changed and cancelled while connected, and brought by one peer of
// several.
#include "mesh.hpp"
#include "sync/subscription_index.hpp"

namespace fermata::sync {
namespace {

using std::chrono::milliseconds;

query::Predicate predicate(const std::string& where) {
  return query::Predicate::parse("SELECT * FROM cars" + (where.empty() ? "" : " WHERE " + where), {}).value();
}

std::vector<SubscriptionIndex::Holder> found_by(const SubscriptionIndex& index, const std::string& id,
                                                const Map& view) {
  std::vector<SubscriptionIndex::Holder> found;
  index.find("cars", id, view, found);
  return found;
}

TEST(SubscriptionIndex, FindsWhateverMatchesAndWhatDemandsAnotherValueNever) {
  const std::vector<std::string> wheres{"",
                                        "a = 1",
                                        "1 = a",
                                        "a = 1.0",
                                        "a = 1.5",
                                        "a = '1'",
                                        "a = true",
                                        "_id = 'x'",
                                        "n.z = 'q'",
                                        "a = NULL",
                                        "a = b",
                                        "a > 0",
                                        "a = 1 AND b = 2",
                                        "b = 2 AND _id = 'x'",
                                        "a = 1 OR b = 2",
                                        "NOT a = 1",
                                        "a IN (1, 2)",
                                        "a LIKE 'q%'",
                                        "b = -0.0",
                                        "a = 9007199254740993"};
  const std::vector<Map> views{{},
                               {{"a", 1}},
                               {{"a", 1.0}},
                               {{"a", 1.5}},
                               {{"a", "1"}},
                               {{"a", true}},
                               {{"a", nullptr}},
                               {{"a", 1}, {"b", 2}},
                               {{"b", 0}},
                               {{"a", Map{{"z", 1}}}, {"n", Map{{"z", "q"}}}},
                               {{"a", std::int64_t{9007199254740993}}},
                               {{"a", 9007199254740992.0}}};
  SubscriptionIndex index;
  for (std::size_t i = 0; i < wheres.size(); ++i) index.add({1, i}, predicate(wheres[i]));
  for (const std::string id : {"x", "y"}) {
    for (const Map& view : views) {
      const auto found = found_by(index, id, view);
      for (std::size_t i = 0; i < wheres.size(); ++i) {
        const bool matches = predicate(wheres[i]).matches(id, view);
        const bool is_found = std::find(found.begin(), found.end(), SubscriptionIndex::Holder{1, i}) != found.end();
        EXPECT_TRUE(is_found || !matches) << wheres[i] << " and " << to_json(Value(view));
        if (predicate(wheres[i]).equality() && wheres[i].find("AND") == std::string::npos) {
          EXPECT_EQ(is_found, matches) << wheres[i] << " and " << to_json(Value(view));
        }
      }
    }
  }
  for (std::size_t i = 0; i < wheres.size(); ++i) index.remove({1, i}, predicate(wheres[i]));
  for (const Map& view : views) EXPECT_TRUE(found_by(index, "x", view).empty());
}

TEST(SubscriptionIndex, LooksAtAsManyAsCanMatchHoweverManyThereAre) {
  SubscriptionIndex index;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    index.add({i % 10, i}, predicate("done = false AND owner = 'u" + std::to_string(i) + "'"));
  index.add({77, 1}, predicate("owner = 'u5000'"));
  EXPECT_EQ(found_by(index, "x", {{"owner", "u5000"}, {"done", true}}).size(), 1u) << "by done, the first of the two";
  EXPECT_EQ(found_by(index, "x", {{"owner", "nobody"}, {"done", true}}).size(), 0u);
}

struct SubscriptionTest : testing::Test {
  Node a{"a"}, b{"b"};
  Mesh mesh{{&a, &b}};

  [[nodiscard]] Value n_of(Node& node, const std::string& id) {
    const crdt::Document document = node.at(id);
    if (!document.alive()) return {};
    const Map view = document.view();
    const auto n = view.find("n");
    return n == view.end() ? Value() : n->second;
  }
};

TEST_F(SubscriptionTest, AThousandOnOneLinkGetWhatEachMatchesAndOneMoreIsTooMany) {
  EngineOptions options;
  for (std::size_t i = 0; i < options.max_subscriptions; ++i)
    b.subscribe("SELECT * FROM cars WHERE n = " + std::to_string(i));
  mesh.open(a, b);
  mesh.settle();
  for (int i : {0, 500, 1023, 5000}) a.put("d" + std::to_string(i), {{"n", i}});
  mesh.settle();
  EXPECT_TRUE(b.at("d500").alive());
  EXPECT_FALSE(b.at("d5000").exists());
  EXPECT_EQ(Mesh::received(b), 3u);
  EXPECT_FALSE(a.engine->unsynced());
  EXPECT_FALSE(b.engine->unsynced());
  b.subscribe("SELECT * FROM cars WHERE n = 5000");
  mesh.settle();
  EXPECT_TRUE(a.engine->sessions().empty());
}

TEST_F(SubscriptionTest, AChangeThatRacesWithASubscriptionIsNotLost) {
  mesh.open(a, b);
  mesh.settle();
  a.put("golf", {{"n", 1}});
  b.subscribe("SELECT * FROM cars WHERE n > 0");  // on its way while a writes
  a.put("polo", {{"n", 2}});
  mesh.settle();
  a.put("polo", {{"n", 3}});
  mesh.settle();
  EXPECT_EQ(n_of(b, "golf"), Value(1));
  EXPECT_EQ(n_of(b, "polo"), Value(3));
}

TEST_F(SubscriptionTest, AChangeThatRacesWithTheEndOfASubscriptionHarmsNobody) {
  const SubscriptionId wanted = b.subscribe("SELECT * FROM cars");
  mesh.open(a, b);
  mesh.settle();
  a.put("golf", {{"n", 1}});
  b.engine->unsubscribe(wanted, b.now());
  mesh.settle();
  a.put("golf", {{"n", 2}});
  mesh.settle();
  EXPECT_NE(n_of(b, "golf"), Value(2));
  b.subscribe("SELECT * FROM cars");
  mesh.settle();
  EXPECT_EQ(n_of(b, "golf"), Value(2));
  EXPECT_EQ(a.engine->sessions().size(), 1u);
}

TEST_F(SubscriptionTest, ASubscriptionThatIsNarrowedAndWidenedAgainKnowsWhatHappenedMeanwhile) {
  SubscriptionId wanted = b.subscribe("SELECT * FROM cars");
  mesh.open(a, b);
  a.put("golf", {{"n", 1}});
  a.put("polo", {{"n", 2}});
  mesh.settle();
  b.engine->unsubscribe(wanted, b.now());
  wanted = b.subscribe("SELECT * FROM cars WHERE n = 1");
  mesh.settle();
  a.put("polo", {{"n", 5}});
  a.put("audi", {{"n", 6}});
  a.remove("golf");
  mesh.settle();
  EXPECT_FALSE(b.at("golf").alive());
  EXPECT_FALSE(b.at("audi").exists());
  b.engine->unsubscribe(wanted, b.now());
  b.subscribe("SELECT * FROM cars");
  mesh.settle();
  EXPECT_EQ(n_of(b, "polo"), Value(5));
  EXPECT_EQ(n_of(b, "audi"), Value(6));
}

// CouchDB: a filter drops deletions, because a deleted document has no fields.
TEST_F(SubscriptionTest, ADeletionWhileDisconnectedReachesWhoHoldsTheDocumentThoughItHasNoFieldsLeft) {
  b.subscribe("SELECT * FROM cars WHERE n = 1");
  const LinkId link = mesh.open(a, b);
  a.put("golf", {{"n", 1}});
  mesh.settle();
  mesh.cut(link);
  a.remove("golf");
  mesh.open(a, b);
  mesh.settle();
  EXPECT_TRUE(b.at("golf").exists());
  EXPECT_FALSE(b.at("golf").alive());
}

// Realm 5804: objects that come into view while the device that subscribes writes to them.
TEST_F(SubscriptionTest, WritesToDocumentsThatJustComeIntoViewMergeOnBothSides) {
  a.options.window_bytes = b.options.window_bytes = 400;
  for (Node* node : mesh.nodes) {
    node->options.batch_bytes = 100;
    node->engine = std::make_unique<Engine>(*node->store, node->options);
  }
  for (int i = 0; i < 40; ++i) a.put("d" + std::to_string(i), {{"n", i}, {"w", 0}});
  mesh.open(a, b);
  a.subscribe("SELECT * FROM cars");
  mesh.settle();
  b.subscribe("SELECT * FROM cars WHERE w = 0");
  for (int i = 0; i < 40; i += 2) {
    b.put("d" + std::to_string(i), {{"b", i}});
    a.put("d" + std::to_string(39 - i), {{"w", 1}});
    a.put("d" + std::to_string(i), {{"n", -i}});
  }
  mesh.settle();
  for (int i = 0; i < 40; i += 2) {
    const std::string id = "d" + std::to_string(i);
    EXPECT_EQ(a.at(id).fingerprint(), b.at(id).fingerprint()) << id;
    EXPECT_EQ(a.at(id).view().at("b"), Value(i)) << id;
  }
  for (Node* node : mesh.nodes) EXPECT_FALSE(node->engine->unsynced());
}

// Whoever returns to several peers at once gets what it missed from one of them.
struct ReturnTest : testing::Test {
  ReturnTest() {
    for (Node* node : mesh.nodes) node->subscribe("SELECT * FROM cars");
    for (Node* node : {&a, &b, &c}) {
      for (Node* other : {&a, &b, &c}) {
        if (node < other) mesh.open(*node, *other);
      }
    }
    for (int i = 0; i < kDocuments; ++i) a.put("d" + std::to_string(i), {{"n", i}});
    mesh.settle();
  }
  void expect_everything_at_d() {
    for (int i = 0; i < kDocuments; ++i) EXPECT_TRUE(d.at("d" + std::to_string(i)).alive()) << i;
    for (Node* node : mesh.nodes) EXPECT_FALSE(node->engine->unsynced());
  }

  static constexpr int kDocuments = 400;
  Node a{"a"}, b{"b"}, c{"c"}, d{"d"};
  Mesh mesh{{&a, &b, &c, &d}};
};

TEST_F(ReturnTest, ANewDeviceGetsEachDocumentOnceThoughThreeCouldSendIt) {
  for (Node* peer : {&a, &b, &c}) mesh.open(d, *peer);
  mesh.settle();
  for (int i = 0; i < 4; ++i) mesh.wait(milliseconds(250));
  expect_everything_at_d();
  EXPECT_LE(Mesh::received(d), kDocuments * 11 / 10);
}

TEST_F(ReturnTest, IfTheOneThatBringsItDiesTheOthersDo) {
  const LinkId first = mesh.open(d, a);
  mesh.freeze(first);
  mesh.open(d, b);
  mesh.open(d, c);
  mesh.settle();
  for (int i = 0; i < 8; ++i) mesh.wait(milliseconds(250));
  mesh.cut(first);
  mesh.settle();
  for (int i = 0; i < 8; ++i) mesh.wait(milliseconds(250));
  expect_everything_at_d();
}

TEST_F(ReturnTest, WhatOnlyAnotherHasComesFromThere) {
  const LinkId to_a = mesh.open(d, a);
  const LinkId to_b = mesh.open(d, b);
  mesh.settle();
  mesh.cut(to_a);
  mesh.cut(to_b);
  for (LinkId link : {LinkId{1}, LinkId{2}, LinkId{3}}) mesh.cut(link);
  a.put("of a", {{"n", 1}});
  b.put("of b", {{"n", 2}});
  for (int i = 0; i < 100; ++i) c.put("d" + std::to_string(i), {{"m", i}});
  mesh.open(c, b);
  mesh.settle();
  const std::uint64_t before = Mesh::received(d);
  mesh.open(d, a);
  mesh.open(d, b);
  mesh.open(d, c);
  mesh.settle();
  for (int i = 0; i < 4; ++i) mesh.wait(milliseconds(250));
  expect_everything_at_d();
  EXPECT_TRUE(d.at("of a").alive());
  EXPECT_TRUE(d.at("of b").alive());
  EXPECT_LE(Mesh::received(d) - before, 113u);
}

}  // namespace
}  // namespace fermata::sync
