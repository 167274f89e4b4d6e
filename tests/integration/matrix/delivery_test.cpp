// A day in the background, shortened: whatever happens to the sound, every change arrives while the app is not in
// front.
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "integration/matrix/matrix.hpp"

namespace fermata::test {
namespace {

class MatrixDelivery : public Matrix {
 protected:
  // FERMATA_DELIVERY_SECONDS makes it longer; 180 s are half an hour at the policy's scale.
  static std::chrono::seconds length() {
    const char* wish = std::getenv("FERMATA_DELIVERY_SECONDS");
    return std::chrono::seconds(wish != nullptr ? std::atoi(wish) : 8);
  }
};

TEST_F(MatrixDelivery, EverythingArrivesInTheBackgroundThroughCallsAlarmsRoutesAndDeaths) {
  fill_desk(100);
  start_phone({.time_scale = "0.2"});
  ASSERT_TRUE(synced()) << report();
  leave_and_hold();
  std::mt19937 random(11);
  // None longer than the assertion, which is what the keeper can bridge.
  const char* const troubles[] = {"call 2s", "alarm 500ms", "route lost\nwait 2s\nroute back", "media-services reset",
                                  "call 1s"};
  const auto begin = std::chrono::steady_clock::now();
  auto next_trouble = begin + std::chrono::seconds(1);
  int written = 0;
  for (auto due = begin; due < begin + length(); due += std::chrono::milliseconds(100)) {
    std::this_thread::sleep_until(due);  // the pace of the writer, not a wait for anything
    write(1);
    ++written;
    if (due < next_trouble) continue;
    next_trouble = due + std::chrono::milliseconds(3000 + random() % 1000);
    act(troubles[random() % std::size(troubles)]);
  }
  ASSERT_TRUE(synced()) << report();
  EXPECT_EQ(events_.count("frozen"), 0u) << report();
  RecordProperty("changes", written);
  finish();
  EXPECT_TRUE(gaps().empty());
}

}  // namespace
}  // namespace fermata::test
