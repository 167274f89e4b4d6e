// Reads the messages about attachments. Private to the codec.
#pragma once

#include "sync/attachment_messages.hpp"
#include "sync/fields.hpp"

namespace fermata::sync {

[[nodiscard]] Fetch read_fetch(Fields& in, std::size_t fields);
[[nodiscard]] Part read_part(Fields& in, std::size_t fields);
[[nodiscard]] Have read_have(Fields& in, std::size_t fields);

}  // namespace fermata::sync
