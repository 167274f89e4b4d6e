#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

// `fermata` with its streams as the shell's redirections leave them. Killed and reaped at the end of its scope.
class Redirected {
 public:
  Redirected(const Words& arguments, const std::string& redirections) {
    std::string command = "exec '" FERMATA_BINARY "'";
    for (const std::string& word : arguments) command += " '" + word + "'";
    command += " " + redirections;
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ~Redirected() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    static_cast<void>(code());
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  // Waits for the end. The exit code, or 128 + the signal that ended it.
  int code() {
    int status = 0;
    if (pid_ > 0) ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

std::int64_t refused_links(const std::string& directory) {
  const auto status = from_json(fermata({"status", directory, "--json"}).out);
  const Value* refused = status ? find_path(*status->if_a<Map>(), "peer.refused_links") : nullptr;
  return refused == nullptr ? 0 : refused->if_a<std::int64_t>() ? *refused->if_a<std::int64_t>() : 0;
}

// Another group refuses it again and again, and the first time it has words about that.
class UnheardServer : public CommandLine, public ::testing::WithParamInterface<const char*> {};

TEST_P(UnheardServer, GoesOnWhenNobodyCanReadItsWords) {
  const std::string strangers = folder_ / "strangers";
  ASSERT_EQ(fermata({"init", strangers}).code, 0);
  const Server other(strangers, {"--listen", "127.0.0.1:0"});
  Redirected server({"serve", directory_, "--connect", other.address()}, GetParam());
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (refused_links(strangers) < 2 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_GE(refused_links(strangers), 2);
  server.signal(SIGTERM);
  EXPECT_EQ(server.code(), 0);
}

INSTANTIATE_TEST_SUITE_P(Streams, UnheardServer, ::testing::Values("2>/dev/full", "2>&-", "0<&- 1>&- 2>&-"));

class ClosedStream : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    EXPECT_EQ(query("INSERT INTO things DOCUMENTS ({_id: 'a'})").size(), 1u);
  }
};

TEST_F(ClosedStream, OutputThatHasNowhereToGoIsAnErrorAndGoesIntoNoFile) {
  const std::string words = folder_ / "words";
  EXPECT_EQ(Redirected({"export", directory_, "things"}, ">&- 2>" + words).code(), 1);
  EXPECT_EQ(content_of(words), "fermata: cannot write the output: it is closed\n");
  EXPECT_EQ(Redirected({"query", directory_, "SELECT * FROM things"}, ">&- 2>/dev/null").code(), 1);
  EXPECT_EQ(Redirected({"--help"}, ">&- 2>/dev/null").code(), 1);
  EXPECT_EQ(Redirected({"--help"}, ">/dev/full 2>/dev/null").code(), 1);
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const bool is_lock = entry.path().filename() == "lock";
    EXPECT_TRUE(!is_lock || content_of(entry.path()).find("_id") == std::string::npos);
  }
}

TEST_F(ClosedStream, WordsThatHaveNowhereToGoChangeNoFileAndNoOutcome) {
  EXPECT_EQ(Redirected({"export", directory_, "nothing"}, "2>&-").code(), 0);
  EXPECT_EQ(Redirected({"query", directory_, "SELECT"}, "2>&-").code(), 3);
  EXPECT_EQ(query("SELECT * FROM things"), (Words{R"({"_id":"a"})"}));
}

TEST_F(ClosedStream, AnInputThatIsClosedIsNotTakenFromAnotherFile) {
  EXPECT_NE(Redirected({"import", directory_, "things", "-"}, "0<&- 2>/dev/null").code(), 0);
}

TEST_F(CommandLine, AFileOfSeveralBatchesOnStdinIsReadOnce) {
  std::string lines;
  for (int i = 100'000; i < 112'000; ++i) {
    lines += R"({"_id":")" + std::to_string(i) + R"(","text":")" + std::string(400, 'x') + "\"}\n";
  }
  const std::string file = folder_.file("many.ndjson", lines);
  EXPECT_EQ(Redirected({"import", directory_, "things", "-"}, "<" + file + " 2>/dev/null").code(), 0);
  EXPECT_EQ(fermata({"export", directory_, "things"}).out, lines);
}

}  // namespace
}  // namespace fermata::test
