// Finds the difference of two sets of 64-bit items (hashes of document versions) at a price that follows the
// difference, not the sets: rateless invertible Bloom look-up tables (Yang, Gilad, Alizadeh, SIGCOMM 2024). The one
// side streams coded symbols of its set; the other subtracts its own, and peels the difference out of what remains as
// soon as there are about 1.4 symbols per differing item. No symbol is ever useless, and none depends on how many will
// follow.
//
// Symbol i is a sum over the items mapped to it; an item is mapped to symbol 0, and to symbol i with probability
// 1 / (1 + i / 2), by a sequence that both sides draw from the item and a salt. The salt is chosen anew for each run,
// so that nobody can prepare documents whose versions do not peel.
//
// Pure. No thread rule. Bytes from a remote cost at most what they weigh; a remote that lies makes the decoder give up
// or find a wrong difference, which its caller must check against the digest of the remote's set.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace fermata::sync {

struct CodedSymbol {
  std::uint64_t sum = 0;    // exclusive or of the items
  std::uint32_t check = 0;  // exclusive or of a hash of each item
  std::int64_t count = 0;   // of items; of a difference: theirs minus ours
  friend bool operator==(const CodedSymbol&, const CodedSymbol&) = default;
};

// A set that symbols are made of, range after range. Takes 16 bytes per item.
class SymbolSource {
 public:
  SymbolSource() = default;
  // Items need not be sorted or distinct; each occurrence counts.
  SymbolSource(const std::vector<std::uint64_t>& items, std::uint64_t salt);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Adds every item to its places among `symbols`, which stand for the `symbols.size()` ones after all those that
  // earlier calls were given. `sign` is 1 or -1.
  void add_next(std::span<CodedSymbol> symbols, std::int64_t sign);

 private:
  friend class SymbolDecoder;
  struct Entry {
    std::uint64_t item = 0;
    std::uint32_t next = 0;  // the first symbol it has not been added to
    std::uint32_t step = 0;  // how often it was drawn for
  };

  std::vector<Entry> entries_;
  std::uint64_t salt_ = 0;
  std::uint32_t begin_ = 0;  // of the next range
};

class SymbolEncoder {
 public:
  SymbolEncoder(const std::vector<std::uint64_t>& items, std::uint64_t salt) : source_(items, salt) {}
  // The next `count` symbols. They may be at most kMaxSymbols in all.
  [[nodiscard]] std::vector<CodedSymbol> next(std::size_t count);
  [[nodiscard]] std::size_t produced() const { return produced_; }
  [[nodiscard]] std::size_t items() const { return source_.size(); }

 private:
  SymbolSource source_;
  std::size_t produced_ = 0;
};

class SymbolDecoder {
 public:
  SymbolDecoder(const std::vector<std::uint64_t>& ours, std::uint64_t salt) : ours_(ours, salt), salt_(salt) {}

  // Takes the remote's next symbols. Error: Protocol if they cannot be of any set (more was peeled than there are
  // symbols), LimitExceeded beyond kMaxSymbols; the decoder is of no use then.
  [[nodiscard]] Status add(std::span<const CodedSymbol> symbols);
  [[nodiscard]] bool decoded() const;
  [[nodiscard]] std::size_t received() const { return symbols_.size(); }

  // About how many items differ, from the symbols so far: their counts scatter by the square root of it. With k symbols
  // the estimate is off by about sqrt(2 / k) of itself; 0 symbols give 0.
  [[nodiscard]] double estimate() const;

  // Once decoded: what only they have, what only we have. Unsorted.
  [[nodiscard]] const std::vector<std::uint64_t>& theirs() const { return theirs_; }
  [[nodiscard]] const std::vector<std::uint64_t>& only_ours() const { return only_ours_; }

 private:
  [[nodiscard]] bool is_pure(const CodedSymbol& symbol) const;
  [[nodiscard]] Status peel();
  void take_out(std::uint64_t item, std::int64_t sign);

  SymbolSource ours_;
  std::uint64_t salt_ = 0;
  SymbolSource found_theirs_, found_ours_;  // go on into the symbols that come later
  std::vector<CodedSymbol> symbols_;        // received, without ours and without what was found
  std::vector<std::uint32_t> pure_;         // may hold places that no longer are
  std::vector<std::uint64_t> theirs_, only_ours_;
};

// What one run may cost: 12 bytes and a count each on the wire, 24 in memory.
inline constexpr std::size_t kMaxSymbols = std::size_t{1} << 24;

// Symbols that decode a difference of this size but for one time in some hundreds.
[[nodiscard]] std::size_t symbols_for(double difference);

// --- bytes (docs/PROTOCOL.md) ---

// Per symbol: sum (8, big endian), check (4, big endian), count - expected count (zigzag varint), where a set of
// `set_size` items is expected to have 2 × set_size / (i + 2), rounded down, in symbol i.
[[nodiscard]] Bytes pack_symbols(std::span<const CodedSymbol> symbols, std::size_t first, std::size_t set_size);
// Error: Malformed.
[[nodiscard]] Result<std::vector<CodedSymbol>> unpack_symbols(ByteView bytes, std::size_t first, std::size_t set_size);

// A sorted run of distinct items as varints: what each is above the one before it (the first: above `above`), minus 1.
[[nodiscard]] Bytes pack_items(std::span<const std::uint64_t> items, std::uint64_t above);
// Error: Malformed, also if an item would be beyond 64 bits.
[[nodiscard]] Result<std::vector<std::uint64_t>> unpack_items(ByteView bytes, std::uint64_t above);

}  // namespace fermata::sync
