#include <dirent.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "stranger.hpp"

namespace fermata::net {
namespace {

std::vector<int> open_fds() {
  std::vector<int> fds;
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(directory)) fds.push_back(fd);
  }
  closedir(directory);
  return fds;
}

// The listening socket of this process on that address, or -1.
int listening_fd(const std::string& address) {
  for (const int fd : open_fds()) {
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) continue;
    Endpoint endpoint;
    getsockname(fd, endpoint.raw(), &endpoint.size);
    if (to_text(endpoint) == address) return fd;
  }
  return -1;
}

// Kills matching sockets as a phone's system does. False where the right or the kernel's support is missing.
bool reclaim(const std::string& filter) {
  FILE* ss = popen(("ss -H -t -K " + filter + " 2>/dev/null").c_str(), "r");
  if (ss == nullptr) return false;
  char line[512];
  bool killed = false;
  while (fgets(line, sizeof line, ss) != nullptr) killed = true;
  return pclose(ss) == 0 && killed;
}

std::string port_of(const std::string& address) {
  return address.substr(address.rfind(':') + 1);
}

TEST(Closing, DeliversWhatWasQueuedBefore) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  constexpr std::size_t kFrames = 300;
  for (std::size_t i = 0; i < kFrames; ++i) pair.dialer.transport->send(pair.dialer.last_link(), pattern(20'000));
  // Unread input must not turn the close into a reset.
  pair.listener.transport->send(pair.listener.last_link(), pattern(3 << 20));
  pair.dialer.transport->close(pair.dialer.last_link(), {ErrorCode::Closed, "enough"});
  const LinkId link = pair.listener.last_link();
  ASSERT_TRUE(pair.loop.run_until([&] { return pair.listener.links[link].closed && pair.dialer.links[1].closed; }));
  EXPECT_EQ(pair.listener.links[link].frames.size(), kFrames);
  EXPECT_EQ(pair.listener.links[link].why.code, ErrorCode::Closed);
  EXPECT_EQ(pair.dialer.links[1].why.message, "enough");
}

TEST(Closing, IsHarmlessOnALinkThatIsGone) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  const LinkId link = pair.listener.last_link();
  pair.listener.transport->close(link, {});
  pair.listener.transport->close(link, {});
  ASSERT_TRUE(pair.loop.run_until([&] { return pair.listener.links[link].closed; }));
  pair.listener.transport->close(link, {});
  pair.listener.transport->send(link, pattern(10));
  pair.listener.transport->send(99, pattern(10));
  pair.loop.run_for(milliseconds(20));
}

TEST(Closing, NoEventComesFromInsideACall) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  bool inside = false;
  int events = 0;
  const auto count = [&] {
    EXPECT_FALSE(inside);
    ++events;
  };
  pair.dialer.transport->set_events({.on_open = [&](const LinkInfo&) { count(); },
                                     .on_frame = [&](LinkId, const Bytes&) { count(); },
                                     .on_close = [&](LinkId, const Error&) { count(); }});
  inside = true;
  pair.dialer.transport->send(pair.dialer.last_link(), Bytes(kMaxFrame + 1));  // closes the link
  pair.dialer.transport->close(pair.dialer.last_link(), {});
  pair.dialer.transport->suspend(milliseconds(500), [&] { EXPECT_FALSE(inside); });
  pair.dialer.transport->resume();
  pair.dialer.transport->suspend(milliseconds(500), [&] { count(); });
  inside = false;
  EXPECT_TRUE(pair.loop.run_until([&] { return events == 2; })) << events;
}

TEST(Closing, ARemoteThatDoesNotReadIsCutOffWhenTooMuchIsQueued) {
  TestLoop loop;
  TransportOptions options = Node::quick();
  options.max_queued_bytes = 1 << 20;
  Node node{loop, make_identity(), options};
  const Identity member = make_identity();
  TlsStranger stranger(node.transport->listen("127.0.0.1:0").value(), trusting(member));
  ASSERT_TRUE(loop.run_until([&] { return stranger.poll() || stranger.finished_handshake(); }));
  stranger.send(Bytes{0, 0, 0, 0});
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 1; }));
  EXPECT_TRUE(loop.run_until([&] {
    node.transport->send(node.last_link(), pattern(100'000));
    return node.last().closed;
  }));
  EXPECT_EQ(node.last().why.code, ErrorCode::LimitExceeded) << node.last().why.message;
  EXPECT_TRUE(loop.run_until([&] { return node.logged("cut off 127.0.0.1: it does not read what it is sent") == 1; }))
      << node.log_text();
}

TEST(Closing, ARemoteThatVanishesIsToldFromOneThatSaysGoodbye) {
  TestLoop loop;
  Node node{loop};
  const Identity member = make_identity();
  auto stranger = std::make_unique<TlsStranger>(node.transport->listen("127.0.0.1:0").value(), trusting(member));
  ASSERT_TRUE(loop.run_until([&] { return stranger->poll() || stranger->finished_handshake(); }));
  stranger->send(Bytes{0, 0, 0, 0});
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 1; }));
  stranger.reset();
  ASSERT_TRUE(loop.run_until([&] { return node.last().closed; }));
  EXPECT_EQ(node.last().why.code, ErrorCode::Io);
  EXPECT_EQ(node.last().why.message.find("the link to 127.0.0.1:"), 0u) << node.last().why.message;
  EXPECT_EQ(node.refused(), 0u);
}

