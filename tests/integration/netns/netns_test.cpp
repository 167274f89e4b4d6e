// Eight real `fermata serve` on hosts of their own, and what networks and people do to them.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <thread>

#include "integration/cli/program.hpp"
#include "network.hpp"

namespace fermata::test {
namespace {

constexpr int kPeers = 8;
constexpr const char* kEverything = "SELECT * FROM items";

class Apart : public testing::Test {
 protected:
  void SetUp() override {
    if (!network_.trouble().empty()) GTEST_SKIP() << "no network namespaces here (root?): " << network_.trouble();
    secret_ = folder_.file("secret", "the secret that all eight of them know\n");
    for (int i = 0; i < kPeers; ++i) {
      const Outcome made = fermata({"init", directory(i), "--secret-file", secret_});
      ASSERT_EQ(made.code, 0) << made;
      launch(i);
    }
    for (int i = 0; i < kPeers; ++i) ASSERT_TRUE(ready(i));
    write(0, "first");
    converge();
  }

  [[nodiscard]] std::string directory(int peer) const { return folder_ / std::to_string(peer); }

  // A ring with chords: each has four links.
  void launch(int peer) {
    Words words{"serve", directory(peer), "--name", "host " + std::to_string(peer), "--subscribe", kEverything};
    words.insert(words.end(), {"--listen", Network::address(peer) + ":7411"});
    for (const int step : {1, 3})
      words.insert(words.end(), {"--connect", Network::address((peer + step) % kPeers) + ":7411"});
    const Network::Visit visit(network_, peer);
    programs_[peer] = std::make_unique<Program>(words);
  }
  testing::AssertionResult ready(int peer) {
    if (programs_[peer]->err_line_with("fermata: ready")) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "peer " << peer << " is not ready; repeat with "
                                       << programs_[peer]->command();
  }

  // 20 documents of its own, and a field of one that everybody writes to.
  void write(int peer, const std::string& occasion) {
    const std::string who = std::to_string(peer);
    std::string lines;
    for (int i = 0; i < 20; ++i) {
      lines += R"({"_id":")" + occasion + "-" + who + "-" + std::to_string(i) + R"(","text":")" +
               std::string(500, static_cast<char>('a' + i)) + "\"}\n";
    }
    lines += R"({"_id":"shared","by_)" + who + R"(":")" + occasion + "\"}\n";
    const Outcome imported = fermata({"import", directory(peer), "items", "-"}, lines);
    ASSERT_EQ(imported.code, 0) << imported;
    documents_ += 20;
  }
  [[nodiscard]] std::string content(int peer) const {
    const Outcome exported = fermata({"export", directory(peer), "items"});
    EXPECT_EQ(exported.code, 0) << exported;
    return exported.out;
  }
  // Everybody except `but` comes to hold the same, which is all that was written.
  void converge(int but = -1) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    std::string expected;
    for (int i = 0; i < kPeers; ++i) {
      if (i == but) continue;
      std::string held = content(i);
      while (lines_of(held).size() != documents_ + 1 || (!expected.empty() && held != expected)) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline)
            << "peer " << i << " holds " << lines_of(held).size() << " of " << documents_ + 1 << " documents\n"
            << fermata({"status", directory(i)}) << "\nrepeat with " << testing::internal::GetArgvs().front();
        std::this_thread::yield();
        held = content(i);
      }
      expected = std::move(held);
    }
  }

  Network network_{kPeers};
  Folder folder_;
  std::string secret_;
  std::unique_ptr<Program> programs_[kPeers];
  std::size_t documents_ = 0;  // besides the shared one
};

TEST_F(Apart, ConvergeAfterAPartitionHeals) {
  ASSERT_TRUE(network_.split(4)) << network_.trouble();
  write(1, "apart");
  write(6, "apart");
  const std::size_t near = lines_of(content(1)).size(), far = lines_of(content(6)).size();
  EXPECT_EQ(near, far);
  EXPECT_LT(near, documents_ + 1) << "or nothing was apart";
  ASSERT_TRUE(network_.heal()) << network_.trouble();
  converge();
}

TEST_F(Apart, ConvergeOverASlowAndALossyNetwork) {
  ASSERT_TRUE(network_.limit_rate(0, "1mbit") && network_.limit_rate(3, "1mbit")) << network_.trouble();
  for (int i = 0; i < kPeers; ++i) {
    if (!network_.lose(i, 5)) GTEST_SKIP() << "packets cannot be lost here: " << network_.trouble();
  }
  for (const int peer : {0, 2, 5}) write(peer, "slow");
  converge();
}

TEST_F(Apart, TheOthersGoOnWhileOneIsFrozenAndOneIsKilled) {
  programs_[3]->signal(SIGSTOP);
  write(2, "frozen");
  converge(3);
  programs_[3]->signal(SIGCONT);
  converge();
  write(5, "killed");
  programs_[5]->signal(SIGKILL);
  programs_[5].reset();
  write(4, "killed");
  launch(5);
  ASSERT_TRUE(ready(5));
  write(5, "restarted");
  converge();
}

}  // namespace
}  // namespace fermata::test
