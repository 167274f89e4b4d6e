#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

namespace fs = std::filesystem;

// The JSON at a path of an object on stdout; "absent" where nothing is.
std::string member(const Outcome& run, const std::string& path) {
  const auto value = from_json(run.out);
  const Map* object = value ? value->if_a<Map>() : nullptr;
  const Value* found = object == nullptr ? nullptr : find_path(*object, path);
  return found == nullptr ? "absent" : to_json(*found);
}

TEST_F(CommandLine, EveryVerbReachesTheDatabaseOfARunningServer) {
  const Server server(directory_);
  const Outcome import = fermata({"import", directory_, "things", "-"}, R"([{"_id":"a","n":1},{"_id":"b","n":2}])");
  EXPECT_EQ(import.code, 0) << import;
  EXPECT_NE(import.err.find("imported 2 documents"), std::string::npos) << import;
  EXPECT_EQ(query("UPDATE things SET n = 3 WHERE n = :n", {"--param", "n=1"}), (Words{R"({"_id":"a"})"}));
  EXPECT_EQ(query("SELECT * FROM things ORDER BY n"), (Words{R"({"_id":"b","n":2})", R"({"_id":"a","n":3})"}));
  const Outcome exported = fermata({"export", directory_, "things"});
  EXPECT_EQ(exported.out, "{\"_id\":\"a\",\"n\":3}\n{\"_id\":\"b\",\"n\":2}\n") << exported;
  const Outcome status = fermata({"status", directory_, "--json"});
  EXPECT_EQ(member(status, "serving"), "true") << status;
  EXPECT_EQ(member(status, "collections.things"), "2") << status;
  EXPECT_EQ(member(status, "background_sync.is_on"), "false") << status;
  EXPECT_EQ(member(status, "peer.refused_links"), "0") << status;
  EXPECT_EQ(member(status, "peer.full_handshakes"), "0") << status;
  EXPECT_EQ(member(status, "peer.resumed_handshakes"), "0") << status;
}

TEST_F(CommandLine, ErrorsThroughAServerAreThoseOfTheDatabase) {
  const Server server(directory_);
  const Outcome syntax = fermata({"query", directory_, "SELECT * FORM things"});
  EXPECT_EQ(syntax.code, 3) << syntax;
  EXPECT_NE(syntax.err.find("^"), std::string::npos) << syntax;
  expect_one_clear_line(fermata({"query", directory_, "SELECT * FROM a WHERE b = :wanted"}), 4, "wanted");
}

TEST_F(CommandLine, AServerEndsOnASignalAndTakesItsSocketAlong) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Server server(directory_);
    EXPECT_TRUE(fs::exists(directory_ + "/control.sock"));
    server.program().signal(signal);
    const Outcome run = server.program().finish();
    EXPECT_EQ(run.code, 0) << run;
    EXPECT_FALSE(fs::exists(directory_ + "/control.sock"));
  }
}

