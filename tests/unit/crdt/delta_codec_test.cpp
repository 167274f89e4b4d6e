// Deltas on a link: what was said before is said by number, and hostile numbers are refused.
#include "crdt/delta_codec.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/uuid.hpp"
#include "wire.hpp"

namespace fermata::crdt {
namespace {

Register some_register(Path path, ActorId actor, std::uint64_t seq, std::uint64_t ms) {
  Register r;
  r.path = std::move(path);
  r.value = static_cast<std::int64_t>(seq);
  r.dot = {actor, seq};
  r.stamp = {ms << 16};
  return r;
}

std::string text_of(const Delta& delta) {
  std::string text = delta.collection + "/" + delta.id + "/" + std::to_string(delta.life) + (delta.whole ? "!" : "");
  for (const Register& r : delta.registers) {
    for (const std::string& name : r.path) text += "." + name;
    text += " " + std::to_string(r.dot.actor) + ":" + std::to_string(r.dot.seq) + "@" + std::to_string(r.stamp.value) +
            "/" + std::to_string(r.life) + "=" + to_json(r.value);
  }
  return text;
}

// Few names often, many names sometimes, so that slots are both used again and given to others.
Delta some_delta(Random& random) {
  const auto some = [&](std::uint64_t few, std::uint64_t many) {
    return std::to_string(random.below(random.below(2) == 0 ? few : many));
  };
  Delta delta{"c" + some(3, 200), "d" + some(9, 1000), 1 + 2 * random.below(2), {}};
  std::map<Path, Register> registers;
  for (std::uint64_t n = random.below(6); n > 0; --n) {
    Path path{"p" + some(5, 600)};
    if (random.below(4) == 0) path.push_back(std::string(random.below(300), 'q'));
    registers[path] = some_register(path, random.below(random.below(2) == 0 ? 3 : 700), 1 + random.below(1000),
                                    1'700'000'000'000 + random.below(1000));
  }
  for (auto& [path, r] : registers) delta.registers.push_back(std::move(r));
  return delta;
}

TEST(DeltasOnALink, ComeOutAsTheyWentInHoweverOftenTheTablesWrapRound) {
  SeededRandom random(7);
  DeltaWriter writer;
  DeltaReader reader;
  for (int batch = 0; batch < 600; ++batch) {
    std::vector<Delta> sent;
    for (std::uint64_t n = random.below(8); n > 0; --n) sent.push_back(some_delta(random));
    for (const Delta& delta : sent) writer.add(delta);
    CborWriter out;
    writer.take(out);
    writer.write_collection("c1", out);
    CborReader in(out.view());
    const auto received = reader.read(in, kNoLimits);
    ASSERT_TRUE(received) << received.error().message;
    ASSERT_EQ(received->size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(text_of((*received)[i]), text_of(sent[i])) << batch;
    ASSERT_EQ(reader.read_collection(in).value(), "c1");
    ASSERT_TRUE(in.at_end());
  }
}

TEST(DeltasOnALink, SayOnlyOnceWhatTheyHaveInCommon) {
  DeltaWriter writer;
  auto bytes_of_next = [&, seq = std::uint64_t{1}]() mutable {
    ++seq;
    writer.add({"measurements",
                "018f3e2a-7b1c-7def-8123-456789abcdef",
                1,
                {some_register({"temperature"}, 0xfedcba9876543210u, seq, 1'700'000'000'000 + 1000 * seq)}});
    CborWriter out;
    writer.take(out);
    return out.size();
  };
  const std::size_t first = bytes_of_next();
  const std::size_t second = bytes_of_next();
  EXPECT_GT(first, 2 * second);
  EXPECT_LE(second, 33u);
}

TEST(DeltasOnALink, OnlyACanonicalUuidTravelsAsBytes) {
  for (const char* id : {"018f3e2a-7b1c-7def-8123-456789abcdef", "018F3E2A-7b1c-7def-8123-456789abcdef", "bmw", "",
                         "018f3e2a07b1c-7def-8123-456789abcdef", "018f3e2a-7b1c-7def-8123-456789abcdeg"}) {
    CborWriter out;
    write_id(id, out);
    CborReader in(out.view());
    EXPECT_EQ(read_id(in).value(), id);
    EXPECT_EQ(out.size() == 17, std::string_view(id).starts_with("018f3e2a-") && std::string_view(id).ends_with("f"));
  }
  CborWriter out;
  out.bytes(Bytes(15, 1));
  CborReader in(out.view());
  EXPECT_EQ(read_id(in).error().code, ErrorCode::Malformed);
}

// A batch of one commit and one document, with these in the places of what refers to something.
struct Parts {
  std::uint64_t actor_number = SIZE_MAX;  // none: said in full
  std::uint64_t collection_number = SIZE_MAX;
  std::uint64_t path_number = SIZE_MAX;
  std::uint64_t code = 4;  // a value of the first commit
  std::int64_t seq = 1;
  std::int64_t ms = 5;
};

ErrorCode refusal_of(const Parts& parts, std::size_t items = 100) {
  CborWriter out;
  out.array(5);
  if (parts.actor_number == SIZE_MAX) {
    out.bytes(Bytes(8, 1));
  } else {
    out.uint(parts.actor_number);
  }
  out.integer(parts.seq);
  out.integer(parts.ms);
  out.uint(0);
  out.uint(1);
  out.array(4);
  if (parts.collection_number == SIZE_MAX) {
    out.text("c");
  } else {
    out.uint(parts.collection_number);
  }
  out.text("d");
  out.uint(2);  // life 1
  out.array(3);
  if (parts.path_number == SIZE_MAX) {
    out.text("p");
  } else {
    out.uint(parts.path_number);
  }
  out.uint(parts.code);
  out.array(4);
  for (int i = 0; i < 4; ++i) out.uint(1);
  CborReader in(out.view());
  const auto read = DeltaReader().read(in, {10, items});
  return read ? ErrorCode::Unsupported : read.error().code;
}

TEST(DeltasOnALink, NumbersThatWereNeverGivenOutAreMalformed) {
  ASSERT_EQ(refusal_of({}), ErrorCode::Unsupported) << "which stands for none";
  EXPECT_EQ(refusal_of({.actor_number = 0}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.collection_number = 0}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.path_number = 0}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.path_number = UINT64_MAX - 1}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.code = 0}), ErrorCode::Malformed) << "the same commit as before, where none was";
  EXPECT_EQ(refusal_of({.code = 8}), ErrorCode::Malformed) << "a commit by its number before its first mention";
  EXPECT_EQ(refusal_of({.code = UINT64_MAX}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.code = 7}), ErrorCode::Malformed) << "a share of a counter that is no pair";
}

TEST(DeltasOnALink, DifferencesThatLeaveTheRangeAreMalformed) {
  EXPECT_EQ(refusal_of({.seq = 0}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.seq = -1}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.ms = -1}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.ms = std::int64_t{1} << 47}), ErrorCode::Malformed);
  EXPECT_EQ(refusal_of({.ms = (std::int64_t{1} << 47) - 1}), ErrorCode::Unsupported) << "which stands for none";
}

TEST(DeltasOnALink, MoreItemsThanAMessageMayHoldAreRefusedBeforeTheyTakeMemory) {
  // A document, a register, its path's one name, an array and four values.
  EXPECT_EQ(refusal_of({}, 3 + 3 + 1 + 5), ErrorCode::Unsupported) << "which stands for none";
  EXPECT_EQ(refusal_of({}, 3 + 3 + 1 + 4), ErrorCode::LimitExceeded);
  EXPECT_EQ(refusal_of({}, 3 + 3), ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace fermata::crdt
