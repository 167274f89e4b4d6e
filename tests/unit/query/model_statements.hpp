// Random statements over few names and values, so that they meet: as text, and as what they do to the model.
#pragma once

#include <random>

#include "unit/query/model.hpp"

namespace fermata::query::model {

struct Write {
  std::string text;
  std::function<Model::Written(Model&)> apply;
};
struct Question {
  std::string text;
  Select select;
};
struct GroupQuestion {
  std::string text;
  Select select;
  std::string field, of;
};

class Statements {
 public:
  explicit Statements(std::mt19937_64& random) : random_(random) {}

  Write write() {
    switch (below(6)) {
      case 0:
      case 1:
        return insert();
      case 2: {
        const Condition where = condition(1);
        return {(below(2) == 0 ? "DELETE FROM c WHERE " : "EVICT FROM c WHERE ") + where.text,
                [=](Model& model) { return model.remove(where); }};
      }
      default:
        return update();
    }
  }

  // What a transaction has changed others must get, so it refuses to evict that.
  Write write_in_transaction() {
    Write made = write();
    while (made.text.starts_with("EVICT")) made = write();
    return made;
  }

  Question question() {
    Select select{.where = condition(2)};
    std::string text = "SELECT * FROM c WHERE " + select.where.text;
    for (std::size_t i = below(3); i > 0; --i) {
      select.order.emplace_back(field(), below(2) == 0 ? Direction::Ascending : Direction::Descending);
      text += select.order.size() == 1 ? " ORDER BY " : ", ";
      text += select.order.back().first + (select.order.back().second == Direction::Ascending ? " ASC" : " DESC");
    }
    if (below(2) == 0) text += " LIMIT " + std::to_string(select.limit = below(6));
    if (below(3) == 0) text += " OFFSET " + std::to_string(select.offset = below(4));
    return {text, select};
  }

  GroupQuestion group_question() {
    GroupQuestion made{.text = {}, .select = {.where = condition(1)}, .field = field(), .of = field()};
    made.text = "SELECT " + made.field + " AS k, count(*) AS c, sum(" + made.of + ") AS s, min(" + made.of +
                ") AS l FROM c WHERE " + made.select.where.text + " GROUP BY " + made.field;
    return made;
  }

  std::string index() {
    const std::string name = "i" + std::to_string(below(3));
    if (below(3) == 0) return "DROP INDEX IF EXISTS " + name;
    const std::string first = one_of({"a", "b", "n", "m.p"});
    return "CREATE INDEX IF NOT EXISTS " + name + " ON c (" + first + (below(2) == 0 ? " DESC" : "") +
           (first != "b" && below(2) == 0 ? ", b)" : ")");
  }

  std::vector<Map> documents() {
    std::vector<Map> made;
    for (std::size_t i = 1 + below(3); i > 0; --i) {
      Map document{{"_id", id()}};
      for (const char* name : {"a", "b", "n"}) {
        if (below(3) > 0) document.emplace(name, value());
      }
      if (below(2) == 0)
        document.emplace("m", below(2) == 0 ? Value(Map{}) : Value(Map{{one_of({"p", "q"}), value()}}));
      made.push_back(std::move(document));
    }
    return made;
  }

 private:
  std::size_t below(std::size_t count) { return random_() % count; }
  std::string one_of(const std::vector<std::string>& words) { return words[below(words.size())]; }
  std::string id() { return std::to_string(1 + below(12)); }
  std::string field() { return one_of({"a", "b", "n", "m.p", "_id"}); }
  Value value() {
    static const Value kValues[] = {nullptr, true, false, -1, 0, 1, 2, 3, 1.0, 1.5, -0.5, "", "a", "B", "b", "1"};
    return kValues[below(std::size(kValues))];
  }
  static std::string text_of(const Value& value) {
    const auto* text = value.if_a<std::string>();
    return text != nullptr ? "'" + *text + "'" : to_json(value);
  }

  Write insert() {
    static const std::pair<const char*, OnConflict> kRules[] = {
        {"", OnConflict::Fail},
        {" ON ID CONFLICT DO NOTHING", OnConflict::DoNothing},
        {" ON ID CONFLICT DO UPDATE", OnConflict::DoUpdate},
        {" ON ID CONFLICT DO UPDATE_LOCAL_DIFF", OnConflict::DoUpdateLocalDiff}};
    const auto& [words, rule] = kRules[below(std::size(kRules))];
    const std::vector<Map> inserted = documents();
    std::string text = "INSERT INTO c DOCUMENTS ";
    for (const Map& each : inserted) text += (&each == inserted.data() ? "(" : ", (") + to_json(Value(each)) + ")";
    return {text + words, [=, rule = rule](Model& model) { return model.insert(inserted, rule); }};
  }

