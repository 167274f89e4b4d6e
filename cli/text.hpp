// Text for people, above all of what others wrote: names of peers and collections, files, messages about them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fermata::cli {

[[nodiscard]] bool is_utf8(std::string_view text);

// What is safe to show on a terminal: control characters (below 0x20, 0x7F to 0x9F) and bytes that are no UTF-8 become
// \xNN. Those in `kept` stay.
[[nodiscard]] std::string printable(std::string_view text, std::string_view kept = {});

// The same for a line of JSON, which stays equal JSON: what to_json leaves as it is, 0x7F to 0x9F, becomes \u00NN.
[[nodiscard]] std::string printable_json(std::string_view json);

// So many of something: "1 document", "2 documents".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view one);

}  // namespace fermata::cli
