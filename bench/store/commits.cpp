#include "contest.hpp"
#include "sections.hpp"
#include "support/temp_dir.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "commits";

// A database of ours, and SQLite's in each layout, of one durability.
class Stage {
 public:
  explicit Stage(Durability durability)
      : ours(
            value_of(Database::open({.directory = directory_.file("ours"), .executor = {}, .durability = durability}))),
        json(directory_.file("json.db"), Layout::Json, durability),
        columns(directory_.file("columns.db"), Layout::Columns, durability),
        numbered(directory_.file("numbered.db"), Layout::Numbered, durability) {
    in_batches(kBatch, [&](const std::vector<Item>& batch) { import_batch(*ours, batch); });
    for (Plain* plain : {&json, &columns, &numbered}) {
      plain->create();
      in_batches(kBatch, [&](const std::vector<Item>& batch) { insert_batch(*plain, batch); });
    }
  }

 private:
  support::TempDir directory_;

 public:
  std::unique_ptr<Database> ours;
  Plain json, columns, numbered;
};

void measure_one(Report& report, Durability durability, std::size_t commits) {
  Stage stage(durability);
  std::vector<Item> items;
  for (std::size_t i = 0; i < commits; ++i) items.emplace_back(kBatch + i);
  const std::string level = durability == Durability::Full ? " (full)" : " (normal)";
  const auto insert = [&](Plain& plain) {
    return [&](std::size_t i) { plain.insert(items[i].id, items[i].fields, items[i].json); };
  };
  contest(report, kSection, "insert" + level, commits,
          [&](std::size_t i) {
            value_of(stage.ours->execute("INSERT INTO items DOCUMENTS (:d)", {{"d", items[i].whole}}));
          },
          {{"JSON text", insert(stage.json)},
           {"columns", insert(stage.columns)},
           {"JSON text with numbered changes", insert(stage.numbered)}});
  const auto number = [&](std::size_t i) { return static_cast<std::int64_t>(100 + i); };
  const auto target = [&](std::size_t i) -> const Item& { return items[i * 7919 % commits]; };
  const auto update = [&](Plain& plain) { return [&](std::size_t i) { plain.set_priority(target(i).id, number(i)); }; };
  contest(report, kSection, "update" + level, commits,
          [&](std::size_t i) {
            value_of(stage.ours->execute("UPDATE items SET priority = :p WHERE _id = :id",
                                         {{"p", Value(number(i))}, {"id", target(i).id}}));
          },
          {{"JSON text", update(stage.json)},
           {"columns", update(stage.columns)},
           {"JSON text with numbered changes", update(stage.numbered)}});
}

}  // namespace

void measure_commits(Report& report, const Sizes& sizes, int repeats) {
  for (const Durability durability : {Durability::Full, Durability::Normal}) {
    for (int i = 0; i < repeats; ++i) measure_one(report, durability, sizes.commits);
  }
}

}  // namespace fermata::bench
