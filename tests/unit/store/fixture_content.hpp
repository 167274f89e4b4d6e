// What the fixtures of formats 2 and 3 hold, as format1.db does: two collections, a tombstone in each, unset and
// emptied fields, a document that came back to life, one from a remote with its cursor, a device's epoch and a kept
// fact.
#pragma once

#include "store_fixture.hpp"

namespace fermata::store {

inline constexpr const char* kFixtureRemote = "0123456789abcdef0123456789abcdef";

inline void fill_tasks(Store& store) {
  ASSERT_OK(change(store, [](Transaction& transaction) {
    Status done;
    for (int i = 0; i < 5 && done; ++i) {
      const Map deep{{"x", 1}, {"y", Array{1, "two"}}};
      done = transaction.insert("tasks", "t" + std::to_string(i), {{"deep", deep}, {"n", i}, {"title", "task"}});
    }
    return done;
  }));
  ASSERT_OK(change(store, [](Transaction& t) { return t.set("tasks", "t1", {"n"}, 10); }));
  ASSERT_OK(change(store, [](Transaction& t) { return t.unset("tasks", "t2", {"title"}); }));
  ASSERT_OK(change(store, [](Transaction& t) {
    return t.unset("tasks", "t3", {"deep", "x"}).and_then([&] { return t.unset("tasks", "t3", {"deep", "y"}); });
  }));
  ASSERT_OK(change(store, [](Transaction& t) { return t.remove("tasks", "t4"); }));
}

inline void fill_notes(Store& store) {
  ASSERT_OK(insert(store, "n1", {{"n", 1}}, "notes"));
  ASSERT_OK(insert(store, "n2", {{"n", 2}}, "notes"));
  ASSERT_OK(change(store, [](Transaction& t) { return t.remove("notes", "n2"); }));
  ASSERT_OK(insert(store, "n3", {{"n", 3}}, "notes"));
  ASSERT_OK(change(store, [](Transaction& t) { return t.remove("notes", "n3"); }));
  ASSERT_OK(insert(store, "n3", {{"n", 33}}, "notes"));
}

// One document that a remote store, somewhere else, has made, and what is kept about remotes.
inline void fill_from_afar(Store& store) {
  support::MemoryDisk disk;
  auto afar = must_open(in_memory(disk));
  ASSERT_OK(insert(*afar, "r1", {{"from", "afar"}}));
  auto delta = afar->load("tasks", "r1")->delta_since(0, 1);
  ASSERT_TRUE(delta.has_value());
  delta->collection = "tasks";
  delta->id = "r1";
  ASSERT_EQ(store.source_number(kFixtureRemote), std::uint32_t{1});
  auto transaction = store.begin();
  ASSERT_OK(transaction);
  ASSERT_OK(transaction->merge(*std::move(delta), 1));
  ASSERT_OK(transaction->save_cursor({kFixtureRemote, 42, 9}));
  ASSERT_OK(transaction->commit());
  ASSERT_OK(store.remember_epoch("device", kFixtureRemote));
  ASSERT_OK(store.remember("gaps", "{\"kept\":true}"));
}

inline void fill_as_fixtures_are(Store& store) {
  fill_tasks(store);
  fill_notes(store);
  fill_from_afar(store);
}

}  // namespace fermata::store
