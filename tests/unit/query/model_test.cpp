// The whole database against a model of it: random statements, and after each the same answers. Another seed each time;
// a failure prints the line that repeats it.
#include <gtest/gtest.h>
#include <fermata/database.hpp>

#include <cstdlib>
#include <random>

#include "support/temp_dir.hpp"
#include "unit/query/model_statements.hpp"

namespace fermata::query::model {
namespace {

constexpr int kWorlds = 8, kSteps = 60;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), statements_(random_) { open(); }

  void step() {
    switch (below(24)) {
      case 0:
        database_.reset();
        open();
        said_ += "(reopened)\n";
        break;
      case 1:
        ASSERT_TRUE(database_->quiesce(std::chrono::seconds(10)));
        said_ += "(quiesced)\n";
        break;
      case 2:
        ASSERT_TRUE(below(2) == 0 ? database_->compact() : database_->checkpoint());
        break;
      case 3:
      case 4:
      case 5:
        change_index();
        break;
      case 6:
      case 7:
      case 8:
        transaction();
        break;
      case 9:
      case 10:
        import();
        break;
      default:
        static_cast<void>(
            write(statements_.write(), [&](const std::string& text) { return database_->execute(text); }));
    }
    for (int i = 0; i < 3; ++i) read([&](const std::string& text) { return database_->execute(text); });
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  using Execute = std::function<Result<QueryResult>(const std::string&)>;

  void open() {
    database_.reset();
    auto opened = Database::open({.directory = directory_.path(), .executor = {}});
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
  }
  std::size_t below(std::size_t count) { return random_() % count; }

  Result<QueryResult> say(const Execute& execute, const std::string& text) {
    said_ += text + "\n";
    return execute(text);
  }

  // Result: whether the database took it, which is expected to be what the model does.
  bool write(const Write& write, const Execute& execute) {
    const auto expected = write.apply(model_);
    const auto result = say(execute, write.text);
    EXPECT_EQ(result.has_value(), expected.has_value()) << (result ? "" : result.error().message);
    if (result && expected) {
      EXPECT_EQ(result->mutated_ids, *expected);
    }
    return result.has_value();
  }

  void read(const Execute& execute) {
    if (below(3) == 0) return read_groups(execute);
    const Question question = statements_.question();
    const auto result = say(execute, question.text);
    ASSERT_TRUE(result) << result.error().message;
    const std::vector<Map> expected = model_.select(question.select);
    EXPECT_EQ(json_of(result->items), json_of(expected));
  }

  void count(const Execute& execute) {
    const auto result = say(execute, "SELECT count(*) AS n FROM c");
    ASSERT_TRUE(result) << result.error().message;
    const Condition anything{"true", [](const Map&) -> Truth { return true; }};
    EXPECT_EQ(result->items.front().at("n"), Value(static_cast<long long>(model_.select({.where = anything}).size())));
  }

  void read_groups(const Execute& execute) {
    count(execute);
    const GroupQuestion question = statements_.group_question();
    const auto result = say(execute, question.text);
    ASSERT_TRUE(result) << result.error().message;
    std::vector<Model::Group> rows;
    for (const Map& item : result->items) {
      Model::Group& row = rows.emplace_back();
      for (const char* name : {"k", "c", "s", "l"}) {
        const auto found = item.find(name);
        row.push_back(found == item.end() ? std::nullopt : std::optional(key_of(found->second)));
      }
    }
    EXPECT_EQ(rows, model_.groups(question.select, question.field, question.of)) << json_of(result->items);
  }

  void transaction() {
    const Model before = model_;
    const bool fails = below(3) == 0;
    said_ += "(a transaction begins)\n";
    const Status done = database_->transaction([&](Transaction& t) -> Status {
      const Execute execute = [&](const std::string& text) { return t.execute(text); };
      for (std::size_t i = 1 + below(3); i > 0; --i) {
        if (!write(statements_.write_in_transaction(), execute)) return fail(ErrorCode::InvalidArgument, "refused");
        read(execute);
      }
      return fails ? Status(fail(ErrorCode::InvalidArgument, "not meant")) : Status();
    });
    if (!done) model_ = before;
    said_ += done ? "(committed)\n" : "(failed)\n";
  }

  void import() {
    const std::vector<Map> documents = statements_.documents();
    said_ += "(import of " + json_of(documents) + ")\n";
    const auto ids = database_->import("c", documents);
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(*ids, model_.import(documents));
  }

  void change_index() {
    const auto result = say([&](const std::string& text) { return database_->execute(text); }, statements_.index());
    EXPECT_TRUE(result) << result.error().message;
  }

  static std::string json_of(const std::vector<Map>& maps) {
    std::string text;
    for (const Map& map : maps) text += to_json(Value(map)) + "\n";
    return text;
  }

  std::mt19937_64 random_;
  Statements statements_;
  Model model_;
  support::TempDir directory_;
  std::unique_ptr<Database> database_;
  std::string said_;
};

TEST(Model, GivesTheSameAnswersAsTheDatabase) {
  const char* const given = std::getenv("FERMATA_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  for (std::uint64_t seed = first; seed < first + (given != nullptr ? 1 : kWorlds); ++seed) {
    World world(seed);
    for (int i = 0; i < kSteps && !HasFailure(); ++i) world.step();
    ASSERT_FALSE(HasFailure()) << world.said() << "repeat: FERMATA_SEED=" << seed
                               << " build/dev/bin/test_query --gtest_filter='Model.*'";
  }
}

}  // namespace
}  // namespace fermata::query::model
