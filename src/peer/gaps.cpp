#include <fermata/peer.hpp>

#include "lifecycle/gap_ledger.hpp"
#include "query/database_impl.hpp"

namespace fermata {

Result<std::vector<Gap>> recorded_gaps(Database& database) {
  const auto text = store_of(database).recall("gaps");
  if (!text) return fail(text.error());
  return lifecycle::gaps_in(*text);
}

}  // namespace fermata