TEST(Dialing, ReturnsAfterTheRemoteRestartsOnTheSamePort) {
  TestLoop loop;
  Node dialer{loop};
  auto remote = std::make_unique<Node>(loop);
  const std::string address = remote->transport->listen("127.0.0.1:0").value();
  dialer.transport->keep_dialing(address);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(loop.run_until([&] { return dialer.open() == 1; })) << "round " << round << dialer.log_text();
    remote.reset();
    ASSERT_TRUE(loop.run_until([&] { return dialer.open() == 0; })) << "round " << round;
    remote = std::make_unique<Node>(loop);
    ASSERT_EQ(remote->transport->listen(address).value(), address) << "round " << round;
  }
  EXPECT_TRUE(loop.run_until([&] { return dialer.open() == 1; }));
  EXPECT_EQ(dialer.links.size(), 4u);
}

TEST(Dialing, TakesNamesAndSaysOnceWhatIsWrong) {
  TestLoop loop;
  Node listener{loop}, dialer{loop};
  const std::string port = port_of(listener.transport->listen("127.0.0.1:0").value());
  dialer.transport->keep_dialing("localhost:" + port);
  dialer.transport->keep_dialing("localhost:" + port);
  dialer.transport->keep_dialing("no port");
  dialer.transport->keep_dialing("127.0.0.1:1");
  EXPECT_TRUE(loop.run_until([&] { return dialer.open() == 1; })) << dialer.log_text();
  loop.run_for(milliseconds(200));
  EXPECT_EQ(dialer.logged("\"no port\" is no address"), 1) << dialer.log_text();
  EXPECT_EQ(dialer.logged("cannot reach 127.0.0.1:1: Connection refused"), 1) << dialer.log_text();
  EXPECT_EQ(dialer.links.size(), 1u);
}

TEST(Listening, SaysWhichAddressIsWrongAndWhy) {
  TestLoop loop;
  Node node{loop}, other{loop};
  const std::string taken = node.transport->listen("127.0.0.1:0").value();
  const auto busy = other.transport->listen(taken);
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, ErrorCode::Busy);
  EXPECT_EQ(busy.error().message.find(taken + " is in use by another program; "), 0u) << busy.error().message;
  for (const char* bad : {"", "7411", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", ":7411", "::1:7411",
                          "203.0.113.9:0", "no such host.invalid:1"}) {
    const auto result = other.transport->listen(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument) << bad;
    EXPECT_NE(result.error().message.find(bad), std::string::npos) << result.error().message;
  }
}

TEST(Listening, WorksOnIPv6) {
  TestLoop loop;
  Node listener{loop}, dialer{loop};
  const auto address = listener.transport->listen("[::1]:0");
  if (!address) GTEST_SKIP() << "no IPv6 here: " << address.error().message;
  dialer.transport->keep_dialing(*address);
  EXPECT_TRUE(loop.run_until([&] { return dialer.open() == 1; })) << dialer.log_text();
  EXPECT_EQ(dialer.last().info.address, *address);
}

TEST(Listening, GoesOnWhenTheSystemTakesTheSocket) {
  TestLoop loop;
  Node listener{loop};
  const std::string address = listener.transport->listen("127.0.0.1:0").value();
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(loop.run_until([&] { return listening_fd(address) >= 0; }));
    ASSERT_EQ(::shutdown(listening_fd(address), SHUT_RDWR), 0);
    ASSERT_TRUE(loop.run_until([&] { return listening_fd(address) < 0; }));
    Node dialer{loop};
    dialer.transport->keep_dialing(address);
    EXPECT_TRUE(loop.run_until([&] { return dialer.open() == 1; })) << "round " << round << listener.log_text();
  }
  EXPECT_EQ(listener.logged("stopped accepting"), 1) << listener.log_text();
}

TEST(Listening, GoesOnWhenSocketsAreReclaimed) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  if (!reclaim("state listening src 127.0.0.1 sport = :" + port_of(pair.address)) ||
      !reclaim("state established dst 127.0.0.1 dport = :" + port_of(pair.address))) {
    GTEST_SKIP() << "ss -K is not permitted or not supported here";
  }
  EXPECT_TRUE(pair.loop.run_until([&] {
    return pair.listener.links.size() == 2 && pair.listener.open() == 1 && pair.dialer.open() == 1;
  })) << pair.listener.log_text()
      << pair.dialer.log_text();
  EXPECT_TRUE(pair.dialer.links.begin()->second.closed);
}

