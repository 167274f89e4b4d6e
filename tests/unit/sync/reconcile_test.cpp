#include "sync/reconcile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.hpp"

namespace fermata::sync {
namespace {

using Items = std::vector<std::uint64_t>;

Items draw(std::size_t count, Random& random) {
  Items items(count);
  for (std::uint64_t& item : items) item = random.u64();
  return items;
}

Items sorted(Items items) {
  std::sort(items.begin(), items.end());
  return items;
}

Items joined(const Items& one, const Items& other) {
  Items all = one;
  all.insert(all.end(), other.begin(), other.end());
  return all;
}

// Streams until decoded, through bytes, in batches of `batch`.
void stream(SymbolEncoder& encoder, SymbolDecoder& decoder, std::size_t batch, std::size_t most) {
  while (!decoder.decoded() && decoder.received() < most) {
    const std::size_t first = encoder.produced();
    const auto symbols = encoder.next(batch);
    const auto received = unpack_symbols(pack_symbols(symbols, first, encoder.items()), first, encoder.items());
    ASSERT_TRUE(received.has_value());
    ASSERT_EQ(*received, symbols);
    ASSERT_TRUE(decoder.add(*received).has_value());
  }
}

TEST(CodedSymbols, FindTheDifferenceOfAnyTwoSets) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const Items common = draw(random.below(200), random);
    const Items theirs = draw(random.below(seed % 7 == 0 ? 400 : 30), random);
    const Items ours = draw(random.below(30), random);
    const std::uint64_t salt = random.u64();
    SymbolEncoder encoder(joined(common, theirs), salt);
    SymbolDecoder decoder(joined(ours, common), salt);
    stream(encoder, decoder, 1 + random.below(40), 4000);
    ASSERT_TRUE(decoder.decoded());
    EXPECT_EQ(sorted(decoder.theirs()), sorted(theirs));
    EXPECT_EQ(sorted(decoder.only_ours()), sorted(ours));
  }
}

TEST(CodedSymbols, OfEqualSetsDecodeAtOnce) {
  SeededRandom random(1);
  const Items items = draw(1000, random);
  for (const Items& set : {items, Items{}}) {
    SymbolEncoder encoder(set, 7);
    SymbolDecoder decoder(set, 7);
    EXPECT_FALSE(decoder.decoded()) << "without having heard anything";
    stream(encoder, decoder, 1, 1);
    EXPECT_TRUE(decoder.decoded());
    EXPECT_TRUE(decoder.theirs().empty());
    EXPECT_TRUE(decoder.only_ours().empty());
  }
}

TEST(CodedSymbols, AreTheSameHoweverTheyWereAskedFor) {
  SeededRandom random(2);
  const Items items = draw(500, random);
  SymbolEncoder at_once(items, 3);
  SymbolEncoder in_pieces(items, 3);
  const auto whole = at_once.next(100);
  std::vector<CodedSymbol> pieces;
  for (std::size_t count : {1u, 9u, 40u, 50u}) {
    const auto more = in_pieces.next(count);
    pieces.insert(pieces.end(), more.begin(), more.end());
  }
  EXPECT_EQ(whole, pieces);
}

TEST(CodedSymbols, HoldAnItemInSymbolZeroAndInOthersWithHalfTheirHarmonicChance) {
  constexpr std::size_t kItems = 40'000;
  SeededRandom random(3);
  SymbolEncoder encoder(draw(kItems, random), 5);
  const auto symbols = encoder.next(1000);
  for (std::size_t i : {0u, 1u, 2u, 5u, 30u, 300u, 999u}) {
    const double chance = 1 / (1 + static_cast<double>(i) / 2);
    const double expected = chance * kItems;
    EXPECT_NEAR(static_cast<double>(symbols[i].count), expected, 6 * std::sqrt(expected * (1 - chance)) + 0.5) << i;
  }
}

TEST(CodedSymbols, NeedAboutOneAndAHalfPerDifference) {
  SeededRandom random(4);
  std::size_t within = 0;
  for (int run = 0; run < 60; ++run) {
    const Items common = draw(50, random);
    const std::uint64_t salt = random.u64();
    SymbolEncoder encoder(joined(common, draw(100, random)), salt);
    SymbolDecoder decoder(joined(common, draw(100, random)), salt);
    stream(encoder, decoder, symbols_for(200), symbols_for(200));
    within += decoder.decoded() ? 1u : 0u;
  }
  EXPECT_GE(within, 57u) << "of 60 runs decoded with symbols_for(200) = " << symbols_for(200);
}

