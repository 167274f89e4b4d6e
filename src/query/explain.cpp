#include <algorithm>

#include "query/select.hpp"
#include "query/sqlite_functions.hpp"

namespace fermata::query {
namespace {

// What SQLite's plan says of one step, with its names for our tables and indexes replaced by the app's.
class Plan {
 public:
  Plan(const SelectStatement& select, const std::vector<Index>& indexes) : select_(select), indexes_(indexes) {}

  Map step(const std::string& detail) const {
    Map row{{"detail", detail}};
    const std::size_t source = source_of(detail);
    if (source <= select_.joins.size()) {
      row.emplace("collection", source == 0 ? select_.collection : select_.joins[source - 1].collection);
      row.emplace("uses", access_of(detail));
    } else if (const std::string index = index_of(detail); !index.empty()) {
      row.emplace("uses", index);
    } else {
      row.emplace("uses", detail.find("TEMP B-TREE") != std::string::npos ? "a sort of the result" : "a search within");
    }
    return row;
  }

 private:
  // Which of d0, d1, … a SEARCH or SCAN is about; beyond all for other steps.
  [[nodiscard]] std::size_t source_of(const std::string& detail) const {
    for (std::size_t i = 0; i <= select_.joins.size(); ++i) {
      const std::string name = " d" + std::to_string(i);
      if (detail.starts_with("SEARCH" + name) || detail.starts_with("SCAN" + name)) return i;
    }
    return select_.joins.size() + 1;
  }

  [[nodiscard]] std::string index_of(const std::string& detail) const {
    for (const Index& index : indexes_) {
      if (detail.find(" " + store::table_of(index) + " ") != std::string::npos) return "the index " + index.name;
    }
    return {};
  }

  [[nodiscard]] std::string access_of(const std::string& detail) const {
    if (std::string index = index_of(detail); !index.empty()) return index;
    if (detail.find("documents_by_id (collection=? AND id") != std::string::npos) return "the id";
    if (detail.find("PRIMARY KEY") != std::string::npos) return "what the search within found";
    return "every document of the collection";
  }

  const SelectStatement& select_;
  const std::vector<Index>& indexes_;
};

}  // namespace

Result<std::vector<Map>> explain(store::Connection& connection, const SelectStatement& select) {
  Catalog catalog(connection);
  const auto indexes = store::load_indexes(connection);
  if (!indexes) return fail(indexes.error());
  const auto compiled = compile(select, Columns::Bodies, catalog);
  if (!compiled) return fail(compiled.error());
  auto plan = connection.prepare_text("EXPLAIN QUERY PLAN " + compiled->sql);
  if (!plan) return fail(plan.error());
  const Plan translated(select, *indexes);
  std::vector<Map> rows;
  constexpr int kDetail = 3;
  for (auto more = plan->step();; more = plan->step()) {
    if (!more) return fail(more.error());
    if (!*more) return rows;
    Map& row = rows.emplace_back(translated.step(plan->text(kDetail)));
    row.emplace("step", static_cast<long long>(rows.size()));
  }
}

}  // namespace fermata::query
