// Coded symbols and lists of items from a remote that may say anything.
#include <algorithm>

#include "check.hpp"
#include "steps.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {
namespace {

constexpr std::size_t kMaxSymbolsHere = 4096;

std::vector<std::uint64_t> some_items(ByteView bytes) {
  std::vector<std::uint64_t> items;
  for (const std::uint8_t byte : bytes) items.push_back(0x9e3779b97f4a7c15u * (byte + 1u));
  return items;
}

void lists(ByteView bytes) {
  const auto items = unpack_items(bytes, bytes.size());
  if (!items || items->empty()) return;
  FUZZ_EXPECT(std::is_sorted(items->begin(), items->end()));
  const auto again = unpack_items(pack_items(*items, bytes.size()), bytes.size());
  FUZZ_EXPECT(again.has_value() && *again == *items);
}

// A remote that says what it likes, and one that is honest.
void symbols(ByteView ours, ByteView bytes) {
  SymbolDecoder decoder(some_items(ours), 7);
  const auto unpacked = unpack_symbols(bytes, 0, bytes.size());
  if (unpacked && unpacked->size() <= kMaxSymbolsHere) {
    FUZZ_EXPECT(unpack_symbols(pack_symbols(*unpacked, 0, bytes.size()), 0, bytes.size()).value() == *unpacked);
    if (decoder.add(*unpacked) && decoder.decoded())
      FUZZ_EXPECT(decoder.theirs().size() + decoder.only_ours().size() <= 2 * unpacked->size());
  }
  SymbolDecoder honest(some_items(ours), 7);
  const std::vector<std::uint64_t> theirs = some_items(bytes.first(std::min<std::size_t>(bytes.size(), 64)));
  SymbolEncoder encoder(theirs, 7);
  for (int i = 0; i < 12 && !honest.decoded(); ++i) FUZZ_EXPECT(honest.add(encoder.next(16)).has_value());
}

}  // namespace
}  // namespace fermata::sync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fermata;
  fuzz::Steps steps({data, size});
  const auto ours = steps.next();
  if (!ours || ours->bytes.size() > 512) return 0;
  while (const auto step = steps.next()) {
    if (step->what % 2 == 0) {
      sync::lists(step->bytes);
    } else {
      sync::symbols(ours->bytes, step->bytes);
    }
  }
  return 0;
}
