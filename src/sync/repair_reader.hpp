// Reads the messages of sync/repair_messages.hpp; errors are kept by `in`. Private to the codec.
#pragma once

#include "sync/fields.hpp"
#include "sync/messages.hpp"
#include "sync/wire.hpp"

namespace fermata::sync {

[[nodiscard]] DigestOf read_digest_of(Fields& in, std::size_t fields);
[[nodiscard]] Stand read_stand(Fields& in, std::size_t fields);
[[nodiscard]] Match read_match(Fields& in, std::size_t fields);
[[nodiscard]] Symbols read_symbols(Fields& in, std::size_t fields);
[[nodiscard]] Items read_items(Fields& in, std::size_t fields);
[[nodiscard]] Resolve read_resolve(Fields& in, std::size_t fields);
[[nodiscard]] Resolved read_resolved(Fields& in, std::size_t fields);

}  // namespace fermata::sync
