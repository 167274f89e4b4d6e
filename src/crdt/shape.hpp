// How deep things nest, and where. Internal to crdt.
#pragma once

#include "crdt/document.hpp"

namespace fermata::crdt {

// Whether `value`, standing at a path of `depth` names, nests a document deeper than kMaxDepth levels. The document
// itself is the first level. Looks no further than the limit, so it is safe on any value.
[[nodiscard]] bool exceeds_depth(std::size_t depth, const Value& value);

// A path as messages name it.
[[nodiscard]] std::string dotted(const Path& path);

}  // namespace fermata::crdt
