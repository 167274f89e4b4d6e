// Several statements as one: a Transaction that is kept whole or not at all, and a Snapshot that stands still.
#pragma once

#include <fermata/query_result.hpp>
#include <memory>
#include <string_view>

namespace fermata {

// Inside Database::transaction(). For the thread and the time of that call only.
class Transaction {
 public:
  // Any statement; it sees what those before it have written, and nobody else does before the end. Errors: as
  // Database::execute. After an error nothing of the transaction will be kept, and every further call fails with the
  // same error: return it.
  [[nodiscard]] Result<QueryResult> execute(std::string_view statement, const Map& parameters = {});

  struct State;  // not part of the interface
  explicit Transaction(State& state) : state_(state) {}

 private:
  State& state_;
};

// Inside Database::snapshot(). For the thread and the time of that call only.
class Snapshot {
 public:
  // SELECT, EXPLAIN or SHOW, of the database as it was when the snapshot began. Errors: as Database::execute;
  // InvalidArgument for a statement that writes.
  [[nodiscard]] Result<QueryResult> execute(std::string_view statement, const Map& parameters = {}) const;

  struct State;  // not part of the interface
  explicit Snapshot(State& state) : state_(state) {}

 private:
  State& state_;
};

}  // namespace fermata