TEST(CodedSymbols, TellHowLargeTheDifferenceIsBeforeTheyDecode) {
  SeededRandom random(5);
  for (const auto& [theirs, ours] : {std::pair(2000u, 0u), std::pair(0u, 2000u), std::pair(1000u, 1000u)}) {
    SymbolEncoder encoder(draw(theirs, random), 1);
    SymbolDecoder decoder(draw(ours, random), 1);
    EXPECT_EQ(decoder.estimate(), 0);
    stream(encoder, decoder, 128, 128);
    ASSERT_FALSE(decoder.decoded());
    EXPECT_GT(decoder.estimate(), 1000);
    EXPECT_LT(decoder.estimate(), 4000);
  }
}

TEST(CodedSymbols, DependOnTheSalt) {
  SeededRandom random(6);
  const Items items = draw(100, random);
  EXPECT_NE(SymbolEncoder(items, 1).next(64), SymbolEncoder(items, 2).next(64));
}

// Whatever a remote sends, the decoder ends, and its work stays within what it was sent.
TEST(CodedSymbols, OfALiarAreGivenUp) {
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const std::uint64_t salt = random.u64();
    SymbolDecoder decoder(draw(20, random), salt);
    // One honest symbol each of sets that have nothing to do with each other: many are pure, and contradict each other.
    std::vector<CodedSymbol> symbols;
    for (std::size_t i = 0; i < 50; ++i) symbols.push_back(SymbolEncoder(draw(1, random), salt).next(1).front());
    for (CodedSymbol& symbol : symbols) symbol.count = random.below(2) == 0 ? 1 : -1;
    for (int round = 0; round < 4; ++round) {
      const Status added = decoder.add(symbols);
      EXPECT_LE(decoder.theirs().size() + decoder.only_ours().size(), decoder.received());
      if (added) continue;
      EXPECT_EQ(added.error().code, ErrorCode::Protocol);
      ++refused;
      break;
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(CodedSymbols, ThatNoSetHasAreMalformed) {
  EXPECT_EQ(unpack_symbols(Bytes(11), 0, 0).error().code, ErrorCode::Malformed);
  EXPECT_EQ(unpack_symbols(Bytes(12), 0, 0).error().code, ErrorCode::Malformed);
  Bytes without_end(12);
  without_end.insert(without_end.end(), 10, 0xff);
  EXPECT_EQ(unpack_symbols(without_end, 0, 0).error().code, ErrorCode::Malformed);
  Bytes counts_too_many(12);
  counts_too_many.insert(counts_too_many.end(), {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01});
  EXPECT_EQ(unpack_symbols(counts_too_many, 0, 0).error().code, ErrorCode::Malformed);
}

TEST(CodedSymbols, NeverCountBeyondWhatANumberHolds) {
  CodedSymbol symbol{1, 2, -5};
  for (std::size_t size : {std::size_t{0}, std::size_t{1'000'000}}) {
    const auto back = unpack_symbols(pack_symbols({&symbol, 1}, 9, size), 9, size);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->front(), symbol);
  }
}

TEST(ItemLists, ComeBackAsTheyWere) {
  SeededRandom random(8);
  for (std::size_t count : {0u, 1u, 2u, 100u}) {
    const Items items = sorted(draw(count, random));
    EXPECT_EQ(unpack_items(pack_items(items, 0), 0).value(), items);
  }
  const Items ends{1, 2, std::numeric_limits<std::uint64_t>::max()};
  EXPECT_EQ(unpack_items(pack_items(ends, 0), 0).value(), ends);
  const Items later{11, 12};
  EXPECT_EQ(unpack_items(pack_items(later, 10), 10).value(), later);
}

TEST(ItemLists, BeyondTheLastItemAreMalformed) {
  const Items last{std::numeric_limits<std::uint64_t>::max()};
  Bytes packed = pack_items(last, 0);
  packed.push_back(0);
  EXPECT_EQ(unpack_items(packed, 0).error().code, ErrorCode::Malformed);
  EXPECT_EQ(unpack_items(Bytes{0x80}, 0).error().code, ErrorCode::Malformed);
  EXPECT_EQ(unpack_items(Bytes(10, 0xff), 0).error().code, ErrorCode::Malformed);
}

}  // namespace
}  // namespace fermata::sync
