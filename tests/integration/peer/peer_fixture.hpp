// A whole peer with a directory of its own, and ways to wait for what it comes to hold.
#pragma once

#include <gtest/gtest.h>
#include <fermata/fermata.hpp>

#include <condition_variable>
#include <mutex>

#include "support/temp_dir.hpp"

namespace fermata {

inline constexpr auto kPatience = std::chrono::seconds(20);

// A platform under the test's control.
class TestPlatform final : public Platform {
 public:
  void start(PlatformEvents events) override { events_ = std::move(events); }
  [[nodiscard]] std::vector<Strategy> strategies() const override { return {Strategy::SilentAudio}; }
  void acquire(Strategy strategy) override { events_.on_strategy(strategy, StrategyEvent::Held, std::nullopt); }
  void release(Strategy) override {}
  void ready_to_suspend() override {
    const std::lock_guard lock(mutex_);
    ready_ = true;
    changed_.notify_all();
  }
  bool wait_ready() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return ready_; });
  }
  PlatformEvents events_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
};

// The latest result of an observed query, and a way to wait for one that satisfies a condition.
class Watched {
 public:
  Watched(Database& database, std::string_view select) {
    auto observed = database.observe(select, [this](const QueryResult& result) {
      const std::lock_guard lock(mutex_);
      items_ = result.items;
      changed_.notify_all();
    });
    EXPECT_TRUE(observed) << observed.error().message;
    if (observed) observation_ = std::move(*observed);
  }
  ~Watched() { observation_ = Observation(); }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return condition(items_); });
  }
  bool wait_count(std::size_t count) {
    return wait([count](const std::vector<Map>& items) { return items.size() == count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Map> items_;
  Observation observation_;
};

struct TestPeer {
  explicit TestPeer(const std::string& secret = "sixteen bytes of secret") : secret_text(secret) { open(); }
  void open() {
    peer.reset();
    auto opened = Peer::open(
        {.directory = directory.path(), .secret = Secret::from_text(secret_text).value(), .background = &background});
    ASSERT_TRUE(opened) << opened.error().message;
    peer = std::move(*opened);
  }
  std::string listen() {
    const auto started = peer->start({.listen = {"127.0.0.1:0"}});
    EXPECT_TRUE(started) << started.error().message;
    return peer->status().listening.at(0);
  }
  void connect(const std::string& address) {
    const auto started = peer->start({.connect = {address}});
    EXPECT_TRUE(started) << started.error().message;
  }
  void want(std::string_view select) {
    auto subscribed = peer->subscribe(select);
    ASSERT_TRUE(subscribed) << subscribed.error().message;
    wanted.push_back(std::move(*subscribed));
  }
  QueryResult run(std::string_view statement, const Map& parameters = {}) {
    auto result = peer->database().execute(statement, parameters);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : QueryResult{};
  }
  Database& database() { return peer->database(); }

  std::string secret_text;
  support::TempDir directory;
  TestPlatform* platform = new TestPlatform;  // owned by background
  BackgroundSync background{std::unique_ptr<Platform>(platform)};
  std::unique_ptr<Peer> peer;
  std::vector<Subscription> wanted;
};

}  // namespace fermata
