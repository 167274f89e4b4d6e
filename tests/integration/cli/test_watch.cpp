#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

// Each step of a watch, whether through a server or with the database open in the watch itself.
void expect_lines_for_each_change(const std::string& directory) {
  ASSERT_EQ(fermata({"import", directory, "things", "-"}, R"([{"_id":"a","n":1},{"_id":"b","n":2}])").code, 0);
  Program watch({"watch", directory, "SELECT * FROM things WHERE n < :m ORDER BY n", "--param", "m=10"});
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"a","n":1},"op":"insert"})") << watch.command();
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"b","n":2},"op":"insert"})");
  EXPECT_TRUE(watch.err_line_with("watching"));
  const auto write = [&](const std::string& statement) {
    const Outcome run = fermata({"query", directory, statement});
    EXPECT_EQ(run.code, 0) << run;
  };
  write("UPDATE things SET n = 3 WHERE _id = 'a'");
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"a","n":3},"op":"update"})");
  write("UPDATE things SET n = 30 WHERE _id = 'b'");
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"b","n":2},"op":"delete"})");
  write("INSERT INTO things DOCUMENTS ({\"_id\": \"c\", \"n\": 5})");
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"c","n":5},"op":"insert"})");
  write("DELETE FROM things WHERE _id = 'a'");
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"a","n":3},"op":"delete"})");
  watch.signal(SIGINT);
  const Outcome end = watch.finish();
  EXPECT_EQ(end.code, 0) << end;
  EXPECT_EQ(end.out, "") << end;
}

TEST_F(CommandLine, WatchWithoutAServerLetsOtherVerbsInAndPrintsEachChange) {
  expect_lines_for_each_change(directory_);
}

TEST_F(CommandLine, WatchThroughAServerPrintsEachChange) {
  const Server server(directory_);
  expect_lines_for_each_change(directory_);
}

// A count, and rows that are alike but for their place.
TEST_F(CommandLine, WatchTellsRowsWithoutAnIdOneByOne) {
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, R"([{"_id":"a","n":1},{"_id":"b","n":1}])").code, 0);
  const Server server(directory_);
  Program count({"watch", directory_, "SELECT count(*) AS n FROM things"});
  EXPECT_EQ(count.out_line(), R"({"document":{"n":2},"op":"insert"})");
  Program rows({"watch", directory_, "SELECT n FROM things ORDER BY n"});
  EXPECT_EQ(rows.out_line(), R"({"document":{"n":1},"op":"insert"})");
  EXPECT_EQ(rows.out_line(), R"({"document":{"n":1},"op":"insert"})");
  EXPECT_TRUE(rows.err_line_with("watching"));
  query("INSERT INTO things DOCUMENTS ({_id: 'c', n: 2})");
  EXPECT_EQ(count.out_line(), R"({"document":{"n":2},"op":"delete"})");
  EXPECT_EQ(count.out_line(), R"({"document":{"n":3},"op":"insert"})");
  EXPECT_EQ(rows.out_line(), R"({"document":{"n":2},"op":"insert"})");
  query("DELETE FROM things WHERE _id = 'a'");
  EXPECT_EQ(rows.out_line(), R"({"document":{"n":1},"op":"delete"})");
  query("UPDATE things SET n = 0 WHERE _id = 'b'");
  EXPECT_EQ(rows.out_line(), R"({"document":{"n":1},"op":"delete"})");
  EXPECT_EQ(rows.out_line(), R"({"document":{"n":0},"op":"insert"})");
  rows.signal(SIGINT);
  EXPECT_EQ(rows.finish().out, "");
}

TEST_F(CommandLine, WatchEndsAfterCountLines) {
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, R"([{"_id":"a"},{"_id":"b"},{"_id":"c"}])").code, 0);
  const Outcome run = fermata({"watch", directory_, "SELECT * FROM things ORDER BY _id", "--count", "2"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(lines_of(run.out).size(), 2u) << run;
}

TEST_F(CommandLine, WatchOfNothingIsReadyAtOnce) {
  Program watch({"watch", directory_, "SELECT * FROM things"});
  EXPECT_TRUE(watch.err_line_with("watching")) << watch.command();
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.finish().code, 0);
}

TEST_F(CommandLine, WatchRefusesAWrite) {
  expect_one_clear_line(fermata({"watch", directory_, "DELETE FROM things"}), 4, "SELECT");
}

TEST_F(CommandLine, WatchEndsWithAClearLineWhenTheServerEnds) {
  Server server(directory_);
  Program watch({"watch", directory_, "SELECT * FROM things"});
  ASSERT_TRUE(watch.err_line_with("watching")) << watch.command();
  server.program().signal(SIGTERM);
  const Outcome run = watch.finish();
  expect_one_clear_line(run, 13, "ended");
}

}  // namespace
}  // namespace fermata::test
