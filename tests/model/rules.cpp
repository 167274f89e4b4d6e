#include "model/rules.hpp"

#include <array>

namespace fermata::model {

std::string_view name_of(Defect defect) {
  static constexpr std::array<std::string_view, std::size_t(Defect::Count)> kNames{
      "none",
      "cursor off by one",
      "base ignored",
      "before-match ignored",
      "leavers not named",
      "held range folded",
      "superseded copy not told",
      "purge without horizon",
      "horizon passed early",
      "absence always judged dead",
      "absence never judged dead",
      "part of a collection judges",
      "drop without a trace",
      "stale device drops",
      "partial document merged",
      "echo withheld from nothing",
      "answer without echo",
      "unrecognisable purged",
      "known by a partial holder",
      "known before level",
      "forgotten lives purged",
      "dead not told",
      "life reused",
      "evict keeps cursors",
      "evict keeps what is known",
      "evict what is wanted",
  };
  return kNames[std::size_t(defect)];
}

}  // namespace fermata::model
