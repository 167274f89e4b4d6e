// The gap ledger as the verbs pass it on: {"begin_ms","length_ms","cause","changes_unsent","changes_missed",
// "catch_up_ms"} each, times in milliseconds, `begin_ms` since 1970; length and catch_up null while unknown.
#pragma once

#include <fermata/peer.hpp>
#include <string>

namespace fermata::cli {

// {"gaps":[…]} of a database that this process has open. Errors: as recorded_gaps.
[[nodiscard]] Result<Map> gaps_of(Database& database);

// One line a gap, and a summary by cause.
[[nodiscard]] std::string gaps_table(const Array& gaps);
// A lane for each cause, over the time from the first gap to the last.
[[nodiscard]] std::string gaps_svg(const Array& gaps);

}  // namespace fermata::cli
