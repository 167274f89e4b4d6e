#include "net/dialer.hpp"
#include "net/framing.hpp"
#include "net/socket.hpp"
#include "stranger.hpp"

namespace fermata::net {
namespace {

Endpoint endpoint(const std::string& address) {
  return lookup(parse_address(address).value(), Names::NumericOnly).value().front();
}

// Many small questions, each with an answer, and nobody who reads the answers.
TEST(Flow, WhoeverAsksAndDoesNotListenIsNotReadAnyFurther) {
  TestLoop loop;
  TransportOptions options = Node::quick();
  options.pause_reading_above = 256 << 10;
  Node node{loop, make_identity(), options};
  const std::string address = node.transport->listen("127.0.0.1:0").value();
  const Identity member = make_identity();
  std::size_t asked = 0, answered = 0, most_queued = 0;
  const Bytes answer = pattern(60);
  node.transport->set_events({.on_open = [&](const LinkInfo& info) { node.links[info.link].info = info; },
                              .on_frame =
                                  [&](LinkId link, const Bytes&) {
                                    ++answered;
                                    node.transport->send(link, answer);
                                    most_queued = std::max(most_queued, node.transport->stats().queued_bytes);
                                  },
                              .on_close = [&](LinkId link, const Error&) { node.links[link].closed = true; }});
  TlsStranger stranger(address, trusting(member));
  ASSERT_TRUE(loop.run_until([&] { return stranger.poll() || stranger.finished_handshake(); }));
  stranger.send(Bytes{0, 0, 0, 0});
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 1; }));
  Bytes questions;
  for (int i = 0; i < 200; ++i) questions.insert(questions.end(), {0, 0, 0, 1, 42});
  // Until the kernel's buffers are full both ways.
  ASSERT_TRUE(loop.run_until([&] {
    for (int i = 0; i < 200 && stranger.unsent() == 0; ++i, asked += 200) stranger.send(questions);
    stranger.push_unsent();
    return node.transport->stats().queued_bytes > options.pause_reading_above && stranger.unsent() > 0;
  })) << asked
      << " asked, " << answered << " answered";
  const std::size_t stalled_at = answered;
  // Another one is served as before.
  Node friendly{loop};
  friendly.transport->keep_dialing(address);
  ASSERT_TRUE(loop.run_until([&] { return friendly.open() == 1; }));
  friendly.transport->send(friendly.last_link(), pattern(10));
  ASSERT_TRUE(loop.run_until([&] { return friendly.frames() == 1; }));
  EXPECT_EQ(answered, stalled_at + 1);
  // One read's worth of questions may come on top.
  EXPECT_LT(most_queued, options.pause_reading_above + (2 << 20));
  // And once it listens, nothing is missing.
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll() || answered == asked + 1; })) << answered << " of " << asked;
  EXPECT_TRUE(loop.run_until([&] {
    return stranger.poll() || stranger.plaintext().size() == kFrameHeader + asked * (kFrameHeader + answer.size());
  }));
  EXPECT_EQ(node.open(), 2u);
}

TEST(Flow, FramesOfAllSizesArriveInTheirOrder) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  std::vector<Bytes> sent;
  std::size_t bytes = 0;
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 40'000, 3, 16'379, 16'380, 16'384, 2, 300'000, 0, 0, 70'000}) {
    for (unsigned seed = 0; seed < 20; ++seed) sent.push_back(pattern(size, seed));
  }
  for (const Bytes& frame : sent) {
    pair.dialer.transport->send(pair.dialer.last_link(), frame);
    bytes += kFrameHeader + frame.size();
  }
  EXPECT_LE(pair.dialer.transport->stats().queued_bytes, bytes + kFrameHeader);
  EXPECT_GE(pair.dialer.transport->stats().queued_bytes, bytes);
  ASSERT_TRUE(pair.loop.run_until([&] { return pair.listener.frames() == sent.size(); }));
  EXPECT_TRUE(pair.listener.last().frames == sent);
  EXPECT_EQ(pair.dialer.transport->stats().queued_bytes, 0u);
}

