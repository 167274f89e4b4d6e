#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

// A client of the control socket that says whatever it likes.
class RawClient {
 public:
  explicit RawClient(const std::string& directory) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory + "/control.sock").copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // As much as the server takes.
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // Without its end; empty once the server closed, or after the deadline.
  std::string line() {
    while (true) {
      if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      pollfd entry{fd_, POLLIN, 0};
      const auto deadline = std::chrono::duration_cast<std::chrono::milliseconds>(kDeadline).count();
      char chunk[4096];
      if (::poll(&entry, 1, static_cast<int>(deadline)) != 1) return {};
      const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0) return {};
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }

 private:
  int fd_;
  std::string buffer_;
};

class ControlSocket : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    server_.emplace(directory_);
  }

  void expect_error_and_a_server_that_goes_on(const std::string& bytes, const std::string& code) {
    RawClient client(directory_);
    EXPECT_EQ(client.line(), R"({"fermata":"control","version":2})");
    client.send(bytes);
    EXPECT_TRUE(client.line().starts_with(R"({"error":{"code":")" + code + "\"")) << bytes.substr(0, 200);
    EXPECT_EQ(client.line(), "") << "the connection must end";
    EXPECT_EQ(query("SELECT * FROM things"), Words{});
  }

  std::optional<Server> server_;
};

TEST_F(ControlSocket, AnswersSeveralRequestsOnOneConnection) {
  RawClient client(directory_);
  EXPECT_EQ(client.line(), R"({"fermata":"control","version":2})");
  client.send(
      "{\"op\":\"execute\",\"statement\":\"INSERT INTO a DOCUMENTS (:d)\",\"parameters\":{\"d\":{\"_id\":\"x\"}}}\n"
      "{\"op\":\"execute\",\"statement\":\"SELECT\"}\n"
      "{\"op\":\"execute\",\"statement\":\"SELECT * FROM a\"}\n");
  EXPECT_EQ(client.line(), R"({"id":"x"})");
  EXPECT_EQ(client.line(), R"({"ok":true})");
  EXPECT_TRUE(client.line().starts_with(R"({"error":{"code":"syntax")"));
  EXPECT_EQ(client.line(), R"({"item":{"_id":"x"}})");
  EXPECT_EQ(client.line(), R"({"ok":true})");
}

TEST_F(ControlSocket, GarbageIsAnsweredWithAnErrorAndEndsOnlyItsConnection) {
  expect_error_and_a_server_that_goes_on("\x16\x03\x01 GET / HTTP/1.1\r\n\r\n", "malformed");
  expect_error_and_a_server_that_goes_on("[1,2]\n", "malformed");
  expect_error_and_a_server_that_goes_on("{\"op\":5}\n", "malformed");
  expect_error_and_a_server_that_goes_on("{\"op\":\"dance\"}\n", "malformed");
  expect_error_and_a_server_that_goes_on("{\"op\":\"execute\",\"statement\":7}\n", "malformed");
  expect_error_and_a_server_that_goes_on("{\"op\":\"import\",\"collection\":\"a\"}\n{\"document\":5}\n", "malformed");
  expect_error_and_a_server_that_goes_on(std::string(100000, '[') + std::string(100000, ']') + "\n", "limit_exceeded");
}

TEST_F(ControlSocket, ALineWithoutEndIsCutOffAtItsLimit) {
  expect_error_and_a_server_that_goes_on(std::string(105u << 20, 'x'), "limit_exceeded");
}

std::string document_of_arrays(std::size_t levels) {
  return R"({"_id":"deep","a":)" + std::string(levels, '[') + "1" + std::string(levels, ']') + "}\n";
}

TEST_F(ControlSocket, TakesDocumentsAsDeepAsTheDatabaseDoesAndGivesThemBack) {
  const std::string deepest = document_of_arrays(63);
  const std::string too_deep = folder_.file("too_deep.jsonl", document_of_arrays(64));
  const Outcome import = fermata({"import", directory_, "things", "-"}, deepest);
  EXPECT_EQ(import.code, 0) << import;
  const Outcome refused = fermata({"import", directory_, "things", too_deep});
  expect_one_clear_line(refused, 8, "64 levels");
  EXPECT_EQ(fermata({"export", directory_, "things"}).out, deepest);
  Program watch({"watch", directory_, "SELECT * FROM things", "--count", "1"});
  EXPECT_EQ(watch.out_line().value_or("") + "\n",
            R"({"document":)" + deepest.substr(0, deepest.size() - 1) + R"(,"op":"insert"})" + "\n");
  server_.reset();
  const Outcome direct = fermata({"import", directory_, "others", "-"}, deepest);
  EXPECT_EQ(direct.code, 0) << direct;
  EXPECT_EQ(fermata({"import", directory_, "others", too_deep}).err, refused.err);
}

