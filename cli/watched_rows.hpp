// The rows of a live query, and what of them has changed since somebody asked.
#pragma once

#include <fermata/database.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace fermata::cli {

// Holds each row once, and once more what was told of a row that has changed since, so however late the next take() is
// there is never more than two results. Not thread-safe.
class WatchedRows {
 public:
  // The next result. Costs what has changed, and a pointer for each row if rows came, went or moved.
  void apply(const ResultChange& change);

  // {"op":"delete"|"insert"|"update","document":{…}} for each difference to what was taken last: deletes first, with
  // the state that was told, then the others in the order of the result. A row that says no "_id" is not updated: what
  // was told of it is deleted, and what it is now inserted. At first everything is an insert.
  [[nodiscard]] std::vector<Map> take();

 private:
  enum class State : std::uint8_t { Told, Changed, New, Gone };
  struct Row {
    Map document;
    std::size_t index = 0;
    State state = State::New;
    Map told;  // of a row that is Changed
  };
  using Rows = std::vector<std::shared_ptr<Row>>;

  void rearrange(const ResultChange& change);
  void remove(Row& row);
  void forget_gone();
  void update(const std::shared_ptr<Row>& row, const Map& document);

  Rows rows_;
  Rows touched_;           // that are, or were, Changed or New
  std::vector<Map> gone_;  // what was told of rows that are no more
};

}  // namespace fermata::cli
