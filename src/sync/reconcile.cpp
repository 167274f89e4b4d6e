#include "sync/reconcile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace fermata::sync {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;
constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

// The finaliser of SplitMix64: a bijection in which every bit depends on every bit.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint32_t check_of(std::uint64_t item, std::uint64_t salt) {
  return static_cast<std::uint32_t>(mix((item + kGolden) ^ mix(salt)) >> 32);
}

// The place after `place`, for the `step`-th draw. From place i the next one is beyond m with probability
// (i + 1)(i + 2) / ((m + 1)(m + 2)), the product of all 1 - 1 / (1 + k / 2) between; so a uniform u is mapped to the
// smallest m > i at which that is no more than u. Only operations that IEEE 754 rounds exactly: all machines agree.
std::uint32_t place_after(std::uint32_t place, std::uint64_t seed, std::uint32_t step) {
  const std::uint64_t drawn = mix(seed + (std::uint64_t{step} + 1) * kGolden);
  const double u = static_cast<double>((drawn >> 11) + 1) * 0x1p-53;
  const double i = static_cast<double>(place);
  const double beyond = (i + 1) * (i + 2) / u;
  const double next = std::ceil(std::sqrt(beyond + 0.25) - 1.5);
  if (!(next < static_cast<double>(kNever))) return kNever;
  return std::max(place + 1, static_cast<std::uint32_t>(next));
}

std::int64_t expected_count(std::size_t place, std::size_t set_size) {
  return static_cast<std::int64_t>(2 * set_size / (place + 2));
}

void put_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

struct Reader {
  ByteView rest;

  Result<std::uint64_t> big_endian(std::size_t bytes) {
    if (rest.size() < bytes) return fail(ErrorCode::Malformed, "coded symbols end in the middle of one");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | rest[i];
    rest = rest.subspan(bytes);
    return value;
  }
  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      const std::uint8_t byte = rest.front();
      rest = rest.subspan(1);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return fail(ErrorCode::Malformed, "a number in a list of items does not end where it should");
  }
};

}  // namespace

SymbolSource::SymbolSource(const std::vector<std::uint64_t>& items, std::uint64_t salt) : salt_(salt) {
  entries_.reserve(items.size());
  for (std::uint64_t item : items) entries_.push_back({item, 0, 0});
}

void SymbolSource::add_next(std::span<CodedSymbol> symbols, std::int64_t sign) {
  const std::uint32_t end = begin_ + static_cast<std::uint32_t>(symbols.size());
  for (Entry& entry : entries_) {
    if (entry.next >= end) continue;
    const std::uint64_t seed = mix(entry.item ^ salt_);
    const std::uint32_t check = check_of(entry.item, salt_);
    while (entry.next < end) {
      CodedSymbol& symbol = symbols[entry.next - begin_];
      symbol.sum ^= entry.item;
      symbol.check ^= check;
      symbol.count += sign;
      entry.next = place_after(entry.next, seed, entry.step++);
    }
  }
  begin_ = end;
}

std::vector<CodedSymbol> SymbolEncoder::next(std::size_t count) {
  std::vector<CodedSymbol> symbols(count);
  source_.add_next(symbols, 1);
  produced_ += count;
  return symbols;
}

bool SymbolDecoder::is_pure(const CodedSymbol& symbol) const {
  return (symbol.count == 1 || symbol.count == -1) && symbol.check == check_of(symbol.sum, salt_);
}

bool SymbolDecoder::decoded() const {
  return !symbols_.empty() && symbols_.front() == CodedSymbol{};
}

Status SymbolDecoder::add(std::span<const CodedSymbol> symbols) {
  if (symbols.size() > kMaxSymbols - symbols_.size())
    return fail(ErrorCode::LimitExceeded, "the peer sent more coded symbols than any difference needs");
  const std::size_t old = symbols_.size();
  symbols_.insert(symbols_.end(), symbols.begin(), symbols.end());
  const std::span<CodedSymbol> fresh = std::span(symbols_).subspan(old);
  ours_.add_next(fresh, -1);
  found_theirs_.salt_ = found_ours_.salt_ = salt_;
  found_theirs_.add_next(fresh, -1);
  found_ours_.add_next(fresh, 1);
  for (std::size_t i = old; i < symbols_.size(); ++i) {
    if (is_pure(symbols_[i])) pure_.push_back(static_cast<std::uint32_t>(i));
  }
  return peel();
}

