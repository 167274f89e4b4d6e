#include "crdt/codec.hpp"

#include <fmt/format.h>

#include "crdt/shape.hpp"

namespace fermata::crdt {
namespace {

constexpr unsigned kMajorUint = 0;
constexpr unsigned kMajorBytes = 2;
constexpr unsigned kMajorText = 3;
constexpr unsigned kMajorMap = 5;

bool next_is(const CborReader& in, unsigned major) {
  return !in.at_end() && in.rest().front() >> 5U == major;
}

}  // namespace

std::size_t CommitTable::index_of(const CommitRow& row) {
  if (last_ < rows_.size() && rows_[last_] == row) return last_;
  const auto [at, is_new] = index_.try_emplace(row, rows_.size());
  if (is_new) rows_.push_back(row);
  return last_ = at->second;
}

void write_path(const Path& path, CborWriter& out) {
  if (path.size() != 1) out.array(path.size());
  for (const std::string& name : path) out.text(name);
}

bool next_is_map(const CborReader& in) {
  return next_is(in, kMajorMap);
}

bool next_is_text(const CborReader& in) {
  return next_is(in, kMajorText);
}

bool next_is_bytes(const CborReader& in) {
  return next_is(in, kMajorBytes);
}

bool next_is_uint(const CborReader& in) {
  return next_is(in, kMajorUint);
}

void FieldReader::fault(ErrorCode code, std::string_view why) {
  if (!error_) error_ = Error{code, fmt::format("{}: {}", what_, why)};
}

void FieldReader::spend(std::size_t& items_left, std::size_t items) {
  if (items > items_left) return fault(ErrorCode::LimitExceeded, "more values than one message may hold");
  items_left -= items;
}

std::uint64_t FieldReader::uint(std::uint64_t least, std::uint64_t most, const char* name) {
  if (!ok()) return least;
  const std::uint64_t number = take(in_.uint());
  if (ok() && number >= least && number <= most) return number;
  fault(ErrorCode::Malformed, fmt::format("{} is {}, which is not between {} and {}", name, number, least, most));
  return least;
}

std::uint64_t FieldReader::moved(std::uint64_t from, std::int64_t least, std::int64_t most, const char* name) {
  const std::int64_t by = ok() ? take(in_.integer()) : 0;
  const auto base = static_cast<std::int64_t>(from);
  if (ok() && by >= least - base && by <= most - base) return static_cast<std::uint64_t>(base + by);
  fault(ErrorCode::Malformed, fmt::format("{} is moved by {} from {}, out of its range", name, by, from));
  return static_cast<std::uint64_t>(least);
}

std::string FieldReader::text() {
  return ok() ? std::string(take(in_.text())) : std::string();
}

ByteView FieldReader::bytes() {
  return ok() ? take(in_.bytes()) : ByteView();
}

std::size_t FieldReader::array() {
  return ok() ? take(in_.array()) : 0;
}

std::size_t FieldReader::array_of_rows(std::size_t width) {
  const std::size_t count = array();
  if (count % width != 0) fault(ErrorCode::Malformed, fmt::format("{} items are no rows of {}", count, width));
  return ok() ? count / width : 0;
}

std::size_t FieldReader::map() {
  return ok() ? take(in_.map()) : 0;
}

Path FieldReader::path() {
  if (!ok()) return {};
  if (next_is(in_, kMajorText)) return {text()};
  const std::size_t count = array();
  if (count < 2) fault(ErrorCode::Malformed, "a path in an array has at least two names");
  if (count > kMaxDepth) fault(ErrorCode::LimitExceeded, fmt::format("a path of {} names is too deep", count));
  Path path;
  for (std::size_t i = 0; i < count && ok(); ++i) path.push_back(text());
  return path;
}

Value FieldReader::value(std::size_t depth) {
  std::size_t unlimited = SIZE_MAX;
  return value(depth, unlimited);
}

Value FieldReader::value(std::size_t depth, std::size_t& items_left) {
  if (ok() && next_is_map(in_)) fault(ErrorCode::Malformed, "a register's value is a map");
  if (!ok()) return {};
  Value value = take(in_.value(items_left));
  if (exceeds_depth(depth, value)) fault(ErrorCode::LimitExceeded, "a value nests too deep");
  return value;
}

Dot FieldReader::dot() {
  const ActorId actor = uint(0, UINT64_MAX, "an actor");
  return Dot{actor, uint(1, INT64_MAX, "a sequence number")};
}

Stamp FieldReader::stamp() {
  return Stamp{uint(0, kMaxStamp.value, "a stamp")};
}

std::uint64_t FieldReader::register_life() {
  const std::uint64_t life = uint(1, kMaxLife, "a register's life");
  if (life % 2 == 0)
    fault(ErrorCode::Malformed, fmt::format("a register was written in {}, a life that is none", life));
  return life;
}

Totals FieldReader::totals() {
  if (array() != 2) fault(ErrorCode::Malformed, "a share of a counter is not a pair");
  Totals totals;
  totals.up = static_cast<std::int64_t>(uint(0, INT64_MAX, "what was counted up"));
  totals.down = static_cast<std::int64_t>(uint(0, INT64_MAX, "what was counted down"));
  return totals;
}

}  // namespace fermata::crdt
