// What an app does with a ResultDiff, and what it must then have.
#pragma once

#include <fermata/database.hpp>

#include <optional>

#include "base/cbor.hpp"

namespace fermata {

// The old result brought to the new one by the diff alone; from the new one only rows come that the diff names. Nothing
// if the diff does not fit the two.
inline std::optional<std::vector<Map>> patched(const std::vector<Map>& before, const ResultDiff& diff,
                                               const std::vector<Map>& after) {
  std::vector<const Map*> stays(before.size(), nullptr);
  for (std::size_t i = 0; i < before.size(); ++i) stays[i] = &before[i];
  std::vector<const Map*> made(before.size() - diff.deleted.size() + diff.inserted.size(), nullptr);
  if (made.size() != after.size()) return std::nullopt;
  for (const std::size_t index : diff.deleted) stays.at(index) = nullptr;
  for (const auto& [from, to] : diff.moved) made.at(to) = std::exchange(stays.at(from), nullptr);
  for (const std::size_t index : diff.inserted) made.at(index) = &after.at(index);
  auto hole = made.begin();
  for (const Map* row : stays) {
    if (row == nullptr) continue;
    hole = std::find(hole, made.end(), nullptr);
    if (hole == made.end()) return std::nullopt;
    *hole = row;
  }
  for (const std::size_t index : diff.updated) made.at(index) = &after.at(index);
  std::vector<Map> result;
  for (const Map* row : made) {
    if (row == nullptr) return std::nullopt;
    result.push_back(*row);
  }
  return result;
}

// As CBOR, in which NaN equals itself.
inline Bytes bytes_of(const std::vector<Map>& rows) {
  return encode_value(Value(Array(rows.begin(), rows.end())));
}

}  // namespace fermata
