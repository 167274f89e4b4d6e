#include <fermata/peer.hpp>

#include "lifecycle/gap_ledger.hpp"
#include "peer/participant.hpp"
#include "query/database_impl.hpp"

namespace fermata {

Result<std::vector<Gap>> recorded_gaps(Database& database) {
  const auto text = store_of(database).recall(kGapsKey);
  if (!text) return fail(text.error());
  auto gaps = lifecycle::gaps_in(*text);
  if (gaps.empty() && !text->empty() && *text != lifecycle::GapLedger().encode()) {
    return fail(ErrorCode::Corrupt,
                "the record of gaps in this database cannot be read; it begins anew with the next sync");
  }
  return gaps;
}

}  // namespace fermata
