// What travels, counted in bytes.
#include "base/uuid.hpp"
#include "pair.hpp"

namespace fermata::sync {
namespace {

struct Economy : testing::Test {
  // A document as apps have them, about 300 bytes of CBOR.
  void put_large(std::uint64_t n) {
    a.put(make_uuid7(a.clock.wall_now(), random), {{"title", "Delivery " + std::to_string(n)},
                                                   {"status", "planned"},
                                                   {"priority", 3},
                                                   {"done", false},
                                                   {"note", std::string(120, 'a')},
                                                   {"driver", Map{{"name", "Ada"}, {"phone", "+43 1 234567"}}},
                                                   {"position", Array{48.2082 + static_cast<double>(n), 16.3738}},
                                                   {"stops", static_cast<std::int64_t>(n)}});
  }
  // Bytes of the frames that `a` now has for `b`, delivered and acknowledged.
  std::size_t bytes_sent() {
    const std::uint64_t before = a.session().bytes_sent;
    const auto actions = a.drain();
    const std::uint64_t sent = a.session().bytes_sent - before;
    for (const Action& action : actions) b.engine->frame_received(1, std::get<SendFrame>(action).frame, b.now());
    pair.settle();
    return sent;
  }
  SeededRandom random{5};
  Node a{"a"}, b{"b"};
  Pair pair{a, b};
};

TEST_F(Economy, AChangeOfOneSmallIntegerTakesAtMostFortyBytes) {
  b.subscribe("SELECT * FROM measurements");
  pair.connect();
  const std::string id = make_uuid7(a.clock.wall_now(), random);
  a.put(id, {{"temperature", 1}, {"station", "north"}}, "measurements");
  (void)bytes_sent();
  a.put(id, {{"temperature", 2}}, "measurements");
  (void)bytes_sent();
  for (const std::int64_t value : {0, 23, 255, 65535, -100}) {
    a.clock.wall += std::chrono::seconds(value);
    a.put(id, {{"temperature", value}}, "measurements");
    EXPECT_LE(bytes_sent(), 40u) << value;
    EXPECT_EQ(b.store->load("measurements", id)->view().at("temperature"), Value(value));
  }
}

TEST_F(Economy, TheFirstSyncOfManyDocumentsCostsLittleBesideTheirFields) {
  constexpr std::size_t kDocuments = 400;
  a.options.compression = Compression::None;
  a.engine = std::make_unique<Engine>(*a.store, a.options);
  b.subscribe("SELECT * FROM cars");
  std::size_t bodies = 0;
  for (std::uint64_t n = 0; n < kDocuments; ++n) put_large(n);
  auto read = a.store->changes_since(0, kDocuments, SIZE_MAX);
  ASSERT_TRUE(read);
  for (const auto& each : read->documents) bodies += each.document.encode_body().size();
  pair.connect();
  ASSERT_EQ(b.session().documents_received, kDocuments);
  const double each = static_cast<double>(a.session().bytes_sent) / kDocuments;
  const double body = static_cast<double>(bodies) / kDocuments;
  RecordProperty("bytes_per_document", std::to_string(each));
  EXPECT_GT(body, 250);
  EXPECT_LT(each, body) << "the fields of a document as CBOR take " << body;
}

TEST_F(Economy, BulkFramesAreCompressedForWhoeverReadsThem) {
  b.subscribe("SELECT * FROM cars");
  for (std::uint64_t n = 0; n < 400; ++n) put_large(n);
  pair.connect();
  const std::uint64_t packed = a.session().bytes_sent;
  pair.cut();
  Node plain("plain");
  plain.subscribe("SELECT * FROM cars");
  a.options.compression = Compression::None;
  a.engine = std::make_unique<Engine>(*a.store, a.options);
  Pair{a, plain}.connect();
  EXPECT_LT(3 * packed, a.session().bytes_sent);
  EXPECT_EQ(plain.session().documents_received, 400u);
}

}  // namespace
}  // namespace fermata::sync