struct DialerTest : testing::Test {
  TestLoop loop;
  AsioLoop& asio = static_cast<AsioLoop&>(*loop);
  TransportOptions options;
  std::vector<std::string> connected;
  std::vector<Error> failures;

  DialerTest() { options.handshake_timeout = std::chrono::hours(1); }

  std::shared_ptr<Dialer> dial(const std::vector<Endpoint>& endpoints) {
    auto dialer = std::make_shared<Dialer>(
        asio, options, "name:1", HostPort{"name", 1},
        Dialer::Events{[this](Dialer&, const Fd&, const Endpoint& remote) { connected.push_back(to_text(remote)); },
                       [this](const Error& error) { failures.push_back(error); }},
        [endpoints](AsioLoop& on, const HostPort&, const auto& done) {
          on.post([done, endpoints] { done(endpoints); });
        });
    dialer->start();
    return dialer;
  }
};

// A listener whose queue is full: the kernel drops further attempts without a word.
struct BlackHole {
  Fd listener = open_listener(endpoint("127.0.0.1:0"), "here").value();
  std::vector<Fd> waiting;

  BlackHole() {
    ::listen(listener.value(), 0);
    int error = 0;
    for (int i = 0; i < 8; ++i) waiting.push_back(start_connect(where(), error));
  }
  [[nodiscard]] Endpoint where() const { return local_endpoint(listener.value()); }
};

TEST_F(DialerTest, AnAddressThatDoesNotAnswerDelaysTheNextOneByAHeadStartOnly) {
  const BlackHole hole;
  const Fd listener = open_listener(endpoint("127.0.0.1:0"), "here").value();
  const auto dialer = dial({hole.where(), hole.where(), local_endpoint(listener.value())});
  EXPECT_TRUE(loop.run_until([&] { return !connected.empty(); }));
  EXPECT_EQ(connected, std::vector<std::string>{to_text(local_endpoint(listener.value()))});
  EXPECT_TRUE(failures.empty());
}

TEST_F(DialerTest, AnAddressThatRefusesDelaysTheNextOneByNothing) {
  const Fd listener = open_listener(endpoint("127.0.0.1:0"), "here").value();
  const auto dialer = dial({endpoint("127.0.0.1:1"), endpoint("127.0.0.1:1"), local_endpoint(listener.value())});
  EXPECT_TRUE(loop.run_until([&] { return !connected.empty(); }));
  EXPECT_TRUE(failures.empty());
}

TEST_F(DialerTest, OnlyWhenTheLastAddressFailedTheAttemptHas) {
  options.first_redial = options.max_redial = std::chrono::hours(1);
  const auto dialer = dial({endpoint("127.0.0.1:1"), endpoint("127.0.0.1:1")});
  EXPECT_TRUE(loop.run_until([&] { return !failures.empty(); }));
  loop.run_for(milliseconds(300));
  EXPECT_EQ(failures.size(), 1u);
  EXPECT_TRUE(connected.empty());
}

TEST_F(DialerTest, AddressesThatNeverAnswerAreGivenUpTogether) {
  options.handshake_timeout = milliseconds(400);
  const BlackHole hole;
  const auto dialer = dial({hole.where(), hole.where()});
  EXPECT_TRUE(loop.run_until([&] { return !failures.empty(); }));
  EXPECT_EQ(failures.front().message, errno_text(ETIMEDOUT));
}

TEST_F(DialerTest, StoppingLeavesNoAttemptBehind) {
  const BlackHole hole;
  const Fd listener = open_listener(endpoint("127.0.0.1:0"), "here").value();
  const auto dialer = dial({hole.where(), local_endpoint(listener.value())});
  loop.run_for(milliseconds(20));
  dialer->stop();
  loop.run_for(milliseconds(300));
  EXPECT_TRUE(connected.empty() && failures.empty());
}

}  // namespace
}  // namespace fermata::net