TEST(Suspending, ClosesEverythingThenComesBackOnTheSamePort) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  const LinkId link = pair.listener.last_link();
  for (int i = 0; i < 50; ++i) pair.listener.transport->send(link, pattern(50'000));
  bool done = false;
  pair.listener.transport->suspend(seconds(5), [&] {
    done = true;
    EXPECT_TRUE(pair.listener.links[link].closed) << "done comes after the last on_close";
  });
  EXPECT_LT(listening_fd(pair.address), 0) << "still accepting";
  ASSERT_TRUE(pair.loop.run_until([&] { return done && pair.dialer.open() == 0; }));
  EXPECT_EQ(pair.dialer.links.begin()->second.frames.size(), 50u) << "what was queued is flushed";
  pair.loop.run_for(milliseconds(50));
  EXPECT_EQ(pair.listener.open(), 0u);
  pair.listener.transport->resume();
  EXPECT_GE(listening_fd(pair.address), 0);
  EXPECT_TRUE(pair.loop.run_until([&] { return pair.listener.open() == 1 && pair.dialer.open() == 1; }));
}

TEST(Suspending, IsDoneInTimeThoughTheRemoteIsFrozen) {
  TestLoop loop;
  Node node{loop};
  const Identity member = make_identity();
  const std::string address = node.transport->listen("127.0.0.1:0").value();
  TlsStranger stranger(address, trusting(member));
  Stranger silent(address);
  ASSERT_TRUE(loop.run_until([&] { return stranger.poll() || stranger.finished_handshake(); }));
  stranger.send(Bytes{0, 0, 0, 0});
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 1; }));
  node.transport->send(node.last_link(), pattern(16 << 20));
  const Instant start = (*loop).now();
  bool done = false;
  node.transport->suspend(milliseconds(200), [&] { done = true; });
  ASSERT_TRUE(loop.run_until([&] { return done; }));
  EXPECT_LT((*loop).now() - start, seconds(2));
  EXPECT_TRUE(node.last().closed);
}

TEST(Suspending, ResumingDialsAtOnceAndReleasesWhoeverWaits) {
  TestLoop loop;
  TransportOptions options;
  options.first_redial = options.max_redial = std::chrono::hours(1);
  Node dialer{loop, make_identity(), options}, listener{loop};
  const std::string address = listener.transport->listen("127.0.0.1:0").value();
  listener.transport->suspend(seconds(1), [] {});
  dialer.transport->keep_dialing(address);
  ASSERT_TRUE(loop.run_until([&] { return dialer.logged("cannot reach") == 1; }));
  listener.transport->resume();
  bool done = false;
  dialer.transport->suspend(seconds(1), [&] { done = true; });
  dialer.transport->resume();
  EXPECT_TRUE(loop.run_until([&] { return done && dialer.open() == 1; }));
}

TEST(Suspending, TenRoundsLeakNoDescriptor) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  const std::size_t before = open_fds().size();
  for (int round = 0; round < 10; ++round) {
    int done = 0;
    pair.dialer.transport->suspend(seconds(5), [&] { ++done; });
    pair.listener.transport->suspend(seconds(5), [&] { ++done; });
    ASSERT_TRUE(pair.loop.run_until([&] { return done == 2; })) << "round " << round;
    EXPECT_EQ(open_fds().size(), before - 3) << "round " << round << ": a listener and both ends of a link are closed";
    pair.listener.transport->resume();
    pair.dialer.transport->resume();
    ASSERT_TRUE(pair.loop.run_until([&] { return pair.dialer.open() == 1 && pair.listener.open() == 1; }));
    EXPECT_EQ(open_fds().size(), before) << "round " << round;
  }
}

TEST(Destroying, IsSafeInsideEveryCallback) {
  for (int where = 0; where < 3; ++where) {
    Pair pair;
    ASSERT_TRUE(pair.linked());
    const auto destroy = [&] { pair.listener.transport.reset(); };
    pair.listener.transport->set_events({.on_open = [&](const LinkInfo&) { where == 0 ? destroy() : void(); },
                                         .on_frame = [&](LinkId, const Bytes&) { where == 1 ? destroy() : void(); },
                                         .on_close = [&](LinkId, const Error&) { where == 2 ? destroy() : void(); }});
    for (int i = 0; i < 5; ++i) pair.dialer.transport->send(pair.dialer.last_link(), pattern(100));
    if (where != 1) pair.dialer.transport->close(pair.dialer.last_link(), {});
    EXPECT_TRUE(pair.loop.run_until([&] { return pair.listener.transport == nullptr; })) << "callback " << where;
    pair.loop.run_for(milliseconds(20));
  }
}

TEST(Destroying, LeavesNoDescriptorWhateverIsUnderWay) {
  TestLoop loop;
  const std::size_t before = open_fds().size();
  {
    Node listener{loop}, dialer{loop};
    const std::string address = listener.transport->listen("127.0.0.1:0").value();
    dialer.transport->keep_dialing(address);
    dialer.transport->keep_dialing("localhost:1");
    Stranger silent(address);
    loop.run_for(milliseconds(3));
  }
  loop.run_for(milliseconds(20));
  EXPECT_EQ(open_fds().size(), before);
}

}  // namespace
}  // namespace fermata::net
