#include "net_fixture.hpp"

namespace fermata::net {
namespace {

TransportOptions redialing(Duration first, Duration max) {
  TransportOptions options;
  options.first_redial = first;
  options.max_redial = max;
  return options;
}

TransportOptions hasty() {
  return redialing(milliseconds(1), milliseconds(1));
}

TransportOptions patient() {
  return redialing(std::chrono::hours(1), std::chrono::hours(1));
}

std::vector<LinkId> links_to(const Node& node, const Node& remote) {
  std::vector<LinkId> ids;
  for (const auto& [id, seen] : node.links) {
    if (seen.info.remote == remote.identity.device()) ids.push_back(id);
  }
  return ids;
}

LinkId open_link(const Node& node, bool dialed) {
  for (const auto& [id, seen] : node.links) {
    if (!seen.closed && seen.info.dialed_by_us == dialed) return id;
  }
  return 0;
}

void close_all(Node& node) {
  for (const auto& [id, seen] : node.links) node.transport->close(id, {ErrorCode::Closed, "the test ends it"});
}

// Serves until a hasty dialer of a third device was cut off and came back so often that any other hasty one would have
// come back as well.
testing::AssertionResult others_had_their_chance(TestLoop& loop, const std::string& address) {
  constexpr std::size_t kReturns = 20;
  Node witness{loop, make_identity(), hasty()};
  witness.transport->keep_dialing(address);
  const bool returned = loop.run_until([&] {
    close_all(witness);
    return witness.links.size() == kReturns;
  });
  if (returned) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "only " << witness.links.size() << " links; " << witness.log_text();
}

// Two devices that dial each other.
struct Crossing {
  TestLoop loop;
  Node left, right;
  std::string left_address, right_address;

  explicit Crossing(const TransportOptions& options)
      : left{loop, make_identity(), options}, right{loop, make_identity(), options} {
    left_address = left.transport->listen("127.0.0.1:0").value();
    right_address = right.transport->listen("127.0.0.1:0").value();
    left.transport->keep_dialing(right_address);
    right.transport->keep_dialing(left_address);
  }
  [[nodiscard]] bool have(std::size_t open) {
    return loop.run_until([&] { return left.open() == open && right.open() == open; });
  }
  // Ends the link that the left one dialed.
  [[nodiscard]] bool end_left_dial(Node& closer) {
    closer.transport->close(open_link(closer, &closer == &left), {ErrorCode::AlreadyExists, "a duplicate"});
    return have(1);
  }
};

TEST(Duplicates, ADialerRestsWhileItsDeviceIsLinkedOtherwiseWhicheverSideClosed) {
  for (const bool left_closes : {true, false}) {
    Crossing both(hasty());
    ASSERT_TRUE(both.have(2)) << both.left.log_text() << both.right.log_text();
    ASSERT_TRUE(both.end_left_dial(left_closes ? both.left : both.right));
    ASSERT_TRUE(others_had_their_chance(both.loop, both.right_address));
    EXPECT_EQ(links_to(both.right, both.left).size(), 2u) << "closed by the " << (left_closes ? "left" : "right");
    EXPECT_EQ(links_to(both.left, both.right).size(), 2u);
    close_all(left_closes ? both.right : both.left);
    EXPECT_TRUE(both.have(2)) << "each dials again once nothing is left";
  }
}

TEST(Duplicates, ARestingDialerReturnsAtOnceWhenTheLastLinkEnds) {
  Crossing both(patient());
  ASSERT_TRUE(both.have(2));
  ASSERT_TRUE(both.end_left_dial(both.right));
  close_all(both.right);
  ASSERT_TRUE(both.loop.run_until([&] { return both.left.links.size() == 3 && both.right.links.size() == 3; }));
  EXPECT_TRUE(both.left.last().info.dialed_by_us);
}

TEST(Duplicates, ARestingDialerReturnsAfterASuspension) {
  Crossing both(patient());
  ASSERT_TRUE(both.have(2));
  ASSERT_TRUE(both.end_left_dial(both.left));
  bool done = false;
  both.left.transport->suspend(seconds(5), [&] { done = true; });
  ASSERT_TRUE(both.loop.run_until([&] { return done; }));
  EXPECT_EQ(both.left.links.size(), 2u) << "nobody dials while suspended";
  both.left.transport->resume();
  ASSERT_TRUE(both.have(1));
  EXPECT_NE(open_link(both.left, true), 0u);
}

// As the sync engine does with the links of one dialer: the newer one stays.
TEST(Duplicates, OfTwoAddressesOfOneDeviceOneIsDialedAgain) {
  TestLoop loop;
  Node dialer{loop, make_identity(), hasty()}, listener{loop, make_identity(), hasty()};
  const std::string address = listener.transport->listen("127.0.0.1:0").value();
  std::size_t opened = 0;
  LinkId newest = 0;
  listener.transport->set_events({.on_open = [&](const LinkInfo& info) {
    if (info.remote != dialer.identity.device()) return;
    ++opened;
    listener.transport->close(std::exchange(newest, info.link), {ErrorCode::AlreadyExists, "a newer one"});
  }});
  dialer.transport->keep_dialing(address);
  dialer.transport->keep_dialing(listener.transport->listen("127.0.0.1:0").value());
  for (std::size_t round = 1; round <= 10; ++round) {
    ASSERT_TRUE(loop.run_until([&] { return opened >= 2 * round && dialer.open() == 1 && listener.open() == 1; }))
        << "round " << round;
    ASSERT_TRUE(others_had_their_chance(loop, address));
    ASSERT_EQ(opened, 2 * round) << "no further link comes while one is open";
    listener.transport->close(newest, {ErrorCode::Closed, "the test ends the last one"});
  }
}

TEST(Duplicates, ARestingDialerThatWasReleasedAMomentAgoPausesFirst) {
  Crossing both(patient());
  ASSERT_TRUE(both.have(2));
  ASSERT_TRUE(both.end_left_dial(both.left));
  close_all(both.right);
  ASSERT_TRUE(both.loop.run_until([&] { return both.left.links.size() == 3 && both.right.links.size() == 3; }));
  // The right one's dialer pauses for an hour; its own address once more, spelled otherwise, makes a second link.
  both.right.transport->keep_dialing("localhost" + both.left_address.substr(both.left_address.rfind(':')));
  ASSERT_TRUE(both.have(2));
  ASSERT_TRUE(both.end_left_dial(both.left));
  close_all(both.right);
  ASSERT_TRUE(both.have(0));
  ASSERT_TRUE(others_had_their_chance(both.loop, both.right_address));
  EXPECT_EQ(links_to(both.right, both.left).size(), 4u);
}

TEST(Duplicates, AnAddressOfOurOwnIsTriedAgainOnlyAfterTheLongestPause) {
  TestLoop loop;
  Node node{loop, make_identity(), redialing(milliseconds(1), std::chrono::hours(1))};
  const std::string address = node.transport->listen("127.0.0.1:0").value();
  node.transport->keep_dialing(address);
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 2; })) << node.log_text();
  close_all(node);
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 0; }));
  ASSERT_TRUE(others_had_their_chance(loop, address));
  EXPECT_EQ(links_to(node, node).size(), 2u);
}

}  // namespace
}  // namespace fermata::net
