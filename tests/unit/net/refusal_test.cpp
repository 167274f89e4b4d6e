#include "net/openssl.hpp"
#include "stranger.hpp"

namespace fermata::net {
namespace {

// A listener, and the check that follows every refusal: counted, logged once, nothing opened, still serving its group.
struct Refusing : testing::Test {
  TestLoop loop;
  Node node{loop, make_identity(), options()};
  std::string address = node.transport->listen("127.0.0.1:0").value();

  static TransportOptions options() {
    TransportOptions options = Node::quick();
    options.handshake_timeout = milliseconds(300);
    options.max_pending_handshakes = 4;
    return options;
  }
  void expect_refused(std::uint64_t times, const std::string& reason) {
    EXPECT_TRUE(loop.run_until([&] { return node.refused() == times && node.logged(reason) == 1; }))
        << node.refused() << " refused; " << node.log_text();
    EXPECT_TRUE(node.links.empty());
    EXPECT_EQ(node.log.size(), 1u) << node.log_text();
    Node friendly{loop};
    friendly.transport->keep_dialing(address);
    EXPECT_TRUE(loop.run_until([&] { return friendly.open() == 1; })) << friendly.log_text();
  }
};

TEST_F(Refusing, AStrangerWithAnotherSecretGetsNoByteOfData) {
  const Identity other = make_identity("the secret of some other group");
  for (int i = 0; i < 3; ++i) {
    TlsStranger stranger(address, trusting(other));
    EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
    EXPECT_EQ(stranger.plaintext(), Bytes{});
  }
  expect_refused(3, "refused 127.0.0.1: it has another group's secret");
}

TEST_F(Refusing, AStrangerWithoutACertificateGetsNoByteOfData) {
  const ContextPtr context = anonymous_context();
  for (int i = 0; i < 3; ++i) {
    TlsStranger stranger(address, context.get());
    EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
    EXPECT_EQ(stranger.plaintext(), Bytes{});
  }
  expect_refused(3, "refused 127.0.0.1: it showed no certificate");
}

TEST_F(Refusing, AnExpiredCertificateIsRefused) {
  const Identity expired = make_identity(kSecret, -1);
  TlsStranger stranger(address, trusting(expired));
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
  EXPECT_EQ(stranger.plaintext(), Bytes{});
  expect_refused(1, "refused 127.0.0.1: its certificate has expired");
}

TEST_F(Refusing, AnOlderTlsIsRefused) {
  const ContextPtr context = anonymous_context();
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  TlsStranger stranger(address, context.get());
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
  expect_refused(1, "it does not speak TLS 1.3");
}

TEST_F(Refusing, ATlsProgramOfAnotherProtocolIsRefused) {
  const Identity member = make_identity();
  SSL_CTX_set_alpn_protos(member.impl().dialing.get(), nullptr, 0);
  TlsStranger stranger(address, trusting(member));
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
  EXPECT_EQ(stranger.plaintext(), Bytes{});
  expect_refused(1, "it speaks another protocol than ours");
}

TEST_F(Refusing, PlainBytesGetNoAnswer) {
  for (const char* words : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "x", "\x01\x02\x03\x04\x05\x06\x07\x08"}) {
    Stranger stranger(address);
    stranger.send(as_bytes(words));
    EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
    EXPECT_EQ(stranger.received(), Bytes{}) << words;
  }
  expect_refused(3, "refused 127.0.0.1: it does not speak TLS");
}

TEST_F(Refusing, BrokenTlsIsRefused) {
  Stranger stranger(address);
  Bytes garbage = pattern(300);
  garbage[0] = 0x16, garbage[1] = 3, garbage[2] = 1, garbage[3] = 1, garbage[4] = 0x20;
  stranger.send(garbage);
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
  expect_refused(1, "refused 127.0.0.1: TLS failed");
}

TEST_F(Refusing, AHandshakeThatDoesNotEndIsCutOff) {
  Stranger silent(address), slow(address);
  slow.send(Bytes{0x16, 3, 1});
  EXPECT_TRUE(loop.run_until([&] { return silent.poll() && slow.poll(); }));
  expect_refused(2, "it did not finish the handshake in time");
}

TEST_F(Refusing, ManyUnfinishedHandshakesDoNotKeepTheGroupOut) {
  std::vector<std::unique_ptr<Stranger>> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(std::make_unique<Stranger>(address));
  expect_refused(16, "while many others wanted one");
}

TEST_F(Refusing, AMemberWhoseFirstFrameIsOversizedNeverOpens) {
  const Identity member = make_identity();
  TlsStranger stranger(address, trusting(member));
  ASSERT_TRUE(loop.run_until([&] { return stranger.poll() || stranger.finished_handshake(); }));
  stranger.send(Bytes{0xff, 0xff, 0xff, 0xff});
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll(); }));
  expect_refused(1, "it announced a frame of 4294967295 bytes");
}

