// fermata gaps: the ledger of a database.
#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

class Gaps : public CommandLine {};

TEST_F(Gaps, ADatabaseThatNeverMissedASyncHasNone) {
  const Outcome table = fermata({"gaps", directory_});
  EXPECT_EQ(table.code, 0) << table;
  EXPECT_NE(table.out.find("no gaps"), std::string::npos) << table;
  const Outcome json = fermata({"gaps", directory_, "--json"});
  EXPECT_EQ(json.out, "{\"gaps\":[]}\n") << json;
}

TEST_F(Gaps, OneWithoutAPeerIsToldByTheServerAndStaysAfterIt) {
  {
    Server server(directory_, {"--connect", "127.0.0.1:1", "--subscribe", "SELECT * FROM items"});
    const Outcome served = fermata({"gaps", directory_, "--json"});
    EXPECT_EQ(served.code, 0) << served;
    server.program().signal(SIGTERM);
    EXPECT_EQ(server.program().finish().code, 0);
  }
  EXPECT_EQ(fermata({"gaps", directory_}).code, 0);
}

TEST_F(Gaps, ArePaintedIntoAFile) {
  const std::string picture = folder_ / "gaps.svg";
  const Outcome run = fermata({"gaps", directory_, "--svg", picture});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(run.out, "") << run;
  EXPECT_TRUE(content_of(picture).starts_with("<svg")) << content_of(picture);
}

TEST_F(Gaps, OfADirectoryThatIsNoDatabaseAreAnError) {
  expect_one_clear_line(fermata({"gaps", folder_ / "nowhere"}), 5, "nowhere");
}

TEST_F(Gaps, APictureThatCannotBeWrittenIsAnError) {
  const Outcome run = fermata({"gaps", directory_, "--svg", folder_ / "no/such/folder.svg"});
  EXPECT_NE(run.code, 0) << run;
  EXPECT_EQ(lines_of(run.err).size(), 1u) << run;
}

}  // namespace
}  // namespace fermata::test
