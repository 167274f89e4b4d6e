// Bytes to documents: a stored row, and deltas that merge into it. Whatever decodes must be as good as our own.
#include "check.hpp"
#include "crdt/delta_codec.hpp"
#include "steps.hpp"

namespace fermata::crdt {
namespace {

void use(const Document& document) {
  const auto again = Document::decode(document.encode_body(), document.encode_metadata());
  FUZZ_EXPECT(again.has_value());
  FUZZ_EXPECT(again->fingerprint() == document.fingerprint());
  FUZZ_EXPECT(again->encode_metadata() == document.encode_metadata());
  FUZZ_EXPECT(encode_value(document.view()) == document.encode_body());
}

void merge_both_ways(const std::vector<Delta>& deltas) {
  Document forth, back;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    forth.merge(deltas[i], {i + 1, 1});
    back.merge(deltas[deltas.size() - 1 - i], {i + 1, 1});
  }
  FUZZ_EXPECT(forth.fingerprint() == back.fingerprint());
  for (const Delta& delta : deltas) FUZZ_EXPECT(!forth.merge(delta, {99, 1}));
  use(forth);
}

}  // namespace
}  // namespace fermata::crdt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fermata;
  fuzz::Steps steps({data, size});
  const auto body = steps.next();
  const auto metadata = steps.next();
  if (!body || !metadata) return 0;
  if (const auto document = crdt::Document::decode(body->bytes, metadata->bytes)) crdt::use(*document);
  crdt::DeltaReader reader;
  std::vector<crdt::Delta> deltas;
  while (const auto step = steps.next()) {
    CborReader in(step->bytes);
    auto read = reader.read(in, {1000, 10000});
    if (!read) break;
    for (crdt::Delta& delta : *read) deltas.push_back(std::move(delta));
  }
  if (deltas.size() <= 64) crdt::merge_both_ways(deltas);
  return 0;
}
