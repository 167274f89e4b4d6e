// The database as docs/QUERY.md describes it, of one collection in memory: as plain as can be, and slow.
#pragma once

#include <algorithm>
#include <set>

#include "unit/query/model_values.hpp"

namespace fermata::query::model {

struct Assignment {
  AssignmentKind kind = AssignmentKind::Set;
  std::string path;
  Value value;            // of a Set, unless `from` names a field; of an Increment the amount
  std::string from = {};  // the field to copy
};

struct Select {
  Condition where;
  std::vector<std::pair<std::string, Direction>> order = {};
  std::size_t offset = 0, limit = 1000;
};

// The counter of a document is its field "n".
class Model {
 public:
  using Written = std::optional<std::vector<std::string>>;  // ids; nothing: refused, and nothing happened

  Written insert(const std::vector<Map>& documents, OnConflict rule) {
    const Model before = *this;
    std::vector<std::string> ids;
    for (const Map& document : documents) {
      const std::string id = *document.at("_id").if_a<std::string>();
      if (documents_.emplace(id, document).second) {
        ids.push_back(id);
      } else if (rule == OnConflict::Fail) {
        *this = before;
        return std::nullopt;
      } else if (rule != OnConflict::DoNothing && merge(id, document, rule == OnConflict::DoUpdate)) {
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
      }
    }
    return ids;
  }

  Written import(const std::vector<Map>& documents) {
    std::vector<std::string> ids;
    for (const Map& document : documents) {
      ids.push_back(*document.at("_id").if_a<std::string>());
      Map& here = documents_[ids.back()];
      if (!same(here, document, "n")) counters_.erase(ids.back());
      here = document;
    }
    return ids;
  }

  Written update(const Condition& where, const std::vector<Assignment>& assignments) {
    const Model before = *this;
    std::vector<std::string> ids;
    for (const auto& [id, old] : before.documents_) {
      if (where.holds(old) != true) continue;
      bool wrote = false;
      for (const Assignment& assignment : assignments) {
        if (!assign(id, old, assignment, wrote)) {
          *this = before;
          return std::nullopt;
        }
      }
      if (wrote) ids.push_back(id);
    }
    return ids;
  }

  Written remove(const Condition& where) {
    std::vector<std::string> ids;
    for (const auto& [id, document] : documents_) {
      if (where.holds(document) == true) ids.push_back(id);
    }
    for (const std::string& id : ids) documents_.erase(id), counters_.erase(id);
    return ids;
  }

  [[nodiscard]] std::vector<Map> select(const Select& select) const {
    std::vector<Map> rows;
    for (const auto& [id, document] : documents_) {
      if (select.where.holds(document) == true) rows.push_back(document);
    }
    std::stable_sort(rows.begin(), rows.end(), [&](const Map& left, const Map& right) {
      for (const auto& [path, direction] : select.order) {
        if (const int order = order_of(find_path(left, path), find_path(right, path), direction)) return order < 0;
      }
      return false;
    });
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min(select.offset, rows.size())));
    rows.resize(std::min(select.limit, rows.size()));
    return rows;
  }

  // SELECT field AS k, count(*) AS c, sum(of) AS s, min(of) AS l FROM … WHERE … GROUP BY field. Numbers as doubles.
  using Group = std::vector<std::optional<Key>>;
  [[nodiscard]] std::vector<Group> groups(const Select& rows, const std::string& field, const std::string& of) const {
    std::map<std::pair<bool, Key>, std::vector<const Value*>> groups;  // the missing are last
    const std::vector<Map> selected = select(rows);
    for (const Map& row : selected) {
      const Value* key = find_path(row, field);
      groups[{key == nullptr, key == nullptr ? Key{} : key_of(*key)}].push_back(find_path(row, of));
    }
    std::vector<Group> made;
    for (const auto& [key, values] : groups) {
      std::optional<double> sum;
      std::optional<Key> least;
      for (const Value* value : values) {
        if (is_nothing(value)) continue;
        const Key each = key_of(*value);
        if (std::get<0>(each) == 1) sum = sum.value_or(0) + std::get<1>(each);
        least = std::min(least.value_or(each), each);
      }
      const Key nothing{};
      made.push_back({key.first ? std::nullopt : std::optional(key.second),
                      Key{1, static_cast<double>(values.size()), ""}, sum ? Key{1, *sum, ""} : nothing,
                      least.value_or(nothing)});
    }
    return made;
  }

 private:
  static bool same(const Map& left, const Map& right, std::string_view path) {
    const Value* const a = find_path(left, path);
    const Value* const b = find_path(right, path);
    return a == nullptr || b == nullptr ? a == b : *a == *b;
  }

  static bool merge(Map& here, const Map& there, bool rewrites) {
    bool wrote = false;
    for (const auto& [name, value] : there) {
      const auto old = here.find(name);
      if (name == kIdField || (!rewrites && old != here.end() && old->second == value)) continue;
      Map* const below = old == here.end() ? nullptr : old->second.if_a<Map>();
      if (below != nullptr && value.if_a<Map>() != nullptr) {
        wrote = merge(*below, *value.if_a<Map>(), rewrites) || wrote;
      } else {
        here[name] = value;
        wrote = true;
      }
    }
    return wrote;
  }
  bool merge(const std::string& id, const Map& there, bool rewrites) {
    Map& here = documents_.at(id);
    if (there.contains("n") && (rewrites || !same(here, there, "n"))) counters_.erase(id);
    return merge(here, there, rewrites);
  }

  // Result: false if refused.
  bool assign(const std::string& id, const Map& old, const Assignment& assignment, bool& wrote) {
    Map& here = documents_.at(id);
    const Value* const before = find_path(old, assignment.path);
    if (assignment.kind == AssignmentKind::Increment) return increment(id, before, assignment, wrote);
    const Value* after = assignment.from.empty() ? &assignment.value : find_path(old, assignment.from);
    if (assignment.kind == AssignmentKind::Unset) after = nullptr;
    if (before == nullptr ? after == nullptr : after != nullptr && *before == *after) return true;
    wrote = true;
    if (assignment.path == "n") counters_.erase(id);
    after == nullptr ? take_away(here, assignment.path) : put(here, assignment.path, *after);
    return true;
  }
  bool increment(const std::string& id, const Value* before, const Assignment& by, bool& wrote) {
    if (before != nullptr && !counters_.contains(id)) return false;
    const std::int64_t counted = before == nullptr ? 0 : *before->if_a<std::int64_t>();
    counters_.insert(id);
    wrote = true;
    put(documents_.at(id), by.path, Value(counted + *by.value.if_a<std::int64_t>()));
    return true;
  }

  std::map<std::string, Map> documents_;  // with "_id"
  std::set<std::string> counters_;        // of the documents whose "n" is one
};

}  // namespace fermata::query::model