TEST_F(ControlSocket, TakesADocumentThatGrowsSixfoldAsJsonAndGivesItBack) {
  std::string document = R"({"_id":"a","text":")";
  for (int i = 0; i < (7 << 20); ++i) document += "\\u0001";
  document += "\"}\n";
  const Outcome import = fermata({"import", directory_, "things", folder_.file("large.jsonl", document)});
  EXPECT_EQ(import.code, 0) << import;
  EXPECT_TRUE(fermata({"export", directory_, "things"}).out == document);
}

TEST_F(ControlSocket, AnImportThatIsNotCommittedLeavesNothingBehind) {
  {
    RawClient client(directory_);
    client.send("{\"op\":\"import\",\"collection\":\"things\"}\n{\"document\":{\"_id\":\"a\"}}\n");
  }
  EXPECT_EQ(query("SELECT * FROM things"), Words{});
}

TEST_F(ControlSocket, ConnectionsBeyondTheLimitAreToldSoAndTheOthersGoOn) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<RawClient>(directory_));
    ASSERT_EQ(clients.back()->line(), R"({"fermata":"control","version":2})");
  }
  RawClient one_more(directory_);
  EXPECT_TRUE(one_more.line().starts_with(R"({"error":{"code":"busy")"));
  clients.front()->send("{\"op\":\"collections\"}\n");
  EXPECT_EQ(clients.front()->line(), R"({"collections":{},"ok":true})");
}

TEST_F(ControlSocket, AServerEndsWhileClientsAreConnectedAndWatch) {
  RawClient idle(directory_), watching(directory_);
  watching.send("{\"op\":\"watch\",\"statement\":\"SELECT * FROM things\"}\n");
  EXPECT_NE(watching.line(), "");
  EXPECT_EQ(watching.line(), R"({"ready":true})");
  server_->program().signal(SIGTERM);
  EXPECT_EQ(server_->program().finish().code, 0);
  EXPECT_EQ(watching.line(), "");
}

// What a watcher is told, put together; each step must fit what it was told before.
class Told {
 public:
  void take(const std::string& line) {
    const auto parsed = from_json(line);
    ASSERT_TRUE(parsed) << line.substr(0, 200);
    const auto& change = *parsed->if_a<Map>()->at("change").if_a<Map>();
    const auto& op = *change.at("op").if_a<std::string>();
    const Map& document = *change.at("document").if_a<Map>();
    const auto& id = *document.at("_id").if_a<std::string>();
    EXPECT_EQ(documents_.contains(id), op != "insert") << op << " of " << id;
    EXPECT_TRUE(op != "delete" || documents_[id] == document) << id;
    documents_.erase(id);
    if (op != "delete") documents_.emplace(id, document);
    ++lines_;
  }
  [[nodiscard]] const std::map<std::string, Map>& documents() const { return documents_; }
  [[nodiscard]] int lines() const { return lines_; }

 private:
  std::map<std::string, Map> documents_;
  int lines_ = 0;
};

TEST_F(ControlSocket, AWatcherThatReadsLateIsToldFewerAndLargerStepsAndNoGap) {
  RawClient watching(directory_), writer(directory_);
  watching.send("{\"op\":\"watch\",\"statement\":\"SELECT * FROM things ORDER BY n\"}\n");
  EXPECT_NE(watching.line(), "");
  EXPECT_EQ(watching.line(), R"({"ready":true})");
  EXPECT_NE(writer.line(), "");
  const auto write = [&](const std::string& statement) {
    writer.send("{\"op\":\"execute\",\"statement\":\"" + statement + "\"}\n");
    std::string answer = writer.line();
    while (answer.find("\"id\":") != std::string::npos) answer = writer.line();
    EXPECT_EQ(answer, R"({"ok":true})") << statement.substr(0, 200);
  };
  const std::string text(200'000, 'x');
  constexpr int kRounds = 90;
  for (int i = 0; i < kRounds; ++i) {
    const std::string id = "'" + std::string(1, static_cast<char>('a' + i % 4)) + "'";
    if (i % 5 == 4) {
      write("DELETE FROM things WHERE _id = " + id);
    } else {
      write("INSERT INTO things DOCUMENTS ({_id: " + id + ", n: " + std::to_string(i * 7 % 11) + ", t: '" + text +
            "'}) ON ID CONFLICT DO UPDATE");
    }
  }
  write("INSERT INTO things DOCUMENTS ({_id: 'end', n: 100})");
  Told told;
  while (!told.documents().contains("end") && !HasFatalFailure()) told.take(watching.line());
  EXPECT_LT(told.lines(), kRounds / 2);
  std::string documents;
  for (const auto& [id, document] : told.documents()) documents += to_json(document) + "\n";
  EXPECT_TRUE(documents == fermata({"export", directory_, "things"}).out);
}

}  // namespace
}  // namespace fermata::test
