#include "net_fixture.hpp"

namespace fermata::net {
namespace {

TEST(Link, TellsEachSideWhoTheOtherIs) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  EXPECT_EQ(pair.listener.last().info.remote, pair.dialer.identity.device());
  EXPECT_EQ(pair.dialer.last().info.remote, pair.listener.identity.device());
  EXPECT_TRUE(pair.dialer.last().info.dialed_by_us);
  EXPECT_FALSE(pair.listener.last().info.dialed_by_us);
  EXPECT_EQ(pair.dialer.last().info.address, pair.address);
}

TEST(Link, CarriesFramesBothWaysInOrder) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  constexpr std::size_t kFrames = 5000;
  for (std::size_t i = 0; i < kFrames; ++i) {
    pair.dialer.transport->send(pair.dialer.last_link(), pattern(i % 97, static_cast<unsigned>(i)));
    pair.listener.transport->send(pair.listener.last_link(), pattern(i % 89, static_cast<unsigned>(i)));
  }
  ASSERT_TRUE(pair.loop.run_until([&] { return pair.dialer.frames() == kFrames && pair.listener.frames() == kFrames; }))
      << pair.dialer.frames() << " and " << pair.listener.frames();
  for (std::size_t i = 0; i < kFrames; ++i) {
    ASSERT_EQ(pair.listener.last().frames[i], pattern(i % 97, static_cast<unsigned>(i))) << "frame " << i;
    ASSERT_EQ(pair.dialer.last().frames[i], pattern(i % 89, static_cast<unsigned>(i))) << "frame " << i;
  }
}

TEST(Link, CarriesLargeFramesBothWaysAtOnce) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  const Bytes there = pattern(5 << 20, 3), back = pattern(kMaxFrame, 4);
  pair.dialer.transport->send(pair.dialer.last_link(), there);
  pair.listener.transport->send(pair.listener.last_link(), back);
  ASSERT_TRUE(pair.loop.run_until([&] { return pair.dialer.frames() == 1 && pair.listener.frames() == 1; }));
  EXPECT_TRUE(pair.listener.last().frames[0] == there);
  EXPECT_TRUE(pair.dialer.last().frames[0] == back);
  EXPECT_GT(pair.dialer.transport->stats().bytes_sent, there.size());
  EXPECT_EQ(pair.dialer.transport->stats().bytes_sent, pair.listener.transport->stats().bytes_received);
}

}  // namespace
}  // namespace fermata::net
