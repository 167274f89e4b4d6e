// Two or more engines on real stores in memory, joined by a wire that a test moves by hand.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "base/hash.hpp"
#include "base/random.hpp"
#include "support/memory_vfs.hpp"
#include "sync/engine.hpp"

namespace fermata::sync {

inline constexpr const char* kAll = "SELECT * FROM cars";

// Stands still unless a test moves it.
struct StillClock final : Clock {
  [[nodiscard]] Instant now() override { return time; }
  [[nodiscard]] WallTime wall_now() override { return wall; }
  Instant time{};
  WallTime wall{std::chrono::milliseconds(1'700'000'000'000)};
};

struct Node {
  explicit Node(std::string device, EngineOptions given = {}) : random(hash64(as_bytes(device))), options(given) {
    options.device = options.name = std::move(device);
    open();
  }
  void open() {
    store::StoreOptions store_options;
    store_options.directory = "/" + options.device;
    store_options.vfs = disk.vfs();
    store_options.clock = &clock;
    store_options.random = &random;
    store_options.boot_id = disk.boot_id();
    store_options.lock_directory = false;
    auto opened = store::Store::open(store_options);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    store = std::move(*opened);
    store->set_commit_listener([this](store::CommitEvent&& event) { commits.push_back(std::move(event)); });
    engine = std::make_unique<Engine>(*store, options);
  }
  SubscriptionId subscribe(const std::string& select) {
    return engine->subscribe(query::Predicate::parse(select, {}).value(), now());
  }
  // Inserts, or sets the fields of, one document.
  void put(const std::string& id, const Map& fields, const std::string& collection = "cars") {
    auto transaction = store->begin().value();
    const bool alive = transaction.load(collection, id)->alive();
    if (!alive) {
      ASSERT_TRUE(transaction.insert(collection, id, fields));
    }
    for (const auto& [name, value] : fields) {
      if (!alive) break;
      ASSERT_TRUE(transaction.set(collection, id, {name}, value));
    }
    ASSERT_TRUE(transaction.commit());
  }
  void remove(const std::string& id) {
    auto transaction = store->begin().value();
    ASSERT_TRUE(transaction.remove("cars", id));
    ASSERT_TRUE(transaction.commit());
  }
  [[nodiscard]] crdt::Document at(const std::string& id) { return store->load("cars", id).value(); }
  [[nodiscard]] Instant now() { return clock.time; }
  // Commits in, actions out.
  std::vector<Action> drain() {
    for (; !commits.empty(); commits.pop_front()) engine->committed(commits.front(), now());
    std::vector<Action> actions;
    while (auto action = engine->poll()) actions.push_back(std::move(*action));
    return actions;
  }
  [[nodiscard]] SessionStatus session() { return engine->sessions().at(0); }

  StillClock clock;
  SeededRandom random;
  EngineOptions options;
  support::MemoryDisk disk;
  std::unique_ptr<store::Store> store;
  std::deque<store::CommitEvent> commits;
  std::unique_ptr<Engine> engine;
};

struct Pair {
  Node& a;
  Node& b;
  LinkId link = 0;
  std::size_t frames = 0, bytes = 0;  // delivered, both ways
  std::optional<Error> closed;

  void open(LinkId id = 1) {
    link = id;
    closed.reset();
    a.engine->link_opened({id, b.options.device, "b", true}, a.now());
    b.engine->link_opened({id, a.options.device, "a", false}, b.now());
  }
  void cut() {
    a.engine->link_closed(link, a.now());
    b.engine->link_closed(link, b.now());
    (void)a.drain();
    (void)b.drain();
  }
  // Delivers what each side has said by now. Result: how many frames there were.
  std::size_t exchange() {
    std::vector<Action> from_a = a.drain();
    std::vector<Action> from_b = b.drain();
    return deliver(from_a, b) + deliver(from_b, a);
  }
  void settle() {
    while (exchange() != 0) {
    }
  }
  void connect(LinkId id = 1) {
    open(id);
    settle();
  }

 private:
  std::size_t deliver(std::vector<Action>& actions, Node& to) {
    for (Action& action : actions) {
      if (auto* frame = std::get_if<SendFrame>(&action)) {
        ++frames;
        bytes += frame->frame.size();
        to.engine->frame_received(frame->link, frame->frame, to.now());
      } else {
        closed = std::get<CloseLink>(action).why;
        a.engine->link_closed(std::get<CloseLink>(action).link, a.now());
        b.engine->link_closed(std::get<CloseLink>(action).link, b.now());
      }
    }
    return actions.size();
  }
};

}  // namespace fermata::sync