Status SymbolDecoder::peel() {
  while (!pure_.empty()) {
    const CodedSymbol symbol = symbols_[pure_.back()];
    pure_.pop_back();
    if (!is_pure(symbol)) continue;
    // Each item that is really there leaves a symbol behind for good; an invented one can come back for ever.
    if (theirs_.size() + only_ours_.size() >= symbols_.size())
      return fail(ErrorCode::Protocol, "the peer's coded symbols are not those of a set");
    (symbol.count > 0 ? theirs_ : only_ours_).push_back(symbol.sum);
    take_out(symbol.sum, symbol.count);
  }
  return {};
}

void SymbolDecoder::take_out(std::uint64_t item, std::int64_t sign) {
  const std::uint64_t seed = mix(item ^ salt_);
  const std::uint32_t check = check_of(item, salt_);
  SymbolSource::Entry entry{item, 0, 0};
  while (entry.next < symbols_.size()) {
    CodedSymbol& symbol = symbols_[entry.next];
    symbol.sum ^= item;
    symbol.check ^= check;
    // A remote chooses the counts; it must not make ours overflow.
    symbol.count =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(symbol.count) - static_cast<std::uint64_t>(sign));
    if (is_pure(symbol)) pure_.push_back(entry.next);
    entry.next = place_after(entry.next, seed, entry.step++);
  }
  (sign > 0 ? found_theirs_ : found_ours_).entries_.push_back(entry);
}

double SymbolDecoder::estimate() const {
  // Symbol 0 holds every differing item, so its count is (theirs - ours). In symbol i each item stands with probability
  // p: the count has mean p × that, and variance p (1 - p) × (how many differ). What was peeled out is known already.
  double scatter = 0;
  double weight = 0;
  const double balance = symbols_.empty() ? 0 : static_cast<double>(symbols_.front().count);
  for (std::size_t i = 1; i < symbols_.size(); ++i) {
    const double p = 2.0 / (static_cast<double>(i) + 2.0);
    const double off = static_cast<double>(symbols_[i].count) - p * balance;
    scatter += off * off / (p * (1 - p));
    weight += 1;
  }
  const double known = static_cast<double>(theirs_.size() + only_ours_.size());
  return known + (weight == 0 ? std::abs(balance) : std::max(scatter / weight, std::abs(balance)));
}

std::size_t symbols_for(double difference) {
  return static_cast<std::size_t>(std::ceil(1.36 * difference + 3.5 * std::sqrt(difference) + 8));
}

Bytes pack_symbols(std::span<const CodedSymbol> symbols, std::size_t first, std::size_t set_size) {
  Bytes out;
  out.reserve(symbols.size() * 14);
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(symbols[i].sum >> shift));
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(symbols[i].check >> shift));
    const std::int64_t off = symbols[i].count - expected_count(first + i, set_size);
    put_varint(out, static_cast<std::uint64_t>(off) << 1 ^ static_cast<std::uint64_t>(off >> 63));
  }
  return out;
}

Result<std::vector<CodedSymbol>> unpack_symbols(ByteView bytes, std::size_t first, std::size_t set_size) {
  std::vector<CodedSymbol> symbols;
  symbols.reserve(bytes.size() / 13);
  Reader reader{bytes};
  while (!reader.rest.empty()) {
    const auto sum = reader.big_endian(8);
    if (!sum) return fail(sum.error());
    const auto check = reader.big_endian(4);
    if (!check) return fail(check.error());
    const auto zigzag = reader.varint();
    if (!zigzag) return fail(zigzag.error());
    const std::uint64_t off = *zigzag >> 1 ^ (0 - (*zigzag & 1));
    // No set has 2^40 items; beyond it sums could overflow.
    const auto count =
        static_cast<std::int64_t>(off + static_cast<std::uint64_t>(expected_count(first + symbols.size(), set_size)));
    if (count > std::int64_t{1} << 40 || count < -(std::int64_t{1} << 40))
      return fail(ErrorCode::Malformed, "a coded symbol counts more items than any set has");
    symbols.push_back({*sum, static_cast<std::uint32_t>(*check), count});
  }
  return symbols;
}

Bytes pack_items(std::span<const std::uint64_t> items, std::uint64_t above) {
  Bytes out;
  out.reserve(items.size() * 7);
  for (std::uint64_t item : items) {
    put_varint(out, item - above - 1);
    above = item;
  }
  return out;
}

Result<std::vector<std::uint64_t>> unpack_items(ByteView bytes, std::uint64_t above) {
  std::vector<std::uint64_t> items;
  items.reserve(bytes.size() / 5);
  Reader reader{bytes};
  while (!reader.rest.empty()) {
    const auto step = reader.varint();
    if (!step) return fail(step.error());
    if (*step >= std::numeric_limits<std::uint64_t>::max() - above)
      return fail(ErrorCode::Malformed, "a list of items goes beyond the last one that there can be");
    above += *step + 1;
    items.push_back(above);
  }
  return items;
}

}  // namespace fermata::sync
