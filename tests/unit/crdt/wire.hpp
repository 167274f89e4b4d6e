// One delta as the first batch of a link.
#pragma once

#include "crdt/delta_codec.hpp"

namespace fermata::crdt {

inline constexpr DeltaReader::Limits kNoLimits{SIZE_MAX, SIZE_MAX};

inline Bytes wire(const Delta& delta) {
  DeltaWriter writer;
  writer.add(delta);
  CborWriter out;
  writer.take(out);
  return out.take();
}

inline Result<Delta> unwired(CborReader& in) {
  auto deltas = DeltaReader().read(in, kNoLimits);
  if (!deltas) return fail(std::move(deltas.error()));
  if (deltas->size() != 1) return fail(ErrorCode::Malformed, "not one delta");
  return std::move(deltas->front());
}

inline Result<Delta> unwired(ByteView bytes) {
  CborReader in(bytes);
  return unwired(in);
}

}  // namespace fermata::crdt
