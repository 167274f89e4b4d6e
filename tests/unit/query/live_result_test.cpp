// A result that is kept must be what reading it anew would give, whatever was committed.
#include "query/live_result.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "query/live_query.hpp"
#include "query/select.hpp"
#include "query/sqlite_functions.hpp"
#include "unit/query/generators.hpp"
#include "unit/query/patching.hpp"
#include "unit/query/store_fixture.hpp"

namespace fermata::query {
namespace {

std::vector<Map> items_of(const LiveResult& result) {
  std::vector<Map> items;
  for (std::size_t i = 0; i < result.size(); ++i) items.push_back(result.item(i));
  return items;
}

// One store for all runs of a property, and the commits that it made since they were asked for.
class Observed {
 public:
  Observed() {
    store_->on_connection(register_functions);
    store_->set_commit_listener([this](store::CommitEvent&& event) {
      commits_.push_back(std::make_shared<const store::CommitEvent>(std::move(event)));
    });
  }

  store::Store& store() { return *store_; }
  std::string new_collection() { return "c" + std::to_string(++runs_); }
  std::vector<store::SharedCommit> take() { return std::exchange(commits_, {}); }

 private:
  StoreInTempDir store_;
  std::vector<store::SharedCommit> commits_;
  int runs_ = 0;
};

Observed& observed() {
  static Observed all;
  return all;
}

const std::vector<std::string> kIds{"1", "5", "A", "a", "ab", "b", "é"};

// One to three documents written, deleted or evicted in one transaction.
void commit_something(const std::string& collection) {
  auto transaction = observed().store().begin();
  RC_ASSERT(transaction.has_value());
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    const std::string id = *rc::gen::elementOf(kIds);
    const auto life = transaction->life(collection, id);
    RC_ASSERT(life.has_value());
    const bool alive = *life % 2 == 1;
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        if (alive) RC_ASSERT(transaction->remove(collection, id).has_value());
        break;
      case 1:  // refused if this transaction has changed it
        if (alive) static_cast<void>(transaction->evict(collection, id));
        break;
      default:
        if (!alive) {
          static_cast<void>(transaction->insert(collection, id, *generate_document()));
        } else {
          RC_ASSERT(transaction->set(collection, id, {*generate_name()}, *generate_field(1)).has_value());
        }
    }
  }
  RC_ASSERT(transaction->commit().has_value());
}

std::vector<RowChange> changes_of(const std::vector<store::SharedCommit>& commits, const LiveQuery& query) {
  std::vector<RowChange> changes;
  const auto add = [&](const RowChange& change) {
    const RowChange seen = query.seen_by(query.select.collection, change);
    if (seen.before != nullptr || seen.after != nullptr) changes.push_back(seen);
  };
  for (const auto& commit : commits) {
    for (const auto& evicted : commit->evicted) add({evicted.id, &evicted.before, nullptr});
    for (const auto& change : commit->changes) {
      const Map& after = change.after;
      add({change.id, change.alive_before ? &change.before : nullptr, change.alive_after ? &after : nullptr});
    }
  }
  return changes;
}

SelectStatement some_select(const std::string& collection) {
  SelectStatement select{.collection = collection};
  if (*rc::gen::arbitrary<bool>()) select.where = std::make_shared<const Expression>(*generate_expression(1));
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    select.order.push_back({*generate_path(), *rc::gen::element(Direction::Ascending, Direction::Descending)});
  }
  return select;
}

RC_GTEST_PROP(LiveResult, IsWhatReadingItAnewGives, ()) {
  const std::string collection = observed().new_collection();
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) commit_something(collection);
  static_cast<void>(observed().take());
  LiveQuery query(some_select(collection), {}, Wants::Changes);
  RC_ASSERT(query.read(observed().store()) == Refreshed::Changed || query.result.size() == 0);
  for (int round = 0; round < 5; ++round) {
    const auto before = items_of(query.result);
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) commit_something(collection);
    const auto commits = observed().take();
    const auto diff = query.result.apply(changes_of(commits, query));
    RC_ASSERT(diff.has_value());
    const auto expected = read_all(observed().store(), query.select);
    RC_ASSERT(expected.has_value());
    if (*rc::gen::arbitrary<bool>()) RC_ASSERT(bytes_of(query.result.whole().items) == bytes_of(expected->items));
    RC_ASSERT(bytes_of(items_of(query.result)) == bytes_of(expected->items));
    const auto made = patched(before, *diff, expected->items);
    RC_ASSERT(made.has_value());
    RC_ASSERT(bytes_of(*made) == bytes_of(expected->items));
  }
}