TEST_F(Refusing, AMemberThatOpensAndThenSendsAnOversizedFrameIsCutOffWithAReason) {
  const Identity member = make_identity();
  for (int i = 0; i < 2; ++i) {
    TlsStranger stranger(address, trusting(member));
    ASSERT_TRUE(loop.run_until([&] { return stranger.poll() || stranger.finished_handshake(); }));
    stranger.send(Bytes{0, 0, 0, 0, 0, 0, 0, 1, 42, 0xff, 0xff, 0xff, 0xff, 1, 2, 3});
    ASSERT_TRUE(loop.run_until([&] { return stranger.poll() && !node.links.empty() && node.last().closed; }));
    EXPECT_EQ(node.last().frames, std::vector<Bytes>{Bytes{42}});
    EXPECT_EQ(node.last().why.code, ErrorCode::Protocol);
    EXPECT_NE(node.last().why.message.find("4294967295"), std::string::npos) << node.last().why.message;
  }
  EXPECT_EQ(node.logged("cut off 127.0.0.1"), 1) << node.log_text();
  EXPECT_EQ(node.log.size(), 1u) << node.log_text();
}

TEST_F(Refusing, GarbageInsideAnOpenLinkEndsOnlyThatLink) {
  const Identity member = make_identity();
  Node friendly{loop};
  friendly.transport->keep_dialing(address);
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 1; }));
  TlsStranger stranger(address, trusting(member));
  ASSERT_TRUE(loop.run_until([&] { return stranger.poll() || stranger.finished_handshake(); }));
  stranger.send(Bytes{0, 0, 0, 0});
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 2; }));
  stranger.send_raw(pattern(1000));
  EXPECT_TRUE(loop.run_until([&] { return stranger.poll() && node.open() == 1; }));
  EXPECT_EQ(friendly.open(), 1u);
  EXPECT_NE(node.last().why.code, ErrorCode::Protocol) << "anybody on the way could have sent that";
}

TEST(Bounds, ADeviceWithTooManyLinksLosesItsOldestAndNobodyElseLosesAny) {
  TestLoop loop;
  TransportOptions options = Node::quick();
  options.max_links_to_device = 3;
  Node node{loop, make_identity(), options};
  const std::string address = node.transport->listen("127.0.0.1:0").value();
  Node friendly{loop};
  friendly.transport->keep_dialing(address);
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 1; }));
  const LinkId friends = node.last_link();
  const Identity member = make_identity();
  std::vector<std::unique_ptr<TlsStranger>> strangers;
  for (std::size_t i = 1; i <= 5; ++i) {
    strangers.push_back(std::make_unique<TlsStranger>(address, trusting(member)));
    ASSERT_TRUE(loop.run_until([&] { return strangers.back()->poll() || strangers.back()->finished_handshake(); }));
    strangers.back()->send(Bytes{0, 0, 0, 0});
    ASSERT_TRUE(loop.run_until([&] { return node.links.size() == 1 + i && node.open() <= 4; })) << node.log_text();
  }
  EXPECT_EQ(node.open(), 4u);
  EXPECT_FALSE(node.links.at(friends).closed);
  EXPECT_FALSE(node.last().closed) << "the newest is the one that surely lives";
  EXPECT_TRUE(loop.run_until([&] { return strangers[0]->poll() && strangers[1]->poll(); }));
  EXPECT_FALSE(strangers[2]->poll());
}

TEST(Bounds, BeyondSoManyLinksNobodyIsAcceptedUntilOneEnds) {
  TestLoop loop;
  TransportOptions options = Node::quick();
  options.max_links = 2;
  Node node{loop, make_identity(), options};
  const std::string address = node.transport->listen("127.0.0.1:0").value();
  auto first = std::make_unique<Node>(loop);
  Node second{loop}, third{loop};
  first->transport->keep_dialing(address);
  second.transport->keep_dialing(address);
  ASSERT_TRUE(loop.run_until([&] { return node.open() == 2; }));
  third.transport->keep_dialing(address);
  EXPECT_TRUE(loop.run_until([&] { return node.refused() >= 2; }));
  EXPECT_EQ(node.logged("refused 127.0.0.1: 2 links are open already"), 1) << node.log_text();
  EXPECT_EQ(third.links.size(), 0u);
  first.reset();
  EXPECT_TRUE(loop.run_until([&] { return third.open() == 1; })) << third.log_text();
  EXPECT_EQ(second.open(), 1u);
}

TEST(Refusal, BothSidesOfTwoGroupsCountAndNeitherOpens) {
  TestLoop loop;
  Node here{loop}, there{loop, make_identity("the secret of some other group")};
  there.transport->keep_dialing(here.transport->listen("127.0.0.1:0").value());
  EXPECT_TRUE(loop.run_until([&] { return here.refused() >= 3 && there.refused() >= 3; }));
  EXPECT_TRUE(here.links.empty() && there.links.empty());
  EXPECT_EQ(here.log.size(), 1u) << here.log_text();
  EXPECT_EQ(there.log.size(), 1u) << there.log_text();
}

TEST(Refusal, ADialerLearnsThatItsOwnCertificateExpiredAndNothingItSaidIsRead) {
  TestLoop loop;
  Node here{loop}, there{loop, make_identity(kSecret, -1)};
  there.transport->set_events(
      {.on_open = [&](const LinkInfo& info) { there.transport->send(info.link, pattern(100)); }});
  there.transport->keep_dialing(here.transport->listen("127.0.0.1:0").value());
  EXPECT_TRUE(loop.run_until([&] { return there.logged("our certificate has expired") == 1; })) << there.log_text();
  EXPECT_TRUE(loop.run_until([&] { return there.refused() >= 2 && there.open() == 0; })) << there.refused();
  EXPECT_TRUE(here.links.empty());
  EXPECT_EQ(there.transport->stats().full_handshakes, 0u);
}

}  // namespace
}  // namespace fermata::net
