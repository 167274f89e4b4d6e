// What the two encodings of registers share: the table of commits and the reading of untrusted fields.
// Internal to crdt.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crdt/counter.hpp"
#include "crdt/document.hpp"

namespace fermata::crdt {

// What all registers of one commit have in common.
struct CommitRow {
  Dot dot;
  Stamp stamp;
  std::uint64_t life = 0;
  LocalMark mark;  // zero on the wire
  friend auto operator<=>(const CommitRow&, const CommitRow&) = default;
};

// The distinct commits of a document, numbered in the order in which they first occur.
class CommitTable {
 public:
  std::size_t index_of(const CommitRow& row);
  [[nodiscard]] const std::vector<CommitRow>& rows() const { return rows_; }

 private:
  std::vector<CommitRow> rows_;
  std::map<CommitRow, std::size_t> index_;
  std::size_t last_ = 0;  // neighbours mostly are of one commit
};

// A path of one name is written as that name, any other as an array of names.
void write_path(const Path& path, CborWriter& out);
[[nodiscard]] bool next_is_map(const CborReader& in);
[[nodiscard]] bool next_is_text(const CborReader& in);
[[nodiscard]] bool next_is_bytes(const CborReader& in);
[[nodiscard]] bool next_is_uint(const CborReader& in);

// Reads fields that somebody else wrote. The first fault sticks: from then on every call returns an empty value and
// consumes nothing, so that callers look once, at the end. Loops must run over counts read here, or test `ok()`.
class FieldReader {
 public:
  FieldReader(CborReader& in, std::string what) : in_(in), what_(std::move(what)) {}

  [[nodiscard]] std::uint64_t uint(std::uint64_t least, std::uint64_t most, const char* name);
  // A number that is told as its difference to another.
  [[nodiscard]] std::uint64_t moved(std::uint64_t from, std::int64_t least, std::int64_t most, const char* name);
  [[nodiscard]] std::string text();
  [[nodiscard]] ByteView bytes();
  [[nodiscard]] std::size_t array();
  [[nodiscard]] std::size_t array_of_rows(std::size_t width);  // the number of rows
  [[nodiscard]] std::size_t map();
  [[nodiscard]] Path path();
  [[nodiscard]] Value value(std::size_t depth);  // for a register at a path of `depth` names; never a map
  // Takes one off `items_left` for each value in it. Faults also with LimitExceeded.
  [[nodiscard]] Value value(std::size_t depth, std::size_t& items_left);
  [[nodiscard]] Dot dot();
  [[nodiscard]] Stamp stamp();
  [[nodiscard]] std::uint64_t register_life();
  [[nodiscard]] Totals totals();  // [up, down]

  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] Error& error() { return *error_; }
  void fault(ErrorCode code, std::string_view why);
  // LimitExceeded if there are not as many left.
  void spend(std::size_t& items_left, std::size_t items);
  [[nodiscard]] CborReader& in() { return in_; }
  // The item's value, or an empty one after noting the fault.
  template <class T>
  [[nodiscard]] T take(Result<T> item) {
    if (item) return *std::move(item);
    fault(item.error().code, item.error().message);
    return T{};
  }

 private:
  CborReader& in_;
  std::string what_;
  std::optional<Error> error_;
};

}  // namespace fermata::crdt
