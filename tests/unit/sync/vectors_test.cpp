// tests/vectors: what a second implementation must agree with, and docs/PROTOCOL.md's annotated frames. The files are
// what this program says; FERMATA_WRITE_VECTORS=1 makes it write them instead of comparing.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "describe.hpp"
#include "pair.hpp"
#include "sync/changes_writer.hpp"
#include "sync/message_reader.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// One item a line.
std::string lines_of(const Array& items) {
  std::string text = "[";
  for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "\n" : ",\n") + to_json(items[i]);
  return text + "\n]\n";
}

void expect_file(const std::string& name, const Array& items) {
  const std::string path = std::string(FERMATA_VECTORS) + "/" + name;
  if (std::getenv("FERMATA_WRITE_VECTORS") != nullptr) {
    std::ofstream(path, std::ios::binary) << lines_of(items);
    return;
  }
  EXPECT_EQ(read_file(path), lines_of(items)) << path << "; FERMATA_WRITE_VECTORS=1 would write it anew";
}

constexpr std::uint64_t kMs = 1'700'000'000'000;

crdt::Delta change(std::string id, crdt::Path path, Value value, std::uint64_t seq, std::uint64_t ms) {
  crdt::Register r;
  r.path = std::move(path);
  r.value = std::move(value);
  r.dot = {0x0102030405060708u, seq};
  r.stamp = {ms << 16};
  return {"measurements", std::move(id), 1, {std::move(r)}};
}

constexpr const char* kUuid = "018bcfe5-6800-7abc-8def-0123456789ab";

struct Example {
  std::string name;  // frames of one name follow each other on one link, in one direction
  Bytes frame;
};

std::vector<Example> examples_of_changes() {
  ChangesWriter link;
  std::vector<Example> all;
  (void)link.add(change(kUuid, {"temperature"}, 21, 41, kMs), std::nullopt);
  all.push_back({"changes: the first of a link", link.take(100, "", {{7, 0, 100, true}})});
  (void)link.add(change(kUuid, {"temperature"}, 22, 42, kMs + 1500), std::nullopt);
  all.push_back({"changes: one small integer, later", link.take(101, "", {{7, 100, 101, true}})});
  crdt::Delta whole = change("station 5", {"name"}, "north", 43, kMs + 2000);
  whole.registers.push_back(change("", {"position", "height"}, 1.5, 40, kMs - 5).registers[0]);
  whole.registers.push_back(whole.registers[0]);
  whole.registers.back().path = {"tags"};
  whole.registers.back().value = Array{"a", nullptr, Bytes{1, 2}};
  whole.whole = true;
  (void)link.add(whole, 0x1122334455667788u);
  (void)link.add({"measurements", "gone", 2, {}, true}, std::nullopt);
  link.name({"measurements", "moved"});
  link.name({"measurements", kUuid});
  link.name({"stations", "5"});
  link.offer({"stations", "6", 0x99aabbccddeeff00u, {0x0102030405060708u}});
  all.push_back(
      {"changes: with all that may be in it", link.take(110, "e7", {{7, 101, 108, false}, {9, 0, 110, true}})});
  return all;
}

std::vector<Example> examples_of_reconciliation() {
  const crdt::Digest digest{2, 0x0102030405060708u, 0x1112131415161718u};
  const RunHead of{7, 0x5eed, 110, digest};
  const std::vector<std::uint64_t> items{5, 0x100, 0x8877665544332211u};
  return {
      {"digest", encode(DigestOf{7, 110, 90, digest, {}})},
      {"digest: with what is known", encode(DigestOf{7, 110, 90, digest, {{0x0102030405060708u, 43}, {5, 9}}})},
      {"stand", encode(Stand{7, false, 110, 2, digest})},
      {"stand: without a digest", encode(Stand{7, true, 110, 2, std::nullopt})},
      {"match: equal", encode(Match{7, 0, Match::How::Equal, 0, 0})},
      {"match: symbols", encode(Match{7, 0x5eed, Match::How::Symbols, 0, 24})},
      {"symbols", encode(Symbols{of, 0, pack_symbols(SymbolEncoder(items, 0x5eed).next(2), 0, items.size())})},
      {"items", encode(Items{of, 0, UINT64_MAX, pack_items(items, 0)})},
      {"resolve", encode(Resolve{7, 0x5eed, items, {"moved", "station 5"}})},
      {"resolved", encode(Resolved{7, 0x5eed, {1}})},
  };
}