// A table beside a kept result, changed alike.
class Table {
 public:
  explicit Table(std::size_t rows) {
    QueryResult all;
    for (std::size_t i = 0; i < rows; ++i) set(id_of(i), number());
    all.items = sorted();
    result_.replace(std::move(all));
  }

  void change(int count) {
    std::vector<RowChange> changes;
    const auto start = rows_;
    for (int i = 0; i < count; ++i) {
      const std::string id = id_of(random_() % (2 * rows_.size() + 10));
      if (random_() % 3 == 0) {
        rows_.erase(id);
      } else {
        set(id, number());
      }
    }
    old_ = start;
    for (const auto& [id, fields] : old_) {
      const auto now = rows_.find(id);
      changes.push_back({id, &fields, now == rows_.end() ? nullptr : &now->second});
    }
    for (const auto& [id, fields] : rows_) {
      if (!old_.contains(id)) changes.push_back({id, nullptr, &fields});
    }
    const std::vector<Map> seen = items_of(result_);
    const auto diff = result_.apply(changes);
    ASSERT_TRUE(diff);
    const std::vector<Map> expected = sorted();
    ASSERT_EQ(items_of(result_), expected);
    const auto made = patched(seen, *diff, expected);
    ASSERT_TRUE(made);
    ASSERT_EQ(*made, expected);
  }

  void look_at_all() { ASSERT_EQ(result_.whole().items, sorted()); }

 private:
  static std::string id_of(std::size_t number) { return "d" + std::to_string(number); }
  int number() { return static_cast<int>(random_() % 1000); }
  void set(const std::string& id, int n) { rows_.insert_or_assign(id, Map{{"n", n}}); }

  [[nodiscard]] std::vector<Map> sorted() const {
    std::vector<Map> all;
    for (const auto& [id, fields] : rows_) {
      all.push_back(fields);
      all.back().emplace("_id", id);
    }
    std::stable_sort(all.begin(), all.end(), [](const Map& left, const Map& right) {
      return *left.at("n").if_a<std::int64_t>() > *right.at("n").if_a<std::int64_t>();
    });
    return all;
  }

  std::mt19937 random_{7};
  std::map<std::string, Map> rows_, old_;
  LiveResult result_{{{crdt::Path{"n"}, Direction::Descending}}};
};

TEST(LiveResult, OfThousandsOfRowsStaysSortedThroughChangesOfAnySize) {
  Table table(3000);
  for (const int count : {1, 1, 700, 3, 2500, 1, 50, 4000, 1}) {
    ASSERT_NO_FATAL_FAILURE(table.change(count)) << count;
    if (count == 3 || count == 50) table.look_at_all();
  }
}

TEST(LiveResult, RefusesAChangeToARowThatItDoesNotHaveAndStaysAsItIs) {
  LiveResult result({});
  result.replace(QueryResult{.items = {Map{{"_id", "a"}}}, .mutated_ids = {}});
  const Map fields;
  EXPECT_FALSE(result.apply({{"a", &fields, nullptr}, {"b", &fields, nullptr}}));
  EXPECT_EQ(result.size(), 1u);
}

TEST(LiveResult, OfRowsThatChangePlacesWithEachOtherOneHasMoved) {
  LiveResult result({{{crdt::Path{"n"}}, Direction::Ascending}});
  result.replace(QueryResult{.items = {Map{{"_id", "a"}, {"n", 1}}, Map{{"_id", "b"}, {"n", 2}}}});
  const Map one{{"n", 1}}, two{{"n", 2}}, three{{"n", 3}}, four{{"n", 4}};
  const auto diff = result.apply({{"a", &one, &four}, {"b", &two, &three}});
  ASSERT_TRUE(diff);
  EXPECT_EQ(diff->updated, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(diff->moved.size(), 1u);
}

TEST(LiveResult, WhatComesAndGoesBetweenTwoLooksIsNoDifference) {
  LiveResult result({});
  const Map fields{{"n", 1}}, other{{"n", 2}};
  const auto diff = result.apply({{"a", nullptr, &fields}, {"a", &fields, &other}, {"a", &other, nullptr}});
  ASSERT_TRUE(diff);
  EXPECT_TRUE(diff->empty());
  EXPECT_EQ(result.size(), 0u);
}

}  // namespace
}  // namespace fermata::query
