// The whole of it: BackgroundSync, a real sound server and a scripted phone.
#include <gtest/gtest.h>
#include <fermata/background_sync.hpp>

#include "integration/platform/mailbox.hpp"
#include "integration/platform/scripted_phone.hpp"
#include "integration/platform/sound_server.hpp"
#include "peer/participant.hpp"

namespace fermata {
namespace {

class Syncing final : public SyncParticipant {
 public:
  void pause(const PauseOrder& /*order*/, std::function<void(std::uint64_t unsent)> done) override {
    calls.put("pause");
    done(0);
  }
  void resume() override { calls.put("resume"); }
  void woke() override {}
  [[nodiscard]] ParticipantState state() const override { return {.unsynced = true, .links = 1}; }
  void remember(const std::string& /*key*/, const std::string& /*text*/) override {}
  [[nodiscard]] std::string recall(const std::string& /*key*/) override { return {}; }
  Mailbox<std::string> calls;
};

class Call : public testing::Test {
 protected:
  void SetUp() override {
    join(sync_, participant_);
    phone_.accept();
    EXPECT_EQ(phone_.hear().substr(0, 6), "hello ");
    phone_.say("state foreground\n");
    sync_.observe([this](const BackgroundSyncStatus& status) { seen_.put(status); });
    sync_.start();
    phone_.say("state background time_left_ms=60000\n");
    ASSERT_TRUE(await_held(Strategy::SilentAudio));
    EXPECT_TRUE(server_.await_stream(true, false));
  }
  void TearDown() override {
    sync_.observe({});
    leave(sync_, participant_);
  }
  bool await_held(Strategy strategy) {
    return seen_.await([&](const auto& status) { return status.holding && status.strategy == strategy; });
  }
  std::string granted_task(const std::string& time_left_ms) {
    const std::string line = phone_.hear();
    EXPECT_EQ(line.substr(0, 11), "task begin ");
    const std::string name = line.size() > 11 ? line.substr(11) : "none";
    phone_.say("task granted " + name + " time_left_ms=" + time_left_ms + "\n");
    EXPECT_TRUE(await_held(Strategy::TaskAssertion));
    return name;
  }

  SoundServer server_;
  ScriptedPhone phone_;
  Syncing participant_;
  Mailbox<BackgroundSyncStatus> seen_;
  BackgroundSync sync_{make_default_platform()};
};

TEST_F(Call, IsBridgedAndSyncNeverPauses) {
  auto call = server_.call();
  const std::string task = granted_task("60000");
  EXPECT_TRUE(server_.await_stream(true, true));
  call.reset();
  EXPECT_EQ(phone_.hear(), "task end " + task);
  EXPECT_TRUE(server_.await_stream(true, false));
  EXPECT_TRUE(participant_.calls.empty());
  EXPECT_EQ(sync_.status().interruptions, 1u);
  EXPECT_EQ(sync_.status().recoveries, 1u);
  phone_.say("state foreground\n");
  EXPECT_TRUE(server_.await_stream(false, false));
}

TEST_F(Call, ThatOutlastsTheBridgePausesSyncAndItsEndResumesIt) {
  auto call = server_.call();
  const std::string task = granted_task("60000");
  phone_.say("task expiring " + task + " time_left_ms=5000\n");
  EXPECT_EQ(participant_.calls.take(), "pause");
  EXPECT_EQ(phone_.hear(), "task end " + task);
  EXPECT_EQ(phone_.hear(), "ready 2");
  call.reset();
  EXPECT_EQ(participant_.calls.take(), "resume");
  EXPECT_TRUE(server_.await_stream(true, false));
}

TEST_F(Call, WithAReturnToTheForegroundLeavesNothingBehind) {
  auto call = server_.call();
  const std::string task = granted_task("60000");
  phone_.say("state foreground\n");
  EXPECT_EQ(phone_.hear(), "task end " + task);
  EXPECT_TRUE(server_.await_stream(false, false));
  EXPECT_TRUE(participant_.calls.empty());
}

TEST_F(Call, ADeadSoundServerIsBridgedToo) {
  server_.kill();
  const std::string task = granted_task("60000");
  server_.start();
  EXPECT_EQ(phone_.hear(), "task end " + task);
  EXPECT_TRUE(server_.await_stream(true, false));
  EXPECT_TRUE(participant_.calls.empty());
}

}  // namespace
}  // namespace fermata