TEST_F(CommandLine, TheControlSocketIsForItsOwnerAlone) {
  const Server server(directory_);
  struct stat info {};
  ASSERT_EQ(::stat((directory_ + "/control.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST_F(CommandLine, AfterAServerWasKilledTheDatabaseAndItsSocketAreUsedAgain) {
  {
    Server server(directory_);
    EXPECT_EQ(query("INSERT INTO things DOCUMENTS ({\"_id\": \"a\"})").size(), 1u);
    server.program().signal(SIGKILL);
    EXPECT_EQ(server.program().finish().code, 128 + SIGKILL);
  }
  EXPECT_TRUE(fs::exists(directory_ + "/control.sock"));
  EXPECT_EQ(query("SELECT * FROM things"), (Words{R"({"_id":"a"})"}));
  const Server again(directory_);
  EXPECT_EQ(query("SELECT * FROM things"), (Words{R"({"_id":"a"})"}));
}

TEST_F(CommandLine, ASecondServerOnTheSameDirectoryIsRefusedAndTheFirstGoesOn) {
  const Server server(directory_);
  expect_one_clear_line(fermata({"serve", directory_}), 12, directory_);
  EXPECT_EQ(query("INSERT INTO things DOCUMENTS ({\"_id\": \"a\"})").size(), 1u);
}

TEST_F(CommandLine, ABusyPortIsNamedAndNothingKeepsRunning) {
  const Server server(directory_, {"--listen", "127.0.0.1:0"});
  ASSERT_NE(server.address(), "");
  const std::string other = folder_ / "other";
  ASSERT_EQ(fermata({"init", other}).code, 0);
  expect_one_clear_line(fermata({"serve", other, "--listen", server.address()}), 12, server.address());
  EXPECT_FALSE(fs::exists(other + "/control.sock"));
}

TEST_F(CommandLine, AnAddressThatIsNoneAndASubscriptionThatIsNoneAreRefused) {
  expect_one_clear_line(fermata({"serve", directory_, "--listen", "nonsense"}), 4, "nonsense");
  const Outcome syntax = fermata({"serve", directory_, "--subscribe", "SELECT things"});
  EXPECT_EQ(syntax.code, 3) << syntax;
}

TEST_F(CommandLine, AnAddressThatCanNeverBeReachedIsRefused) {
  const Outcome run = fermata({"serve", directory_, "--connect", "abc"});
  EXPECT_EQ(run.code, 4) << run;
  const auto lines = lines_of(run.err);
  ASSERT_FALSE(lines.empty()) << run;
  EXPECT_NE(lines.back().find("abc"), std::string::npos) << run;
}

TEST_F(CommandLine, ANameThatNoPeerCouldTakeIsRefused) {
  expect_one_clear_line(fermata({"serve", directory_, "--name", "a\xff"}), 4, "UTF-8 text, not a\\xFF");
  expect_one_clear_line(fermata({"serve", directory_, "--name", std::string(257, 'n')}), 4, "257");
  const Server longest(directory_, {"--name", std::string(256, 'n')});
}

TEST_F(CommandLine, WhatItConnectsToIsSaidBeforeHowThatGoes) {
  Program server({"serve", directory_, "--connect", "127.0.0.1:1"});
  EXPECT_EQ(server.err_line(), "fermata: connecting to 127.0.0.1:1") << server.command();
  EXPECT_TRUE(server.err_line_with("cannot reach 127.0.0.1:1")) << server.command();
}

TEST_F(CommandLine, AServerWithoutASecretSaysWhereItWouldBe) {
  fs::remove(directory_ + "/group.secret");
  expect_one_clear_line(fermata({"serve", directory_}), 5, "group.secret");
}

TEST(LongPath, ADirectoryBeyondTheLimitOfSocketPathsIsServed) {
  const Folder folder;
  std::string directory = folder.path();
  for (int i = 0; i < 5; ++i) {
    directory += "/" + std::string(60, static_cast<char>('a' + i));
    fs::create_directory(directory);
  }
  directory += "/db";
  const Outcome init = fermata({"init", directory});
  ASSERT_EQ(init.code, 0) << init;
  const Server server(directory);
  const Outcome run = fermata({"query", directory, "INSERT INTO things DOCUMENTS ({\"_id\": \"a\"})"});
  EXPECT_EQ(run.code, 0) << run;
}

TEST_F(CommandLine, ASuspendedServerIsToldFromOneThatAnswers) {
  Server server(directory_);
  server.program().signal(SIGSTOP);
  expect_one_clear_line(fermata({"query", directory_, "SELECT * FROM things"}), 17, "suspended");
  server.program().signal(SIGCONT);
  EXPECT_EQ(query("INSERT INTO things DOCUMENTS ({\"_id\": \"a\"})").size(), 1u);
}

TEST_F(CommandLine, TwoServersOfOneGroupBringADocumentAcross) {
  const std::string other = folder_ / "other";
  ASSERT_EQ(fermata({"init", other, "--secret-file", directory_ + "/group.secret"}).code, 0);
  const Server desk(directory_, {"--listen", "127.0.0.1:0"});
  const Server phone(other, {"--connect", desk.address(), "--subscribe", "SELECT * FROM things"});
  Program watch({"watch", other, "SELECT * FROM things", "--count", "1"});
  ASSERT_TRUE(watch.err_line_with("watching")) << watch.command();
  EXPECT_EQ(query("INSERT INTO things DOCUMENTS ({\"_id\": \"a\", \"n\": 1})").size(), 1u);
  EXPECT_EQ(watch.out_line(), R"({"document":{"_id":"a","n":1},"op":"insert"})");
  const Outcome status = fermata({"status", other});
  EXPECT_NE(status.out.find("links: 1"), std::string::npos) << status;
  const Outcome sender = fermata({"status", directory_});
  EXPECT_NE(sender.out.find("; 1 document sent, 0 received\n"), std::string::npos) << sender;
}

}  // namespace
}  // namespace fermata::test
