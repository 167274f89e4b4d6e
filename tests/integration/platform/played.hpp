// A platform and a participant that a test plays, and the BackgroundSync between them.
#pragma once

#include <gtest/gtest.h>
#include <fermata/background_sync.hpp>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>

#include "integration/platform/mailbox.hpp"
#include "peer/participant.hpp"

namespace fermata {

using std::chrono::milliseconds;

// Tells what it is asked to do; the test speaks for the system.
class PlayedPlatform final : public Platform {
 public:
  struct Stage {
    Mailbox<std::string> asked;
    PlatformEvents events;
    std::promise<void> started;
    std::uint64_t wakeups = 0;  // the keeper's thread only
  };
  explicit PlayedPlatform(Stage& stage) : stage_(stage) {}
  ~PlayedPlatform() override { stage_.asked.put("destroyed"); }

  void start(PlatformEvents events) override {
    stage_.events = std::move(events);
    stage_.started.set_value();
  }
  [[nodiscard]] std::vector<Strategy> strategies() const override {
    return {Strategy::SilentAudio, Strategy::TaskAssertion};
  }
  std::optional<CostReading> cost() override {
    stage_.wakeups += 10;
    return CostReading{.process = {.wakeups = stage_.wakeups, .cpu = {}}, .sound_server = std::nullopt};
  }
  void acquire(Strategy strategy) override { stage_.asked.put("acquire " + std::string(name_of(strategy))); }
  void release(Strategy strategy) override { stage_.asked.put("release " + std::string(name_of(strategy))); }
  void ready_to_suspend() override { stage_.asked.put("ready"); }

 private:
  Stage& stage_;
};

class PlayedParticipant final : public SyncParticipant {
 public:
  void pause(const PauseOrder& order, std::function<void(std::uint64_t unsent)> done) override {
    orders.put(order);
    calls.put("pause");
    if (obedient) {
      done(unsent);
    } else {
      late_done.put(std::move(done));
    }
  }
  void resume() override { calls.put("resume"); }
  void woke() override { calls.put("woke"); }
  [[nodiscard]] ParticipantState state() const override { return {.unsynced = demand, .links = 1, .unsent = 7}; }
  void remember(const std::string& key, const std::string& text) override {
    const std::lock_guard lock(kept_mutex);
    kept[key] = text;
  }
  [[nodiscard]] std::string recall(const std::string& key) override {
    const std::lock_guard lock(kept_mutex);
    return kept[key];
  }

  Mailbox<std::string> calls;
  Mailbox<PauseOrder> orders;
  Mailbox<std::function<void(std::uint64_t)>> late_done;
  std::mutex kept_mutex;
  std::map<std::string, std::string> kept;
  std::uint64_t unsent = 2;
  std::atomic<bool> demand = true;
  std::atomic<bool> obedient = true;
};

class BackgroundSyncTest : public testing::Test {
 protected:
  void TearDown() override {
    for (SyncParticipant* each : joined_) {
      leave(*sync_, *each);
    }
  }
  void bring(PlayedParticipant& participant) {
    join(*sync_, participant);
    joined_.push_back(&participant);
    if (joined_.size() == 1) {
      stage_.started.get_future().wait();
    }
  }
  void background(milliseconds grace) { stage_.events.on_app_state(AppState::Background, grace); }
  void foreground() { stage_.events.on_app_state(AppState::Foreground, std::nullopt); }
  void audio(StrategyEvent event) { stage_.events.on_strategy(Strategy::SilentAudio, event, std::nullopt); }
  std::string asked() { return stage_.asked.take().value_or("nothing"); }
  static std::string called(PlayedParticipant& participant) { return participant.calls.take().value_or("nothing"); }

  PlayedPlatform::Stage stage_;
  PlayedParticipant participant_;
  std::vector<SyncParticipant*> joined_;
  std::unique_ptr<BackgroundSync> sync_ = std::make_unique<BackgroundSync>(std::make_unique<PlayedPlatform>(stage_));
};

}  // namespace fermata
