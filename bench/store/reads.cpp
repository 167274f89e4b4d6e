#include "contest.hpp"
#include "sections.hpp"
#include "support/temp_dir.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "reads";
constexpr std::size_t kGroups = 1000;  // as many as sample_document() makes
constexpr std::size_t kScans = 5;

struct Stage {
  explicit Stage(std::size_t documents)
      : ours(value_of(Database::open({.directory = directory_.file("ours"), .executor = {}}))),
        json(directory_.file("json.db"), Layout::Json, Durability::Normal),
        columns(directory_.file("columns.db"), Layout::Columns, Durability::Normal) {
    json.create();
    columns.create();
    in_batches(documents, [&](const std::vector<Item>& batch) {
      import_batch(*ours, batch);
      insert_batch(json, batch);
      insert_batch(columns, batch);
    });
    value_of(ours->execute("CREATE INDEX by_group ON items (\"group\")"));
    json.create_index();
    columns.create_index();
  }

  support::TempDir directory_;
  std::unique_ptr<Database> ours;
  Plain json, columns;
};

struct Question {
  std::string what;
  std::string ours;   // with :x
  std::string field;  // of the floors, which is to equal it; "id" for the key
  std::size_t count = 0, rows = 0;
  std::function<Value(std::size_t)> parameter;
};

void whole_documents(Report& report, Stage& stage, const Question& question) {
  const auto plain = [&](Plain& floor, Reading reading) {
    const std::string condition = (question.field == "id" ? "id" : floor.field(question.field)) + " = ?";
    return [&floor, &question, reading, condition](std::size_t i) {
      require(floor.whole_rows(condition, question.parameter(i), reading) == question.rows, "the floor lacks rows");
    };
  };
  contest(report, kSection, question.what, question.count,
          [&](std::size_t i) {
            const auto result = value_of(stage.ours->execute(question.ours, {{"x", question.parameter(i)}}));
            require(result.items.size() == question.rows, "rows are missing");
          },
          {{"JSON text", plain(stage.json, Reading::Text)},
           {"JSON text, parsed", plain(stage.json, Reading::Values)},
           {"columns", plain(stage.columns, Reading::Text)}});
}

void aggregates(Report& report, Stage& stage) {
  const auto ask = [&](const std::string& what, const std::string& select, const auto& plain, std::size_t rows) {
    contest(
        report, kSection, what, kScans,
        [&](std::size_t) { require(value_of(stage.ours->execute(select)).items.size() == rows, "rows are missing"); },
        {{"JSON text", [&](std::size_t) { require(stage.json.rows(plain(stage.json)) == rows, "rows are missing"); }},
         {"columns",
          [&](std::size_t) { require(stage.columns.rows(plain(stage.columns)) == rows, "rows are missing"); }}});
  };
  ask(
      "count(*)", "SELECT count(*) FROM items", [](Plain&) { return std::string("SELECT count(*) FROM items"); }, 1);
  ask(
      "sum of all", "SELECT sum(created) AS s FROM items",
      [](Plain& plain) { return "SELECT sum(" + plain.field("created") + ") FROM items"; }, 1);
  ask(
      "sum and count by group", "SELECT priority, count(*) AS n, sum(created) AS s FROM items GROUP BY priority",
      [](Plain& plain) {
        return "SELECT " + plain.field("priority") + ", count(*), sum(" + plain.field("created") +
               ") FROM items GROUP BY 1 ORDER BY 1";
      },
      5);
}

}  // namespace

void measure_reads(Report& report, const Sizes& sizes, int repeats) {
  Stage stage(sizes.documents);
  const std::size_t documents = sizes.documents;
  const Question questions[] = {
      {.what = "by _id",
       .ours = "SELECT * FROM items WHERE _id = :x",
       .field = "id",
       .count = sizes.lookups,
       .rows = 1,
       .parameter = [=](std::size_t i) { return Value(id_of(i * 7919 % documents)); }},
      {.what = "filter with an index",
       .ours = "SELECT * FROM items WHERE \"group\" = :x",
       .field = "group",
       .count = sizes.lookups / 50,
       .rows = documents / kGroups,
       .parameter = [](std::size_t i) { return sample_document(i * 7919 % kGroups).at("group"); }},
      {.what = "filter without an index",
       .ours = "SELECT * FROM items WHERE created = :x",
       .field = "created",
       .count = kScans,
       .rows = 1,
       .parameter = [=](std::size_t i) { return sample_document(i * 7919 % documents).at("created"); }},
  };
  for (int i = 0; i < repeats; ++i) {
    for (const Question& question : questions) whole_documents(report, stage, question);
    aggregates(report, stage);
  }
}

}  // namespace fermata::bench