  Write update() {
    const Condition where = condition(1);
    std::string set, unset, increment;
    std::vector<Assignment> assignments;
    for (const char* path : {"a", "b", "m.p", "m.q"}) {
      const auto kind = below(4);
      if (kind > 1) continue;
      Assignment made{kind == 0 ? AssignmentKind::Set : AssignmentKind::Unset, path, value()};
      if (kind == 1) {
        unset += (unset.empty() ? " UNSET " : ", ") + made.path;
      } else {
        if (below(3) == 0) made.from = field();
        set +=
            (set.empty() ? " SET " : ", ") + made.path + " = " + (made.from.empty() ? text_of(made.value) : made.from);
      }
      assignments.push_back(made);
    }
    const auto amount = static_cast<int>(below(3)) * 2 - 3;  // never 0
    switch (assignments.empty() ? 0 : below(6)) {
      case 0:
        increment = " INCREMENT n BY " + std::to_string(amount);
        assignments.push_back({AssignmentKind::Increment, "n", amount});
        break;
      case 1:
        unset += unset.empty() ? " UNSET n" : ", n";
        assignments.push_back({AssignmentKind::Unset, "n", {}});
        break;
      default:
        break;
    }
    return {"UPDATE c" + set + unset + increment + " WHERE " + where.text,
            [=](Model& model) { return model.update(where, assignments); }};
  }

  Condition condition(int depth) {
    if (depth == 0 || below(3) == 0) return leaf();
    const Condition left = condition(depth - 1);
    if (below(4) == 0) {
      return {"NOT (" + left.text + ")", [=](const Map& row) -> Truth {
                const Truth truth = left.holds(row);
                return truth ? Truth(!*truth) : truth;
              }};
    }
    const Condition right = condition(depth - 1);
    const bool decisive = below(2) == 0;  // true decides an OR, false an AND
    return {"(" + left.text + (decisive ? " OR " : " AND ") + right.text + ")", [=](const Map& row) -> Truth {
              const Truth a = left.holds(row), b = right.holds(row);
              if (a == decisive || b == decisive) return decisive;
              return a && b ? Truth(!decisive) : std::nullopt;
            }};
  }

  Condition leaf() {
    const std::string path = field();
    switch (below(6)) {
      case 0:
        return {path + " IS MISSING", [=](const Map& row) -> Truth { return find_path(row, path) == nullptr; }};
      case 1:
        return {path + " IS NOT NULL", [=](const Map& row) -> Truth {
                  const Value* found = find_path(row, path);
                  return found == nullptr || !found->is_null();
                }};
      case 2:
        return in(path);
      default:
        return comparison(path);
    }
  }

  Condition in(const std::string& path) {
    const std::vector<Value> list{path == "_id" ? Value(id()) : value(), path == "_id" ? Value(id()) : value(),
                                  value()};
    const std::string text = text_of(list[0]) + ", " + text_of(list[1]) + ", " + text_of(list[2]);
    return {path + " IN (" + text + ")", [=](const Map& row) -> Truth {
              const Value* found = find_path(row, path);
              if (is_nothing(found)) return std::nullopt;
              bool has_null = false;
              for (const Value& each : list) {
                if (each.is_null()) has_null = true;
                if (!each.is_null() && key_of(each) == key_of(*found)) return true;
              }
              return has_null ? std::nullopt : Truth(false);
            }};
  }

  Condition comparison(const std::string& path) {
    static constexpr const char* kSigns[] = {" = ", " != ", " < ", " >= "};
    const auto sign = below(std::size(kSigns));
    const std::string other = below(4) == 0 ? field() : "";
    const Value constant = path == "_id" ? Value(id()) : value();
    return {path + kSigns[sign] + (other.empty() ? text_of(constant) : other), [=](const Map& row) -> Truth {
              const Value* const left = find_path(row, path);
              const Value* const right = other.empty() ? &constant : find_path(row, other);
              if (is_nothing(left) || is_nothing(right)) return std::nullopt;
              const Key a = key_of(*left), b = key_of(*right);
              return sign == 0 ? a == b : sign == 1 ? a != b : sign == 2 ? a < b : a >= b;
            }};
  }

  std::mt19937_64& random_;
};

}  // namespace fermata::query::model