std::vector<Example> examples_of_attachments() {
  ContentHash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>(i);
  return {
      {"fetch", encode(Fetch{hash, 200'000, 65'536})},
      {"fetch: no more", encode(Fetch{hash, 200'000, std::nullopt})},
      {"part", encode(Part{hash, 131'072, Bytes{1, 2, 3}})},
      {"part: which the sender has not got", encode(Part{hash, 65'536, std::nullopt})},
      {"have", encode(Have{hash})},
  };
}

std::vector<Example> examples() {
  const Wanted wanted{7, "SELECT * FROM measurements", "e7", {90, 100}, 0, false, 0};
  std::vector<Example> all{
      {"hello", encode(Hello{kSpoken, 1, "e1", "kitchen", 100, {wanted}})},
      {"subscribe", encode(Subscribe{wanted})},
      {"unsubscribe", encode(Unsubscribe{7})},
  };
  for (Example& example : examples_of_changes()) all.push_back(std::move(example));
  const std::vector<Example> rest{
      {"want", encode(Want{{{7, 101, 108, true}}, {{"measurements", "moved"}, {"measurements", kUuid}}})},
      {"ack", encode(Ack{3, {{7, {100, 108}}}, {}})},
      {"ack: of all subscriptions at once", encode(Ack{3, {}, 108})},
      {"ping", encode(Ping{5})},
      {"pong", encode(Pong{5})},
      {"goodbye", encode(Goodbye{"pausing", 600'000})},
      {"goodbye: for who knows how long", encode(Goodbye{"pausing", std::nullopt})},
      {"prune", encode(Prune{{{7, 0x0102030405060708u}}})},
      {"graft", encode(Graft{{{7, 0x0102030405060708u}, {9, 5}}})},
  };
  all.insert(all.end(), rest.begin(), rest.end());
  for (Example& example : examples_of_reconciliation()) all.push_back(std::move(example));
  for (Example& example : examples_of_attachments()) all.push_back(std::move(example));
  return all;
}

// Decoding is seen in what each frame is described as, encoding in its bytes.
TEST(Vectors, OfFramesAreWhatTheyWere) {
  Array items;
  MessageReader reader;
  for (const Example& example : examples()) {
    const auto message = reader.read(example.frame);
    ASSERT_TRUE(message) << example.name << ": " << message.error().message;
    items.push_back(Map{{"name", example.name}, {"hex", to_hex(example.frame)}, {"means", describe(*message)}});
  }
  expect_file("frames.json", items);
}

TEST(Vectors, OfFramesThatEndALinkAreRefused) {
  Array items;
  const auto kHashed = [](std::string_view head, std::string_view rest) {
    return std::string(head) + "5820" + std::string(64, '7') + std::string(rest);
  };
  const std::pair<const char*, std::string> kBad[] = {
      {"no array", "00"},
      {"no type", "80"},
      {"a type that is not known and may not be skipped", "81181e"},
      {"bytes behind the end", "820605ff"},
      {"one field too many", "83060505"},
      {"an indefinite length", "9f0605ff"},
      {"a version that we do not speak", "8200186303"},
      {"an actor's number that was not given out", "8503018085000101000180"},
      {"a path's number that was not given out", "8503018085480102030405060708010100018461636164028300030a"},
      {"a register before any commit", "8503018080846163616402836170000a"},
      {"the same ranges again, where there were none", "850301f58080"},
      {"a hash that is short", "8215430102ff"},
      {"a part that begins where none does", kHashed("8413", "01410a")},
      {"a part without bytes, and not absent", kHashed("8413", "0040")},
      {"a fetch from beyond the end", kHashed("8412", "0a1a00010000")},
      {"a fetch of more than can be", kHashed("8412", "1b002000000000000000")},
  };
  for (const auto& [why, hex] : kBad) {
    const auto read = MessageReader().read(from_hex(hex).value());
    EXPECT_FALSE(read) << why;
    items.push_back(
        Map{{"name", why}, {"hex", hex}, {"error", read ? "none" : std::string(name_of(read.error().code))}});
  }
  expect_file("refused.json", items);
}

Map merged(const std::string& name, const std::vector<crdt::Delta>& deltas) {
  Array hex, described;
  crdt::Document forth, back;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    crdt::DeltaWriter writer;
    writer.add(deltas[i]);
    CborWriter out;
    writer.take(out);
    CborReader in(out.view());
    const auto decoded = crdt::DeltaReader().read(in, {1, 1000}).value();
    hex.push_back(to_hex(out.view()));
    described.push_back(describe(decoded.front()));
    forth.merge(decoded.front(), {i + 1, 1});
    back.merge(deltas[deltas.size() - 1 - i], {i + 1, 1});
  }
  EXPECT_EQ(forth.fingerprint(), back.fingerprint()) << name;
  EXPECT_EQ(to_hex(forth.encode_body()), to_hex(back.encode_body())) << name;
  return {{"name", name},
          {"deltas", described},
          {"batches", hex},
          {"body", to_hex(forth.encode_body())},
          {"view", forth.view()},
          {"life", static_cast<std::int64_t>(forth.life())},
          {"fingerprint", number_text(forth.fingerprint())},
          {"version", number_text(crdt::version_of(deltas[0].collection, deltas[0].id, forth))}};
}

TEST(Vectors, OfDocumentsAreWhatTheyWere) {
  const auto at = [](crdt::Path path, Value value, std::uint64_t actor, std::uint64_t ms, std::uint64_t life) {
    crdt::Delta delta = change("d", std::move(path), std::move(value), 1 + ms, kMs + ms);
    delta.life = delta.registers[0].life = life;
    delta.registers[0].dot.actor = actor;
    return delta;
  };
  crdt::Delta absent = at({"x"}, nullptr, 2, 7, 1);
  absent.registers[0].kind = crdt::RegisterKind::Absent;
  crdt::Delta map = at({"x"}, nullptr, 2, 7, 1);
  map.registers[0].kind = crdt::RegisterKind::Map;
  const crdt::Delta dead{"measurements", "d", 2, {}};
  Array items;
  items.push_back(merged("the later stamp wins", {at({"x"}, 1, 1, 5, 1), at({"x"}, 2, 1, 6, 1)}));
  items.push_back(merged("of equal stamps the greater actor wins", {at({"x"}, 1, 1, 5, 1), at({"x"}, 2, 9, 5, 1)}));
  items.push_back(merged("fields merge one by one", {at({"x"}, 1, 1, 5, 1), at({"y"}, 2, 2, 6, 1)}));
  items.push_back(merged("a younger field takes the whole place of what is below it",
                         {at({"x", "a"}, 1, 1, 5, 1), at({"x"}, 2, 2, 6, 1)}));
  items.push_back(
      merged("what is below, if younger, hides a value", {at({"x"}, 1, 1, 5, 1), at({"x", "a"}, 2, 2, 6, 1)}));
  items.push_back(merged("a map that was set keeps what is younger below it",
                         {at({"x", "a"}, 1, 1, 5, 1), at({"x", "b"}, 2, 1, 8, 1), map}));
  items.push_back(merged("what was taken away", {at({"x"}, 1, 1, 5, 1), at({"y"}, true, 1, 5, 1), absent}));
  items.push_back(merged("a dead document keeps its last life's fields", {at({"x"}, 1, 1, 5, 1), dead}));
  items.push_back(
      merged("a new life knows no field of the one before", {at({"x"}, 1, 1, 500, 1), dead, at({"y"}, 2, 1, 6, 3)}));
  const auto share = [&](std::uint64_t actor, std::int64_t up, std::int64_t down, std::uint64_t ms) {
    crdt::Delta delta = at({"n"}, crdt::value_of({up, down}), actor, ms, 1);
    delta.registers[0].kind = crdt::RegisterKind::Counter;
    delta.registers[0].path = crdt::share_path({"n"}, actor);
    delta.registers[0].stamp.value = (kMs << 16) + 1;
    return delta;
  };
  items.push_back(merged("the shares of two authors add up", {share(1, 5, 2, 5), share(2, 10, 0, 6)}));
  items.push_back(merged("an author's younger share replaces its older one", {share(1, 5, 2, 5), share(1, 6, 2, 9)}));
  items.push_back(merged("a value that is younger ends a counter", {share(1, 5, 2, 5), at({"n"}, 7, 2, 50, 1)}));
  expect_file("documents.json", items);
}

TEST(Vectors, OfDigestsAreWhatTheyWere) {
  Array items;
  crdt::Digest digest;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    const std::uint64_t fingerprint = 0x0123456789abcdefu * n;
    const std::uint64_t version = crdt::version_of("cars", "d" + std::to_string(n), fingerprint);
    digest.add(version);
    items.push_back(Map{{"collection", "cars"},
                        {"id", "d" + std::to_string(n)},
                        {"fingerprint", number_text(fingerprint)},
                        {"version", number_text(version)},
                        {"digest so far", Array{static_cast<std::int64_t>(digest.count), number_text(digest.low),
                                                number_text(digest.high)}}});
  }
  expect_file("digests.json", items);
}

TEST(Vectors, OfCodedSymbolsAreWhatTheyWere) {
  std::vector<std::uint64_t> theirs, ours;
  for (std::uint64_t n = 1; n <= 20; ++n) (n % 7 == 0 ? theirs : ours).push_back(n * 0x9e3779b97f4a7c15u);
  theirs.insert(theirs.end(), ours.begin() + 2, ours.end());
  constexpr std::uint64_t kSalt = 0x5eed;
  const auto listed = [](std::vector<std::uint64_t> items) {
    std::sort(items.begin(), items.end());
    Array list;
    for (const std::uint64_t item : items) list.push_back(number_text(item));
    return list;
  };
  const std::vector<CodedSymbol> symbols = SymbolEncoder(theirs, kSalt).next(24);
  Array described;
  for (const CodedSymbol& symbol : symbols)
    described.push_back(Array{number_text(symbol.sum), static_cast<std::int64_t>(symbol.check), symbol.count});
  const Bytes packed = pack_symbols(symbols, 0, theirs.size());
  SymbolDecoder decoder(ours, kSalt);
  ASSERT_TRUE(decoder.add(unpack_symbols(packed, 0, theirs.size()).value()));
  ASSERT_TRUE(decoder.decoded());
  expect_file("symbols.json", {Map{{"salt", number_text(kSalt)},
                                   {"theirs", listed(theirs)},
                                   {"ours", listed(ours)},
                                   {"symbols", described},
                                   {"packed", to_hex(packed)},
                                   {"only theirs", listed(decoder.theirs())},
                                   {"only ours", listed(decoder.only_ours())}}});
}

// ```frame NAME
// 8206    comment
// ```
std::map<std::string, std::string> annotated_frames(const std::string& text) {
  std::map<std::string, std::string> frames;
  std::istringstream lines(text);
  std::string line;
  std::string* hex = nullptr;
  while (std::getline(lines, line)) {
    if (line.starts_with("```frame ")) {
      hex = &frames[line.substr(9)];
    } else if (line.starts_with("```")) {
      hex = nullptr;
    } else if (hex) {
      for (const char c : line.substr(0, line.find("  "))) {
        if (c != ' ') hex->push_back(c);
      }
    }
  }
  return frames;
}

TEST(Vectors, AreTheFramesThatTheDocumentationTakesApart) {
  const auto annotated = annotated_frames(read_file(FERMATA_PROTOCOL));
  std::map<std::string, std::string> known;
  for (const Example& example : examples()) known[example.name] = to_hex(example.frame);
  EXPECT_FALSE(annotated.empty());
  for (const auto& [name, hex] : annotated) EXPECT_EQ(hex, known[name]) << name;
}

}  // namespace
}  // namespace fermata::sync
