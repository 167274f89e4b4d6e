// The phone's end of the lines, against clients that do not behave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "phone/line_server.hpp"

namespace fermata::phone {
namespace {

using testing::ElementsAre;

constexpr std::chrono::seconds kPatience{10};

class PhoneLines : public testing::Test {
 protected:
  PhoneLines() {
    std::string folder = (std::filesystem::temp_directory_path() / "phone-lines-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    LineServer::Callbacks callbacks;
    callbacks.on_line = [this](LineServer::ClientId client, std::string_view line) {
      heard_.emplace_back(line);
      if (answer_) answer_(client);
    };
    callbacks.on_gone = [this](LineServer::ClientId) { ++gone_; };
    server_ = LineServer::listen(loop_, path(), std::move(callbacks)).value();
  }
  ~PhoneLines() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/phone.socket"; }
  void connect(const Fd& fd) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::connect(fd.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  [[nodiscard]] Fd client() const {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connect(fd);
    return fd;
  }
  static void say(const Fd& fd, const std::string& text) {
    ASSERT_EQ(::send(fd.value(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  bool until(const std::function<bool()>& done) { return loop_.run_until(done, Loop::now() + kPatience); }

  std::string folder_;
  Loop loop_;
  std::vector<std::string> heard_;
  std::function<void(LineServer::ClientId)> answer_;
  int gone_ = 0;
  std::unique_ptr<LineServer> server_;
};

TEST_F(PhoneLines, WhoIsCutOffWhileItSpeaksIsNotHeardAnyMore) {
  answer_ = [this](LineServer::ClientId id) {
    while (gone_ == 0) server_->send(id, std::string(4000, 'x'));
  };
  const Fd deaf = client();
  say(deaf, "one\ntask begin two\n");
  EXPECT_TRUE(until([this] { return gone_ == 1; }));
  EXPECT_THAT(heard_, ElementsAre("one"));
}

TEST_F(PhoneLines, WhoHangsUpWithoutWaitingForAnAnswerIsHeardToTheEnd) {
  answer_ = [this](LineServer::ClientId id) { server_->send(id, "state foreground"); };
  Fd hasty = client();
  say(hasty, "hello 1 x\ndelivered tea\n");
  hasty.reset();
  EXPECT_TRUE(until([this] { return gone_ == 1; }));
  EXPECT_THAT(heard_, ElementsAre("hello 1 x", "delivered tea"));
}

TEST_F(PhoneLines, AStateIsKnownToWhoHasReadTheOneThatEveryClientWasToldLast) {
  const Fd fd = client();
  say(fd, "hello\n");
  ASSERT_TRUE(until([this] { return heard_.size() == 1; }));
  EXPECT_FALSE(server_->knows_state(1, 0)) << "it was told nothing";
  server_->send(1, "state foreground");
  EXPECT_TRUE(server_->knows_state(1, 1));
  server_->send(0, "state background time_left_ms=1");
  server_->send(1, "state background time_left_ms=1");  // the same, said again
  server_->send(0, "condition metered on");
  EXPECT_FALSE(server_->knows_state(1, 1));
  EXPECT_TRUE(server_->knows_state(1, 2));
  EXPECT_TRUE(server_->knows_state(1, 3));
  EXPECT_FALSE(server_->knows_state(1, 4)) << "it was not told so many";
  EXPECT_FALSE(server_->knows_state(2, 1)) << "there is no such client";
}

TEST_F(PhoneLines, WhatAHungUpClientHadSaidIsNotHeard) {
  const Fd waiting = client();
  say(waiting, "task begin old\n");
  server_->hang_up();
  const Fd next = client();
  say(next, "new\n");
  EXPECT_TRUE(until([this] { return !heard_.empty(); }));
  EXPECT_THAT(heard_, ElementsAre("new"));
  EXPECT_EQ(gone_, 0);
}

TEST_F(PhoneLines, OneClientMoreThanTheLimitIsClosedAndTheOthersAreHeard) {
  std::vector<Fd> clients;
  for (std::size_t i = 0; i < LineServer::kMostClients; ++i) {
    clients.push_back(client());
    say(clients.back(), "here\n");
    ASSERT_TRUE(until([&] { return heard_.size() == i + 1; }));
  }
  const Fd one_more = client();
  pollfd end{one_more.value(), POLLIN, 0};
  EXPECT_TRUE(until([&] { return poll(&end, 1, 0) == 1; }));
  char nothing = 0;
  EXPECT_EQ(read(one_more.value(), &nothing, 1), 0);
  clients.pop_back();
  ASSERT_TRUE(until([this] { return gone_ == 1; }));
  say(clients.front(), "still here\n");
  say(client(), "in its place\n");
  EXPECT_TRUE(until([this] { return heard_.size() >= LineServer::kMostClients + 1; }));
}

TEST_F(PhoneLines, WithoutADescriptorLeftItWaitsInsteadOfSpinning) {
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  bool over = false;
  const auto alarm = loop_.timer([&] { over = true; });
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  connect(fd);
  say(fd, "patience\n");
  int turns = 0;
  alarm->arm(Loop::now() + std::chrono::milliseconds(350));
  loop_.run_until([&] { return ++turns > 1000 || over; });
  EXPECT_TRUE(heard_.empty());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LT(turns, 30);
  EXPECT_TRUE(until([this] { return !heard_.empty(); }));
}

}  // namespace
}  // namespace fermata::phone
