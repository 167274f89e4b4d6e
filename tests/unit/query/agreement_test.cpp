// SQLite and the matcher must give the same answer to every condition, or a peer would send what a query does not show.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "query/sql.hpp"
#include "query/sqlite_functions.hpp"
#include "store/field_functions.hpp"
#include "unit/query/generators.hpp"
#include "unit/query/store_fixture.hpp"

namespace fermata::query {
namespace {

struct Stored {
  std::string id;
  Map fields;
};

// One store for all runs of a property; each run has a collection of its own.
class Documents {
 public:
  Documents() { store_->on_connection(register_functions); }

  std::string insert(const std::vector<Stored>& documents) {
    const std::string collection = "c" + std::to_string(++runs_);
    auto transaction = store_->begin();
    RC_ASSERT(transaction.has_value());
    for (const Stored& document : documents) {
      RC_ASSERT(transaction->insert(collection, document.id, document.fields).has_value());
    }
    RC_ASSERT(transaction->commit().has_value());
    return collection;
  }

  std::vector<std::string> select(const SelectStatement& statement) {
    std::vector<std::string> ids;
    std::string sql;
    const auto read = store_->read([&](store::Connection& connection) -> Status {
      Catalog catalog(connection);
      const auto compiled = compile(statement, Columns::IdsAlone, catalog);
      if (!compiled) return fail(compiled.error());
      sql = compiled->sql;
      return run(connection, *compiled, [&](std::span<const RowDocument> row) -> Status {
        ids.emplace_back(row.front().id);
        return {};
      });
    });
    if (!read) RC_FAIL(read.error().message + "\n" + sql);
    return ids;
  }

 private:
  StoreInTempDir store_;
  int runs_ = 0;
};

Documents& documents() {
  static Documents all;
  return all;
}

std::vector<Stored> some_documents() {
  const char* const ids[] = {"1", "5", "A", "a", "ab", "é"};
  std::vector<Stored> made;
  for (const char* id : ids) made.push_back({id, *generate_document()});
  return made;
}

RC_GTEST_PROP(Agreement, SqliteSelectsExactlyWhatTheMatcherMatches, ()) {
  const auto stored = some_documents();
  const std::string collection = documents().insert(stored);
  for (int i = 0; i < 5; ++i) {
    const Expression where = *generate_expression(2);
    SelectStatement select{.collection = collection, .where = std::make_shared<const Expression>(where)};
    std::vector<std::string> expected;
    for (const Stored& document : stored) {
      if (matches(select.where, {document.id, document.fields})) expected.push_back(document.id);
    }
    std::sort(expected.begin(), expected.end());
    RC_ASSERT(documents().select(select) == expected);
  }
}

// The order that docs/QUERY.md promises: null < numbers < text < blobs, missing last either way, then by id.
bool comes_before(const Stored& left, const Stored& right, const OrderTerm& term) {
  const auto a = evaluate(term.value, {left.id, left.fields});
  const auto b = evaluate(term.value, {right.id, right.fields});
  if (a.has_value() != b.has_value()) return a.has_value();
  if (!a) return left.id < right.id;
  const Scalar x = to_scalar(*a), y = to_scalar(*b);
  const bool x_null = std::holds_alternative<Null>(x), y_null = std::holds_alternative<Null>(y);
  const bool descending = term.direction == Direction::Descending;
  if (x_null != y_null) return x_null != descending;
  const auto order = compare(x, y).value_or(std::weak_ordering::equivalent);
  if (order == 0) return left.id < right.id;
  return (order < 0) != descending;
}

RC_GTEST_PROP(Agreement, SqliteOrdersAsDocumented, ()) {
  auto stored = some_documents();
  SelectStatement select{.collection = documents().insert(stored)};
  select.order.push_back(
      {*generate_operand(2), *rc::gen::elementOf(std::vector<Direction>{Direction::Ascending, Direction::Descending})});
  std::sort(stored.begin(), stored.end(),
            [&](const Stored& left, const Stored& right) { return comes_before(left, right, select.order.front()); });
  std::vector<std::string> expected;
  for (const Stored& document : stored) expected.push_back(document.id);
  RC_ASSERT(documents().select(select) == expected);
}

TEST(Agreement, ABodyThatDoesNotDecodeIsAnErrorAndNotACrash) {
  Value nested;
  for (int i = 0; i < 40; ++i) nested = Map{{"a", std::move(nested)}, {"b", Array{1, "text", Bytes{1, 2}}}};
  const Bytes body = encode_value(nested);
  for (std::size_t size = 0; size < body.size(); ++size) {
    for (const crdt::Path& path : {crdt::Path{"b"}, crdt::Path{"a", "a", "b"}, crdt::Path(50, "a")}) {
      const auto item = store::find_item(ByteView(body).first(size), store::encode_path(path));
      if (item && !item->empty()) {
        EXPECT_LT(item->size(), size);
      }
    }
  }
  EXPECT_FALSE(store::find_item(body, ByteView(body).first(3)));
}

}  // namespace
}  // namespace fermata::query
