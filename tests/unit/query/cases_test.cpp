// Statements and what they give, as data: tests/unit/query/cases/*.txt. Each file is one database. Lines are
//   + statement     runs it; it must succeed
//   > statement     runs it, and the next lines say what it gives:
//   = [ … ]         the rows, as JSON
//   # [ … ]         the ids that were written, as JSON
//   ! text          it fails, and the message has this in it
//   ~ SQL           SQLite's own JSON functions give the same rows: its one column is JSON, and each collection is a
//                   table with the columns id and doc, which is the document as JSON
//   -- text         is a remark
// A line that begins with blanks goes on with the one before it.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <fermata/database.hpp>

#include <filesystem>
#include <fstream>
#include <regex>

#include "support/temp_dir.hpp"

namespace fermata::query {
namespace {

struct Line {
  char kind = ' ';
  std::string text;
  std::size_t number = 0;
};

std::vector<Line> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<Line> lines;
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    if (text.empty() || text.starts_with("--")) continue;
    if (text[0] == ' ' && !lines.empty()) {
      lines.back().text += "\n" + text;
    } else {
      lines.push_back({text[0], text.size() > 2 ? text.substr(2) : std::string(), number});
    }
  }
  return lines;
}

std::string canonical(const std::string& json) {
  const auto value = from_json(json);
  return value ? to_json(*value) : "not JSON: " + json;
}

// The documents once more, in a database of SQLite's own.
class Mirror {
 public:
  explicit Mirror(Database& database) {
    sqlite3_open(":memory:", &handle_);
    const auto collections = database.collections();
    for (const auto& [name, count] : *collections) fill(database, name);
  }
  ~Mirror() { sqlite3_close(handle_); }
  Mirror(const Mirror&) = delete;

  std::string rows(const std::string& sql) {
    std::string all = "[";
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(handle_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      all += (all.size() > 1 ? "," : "") + std::string(text == nullptr ? "null" : text);
    }
    EXPECT_EQ(sqlite3_finalize(statement), SQLITE_OK) << sqlite3_errmsg(handle_);
    return all + "]";
  }

 private:
  void fill(Database& database, const std::string& collection) {
    const std::string table = "\"" + collection + "\"";
    sqlite3_exec(handle_, ("CREATE TABLE " + table + "(id TEXT, doc TEXT)").c_str(), nullptr, nullptr, nullptr);
    const auto documents = database.execute("SELECT * FROM " + table).value();
    for (const Map& document : documents.items) {
      sqlite3_stmt* insert = nullptr;
      sqlite3_prepare_v2(handle_, ("INSERT INTO " + table + " VALUES(?, ?)").c_str(), -1, &insert, nullptr);
      const std::string id = *document.at("_id").if_a<std::string>(), text = to_json(document);
      sqlite3_bind_text(insert, 1, id.c_str(), -1, SQLITE_TRANSIENT);
      sqlite3_bind_text(insert, 2, text.c_str(), -1, SQLITE_TRANSIENT);
      EXPECT_EQ(sqlite3_step(insert), SQLITE_DONE);
      sqlite3_finalize(insert);
    }
  }

  sqlite3* handle_ = nullptr;
};

class Cases : public testing::TestWithParam<std::string> {
 protected:
  void expect(const Line& line, const Line& said) {
    SCOPED_TRACE(GetParam() + ":" + std::to_string(said.number) + ": " + said.text);
    const bool fails = line.kind == '!';
    EXPECT_EQ(result_.has_value(), !fails) << (result_ ? "it succeeds" : result_.error().message);
    if (!result_) {
      EXPECT_TRUE(!fails || result_.error().message.find(line.text) != std::string::npos) << result_.error().message;
    } else if (line.kind == '=') {
      EXPECT_EQ(to_json(rows()), canonical(line.text));
    } else if (line.kind == '~') {
      EXPECT_EQ(to_json(rows()), canonical(Mirror(*database_).rows(line.text)));
    } else if (line.kind == '#') {
      EXPECT_EQ(to_json(Array(result_->mutated_ids.begin(), result_->mutated_ids.end())), canonical(line.text));
    }
  }

  [[nodiscard]] Value rows() const { return Array(result_->items.begin(), result_->items.end()); }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path()}).value();
  Result<QueryResult> result_;
};

TEST_P(Cases, GiveWhatTheFileSays) {
  Line said;
  for (const Line& line : lines_of(std::filesystem::path(FERMATA_CASES) / GetParam())) {
    switch (line.kind) {
      case '+':
      case '>':
        said = line;
        result_ = database_->execute(line.text);
        ASSERT_TRUE(result_ || line.kind == '>') << GetParam() << ":" << line.number << ": " << result_.error().message;
        break;
      default:
        ASSERT_NE(std::string("=#!~").find(line.kind), std::string::npos) << GetParam() << ":" << line.number;
        expect(line, said);
    }
  }
}

std::vector<std::string> case_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(FERMATA_CASES)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Query, Cases, testing::ValuesIn(case_files()), [](const auto& file) {
  return std::regex_replace(std::filesystem::path(file.param).stem().string(), std::regex("[^A-Za-z0-9]"), "_");
});

// docs/QUERY.md says how many there are, at least.
TEST(CaseFiles, HoldHundredsOfStatements) {
  std::size_t statements = 0, against_sqlite = 0;
  for (const std::string& file : case_files()) {
    for (const Line& line : lines_of(std::filesystem::path(FERMATA_CASES) / file)) {
      statements += line.kind == '=' || line.kind == '#' || line.kind == '!' || line.kind == '~' ? 1 : 0;
      against_sqlite += line.kind == '~' ? 1 : 0;
    }
  }
  RecordProperty("statements", static_cast<int>(statements));
  RecordProperty("against_sqlite", static_cast<int>(against_sqlite));
  EXPECT_GE(statements, 400u);
  EXPECT_GE(against_sqlite, 100u);
}

}  // namespace
}  // namespace fermata::query
