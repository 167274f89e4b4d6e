#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/address.hpp"
#include "net/backoff.hpp"
#include "net/framing.hpp"
#include "net/identity.hpp"
#include "net/openssl.hpp"
#include "net/tls_session.hpp"
#include "net_fixture.hpp"

namespace fermata::net {
namespace {

TEST(Address, IsAHostAndAPort) {
  EXPECT_EQ(parse_address("192.0.2.7:7411").value(), (HostPort{"192.0.2.7", 7411}));
  EXPECT_EQ(parse_address("desk.local:0").value(), (HostPort{"desk.local", 0}));
  EXPECT_EQ(parse_address("[2001:db8::7]:65535").value(), (HostPort{"2001:db8::7", 65535}));
  for (const char* bad :
       {"", ":", ":1", "a", "a:", "a:x", "a:-1", "a:65536", "a:1x", "::1:5", "[]:5", "[::1]", "a b:5"}) {
    const auto parsed = parse_address(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(Address, ReadsBackAsWritten) {
  for (const char* text : {"127.0.0.1:7411", "[::1]:7411", "[2001:db8::7]:1"}) {
    EXPECT_EQ(to_text(lookup(parse_address(text).value(), Names::NumericOnly).value().front()), text);
  }
  EXPECT_EQ(to_text(lookup({"::ffff:192.0.2.7", 5}, Names::NumericOnly).value().front()), "192.0.2.7:5");
  EXPECT_FALSE(lookup({"localhost", 5}, Names::NumericOnly));
}

RC_GTEST_PROP(Framing, AnySplitOfTheStreamYieldsTheSameFrames, (const std::vector<Bytes>& frames)) {
  Bytes stream;
  for (const Bytes& frame : frames) {
    const auto header = frame_header(frame.size());
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  FrameReader reader;
  std::vector<Bytes> seen;
  for (ByteView rest = stream; !rest.empty();) {
    ByteView piece = rest.first(*rc::gen::inRange<std::size_t>(1, rest.size() + 1));
    rest = rest.subspan(piece.size());
    while (true) {
      auto frame = reader.next(piece, 1000);
      RC_ASSERT(frame.has_value());
      if (!*frame) break;
      seen.push_back(std::move(**frame));
    }
  }
  RC_ASSERT(seen == frames);
}

TEST(Framing, ALengthAboveTheLimitIsAnError) {
  FrameReader reader;
  const Bytes stream{0, 0, 0, 5, 1};
  ByteView input = stream;
  const auto frame = reader.next(input, 4);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::Protocol);
}

TEST(Backoff, GrowsToItsLimitAndStartsAgain) {
  Backoff backoff(milliseconds(100), seconds(1));
  for (const int longest : {100, 200, 400, 800, 1000, 1000}) {
    const Duration pause = backoff.next();
    EXPECT_LE(pause, milliseconds(longest));
    EXPECT_GE(pause, milliseconds(longest) / 2);
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(100));
}

TEST(IdentityOf, TheDeviceIsItsKeyWhateverTheSecret) {
  const Bytes key = Identity::generate_device_key();
  const auto one = Identity::make({.secret = "one secret of a group", .device_key = key}).value();
  const auto two = Identity::make({.secret = "another secret altogether", .device_key = key}).value();
  EXPECT_EQ(one.device(), two.device());
  EXPECT_EQ(one.device().size(), 64u);
  EXPECT_NE(one.device(), make_identity().device());
}

TEST(IdentityOf, WhatCannotWorkIsRefused) {
  const auto code = [](const Identity::Options& options) {
    const auto made = Identity::make(options);
    return made ? std::string("made") : std::string(name_of(made.error().code));
  };
  EXPECT_EQ(code({.secret = "a secret", .device_key = Bytes(31)}), "invalid_argument");
  EXPECT_EQ(code({.secret = "", .device_key = Bytes(32)}), "invalid_argument");
  EXPECT_EQ(code({.secret = "a secret", .device_key = Bytes(32), .valid_days = 2'000'000'000}), "invalid_argument");
}

TEST(IdentityOf, TheGroupsCertificateIsTheSameEverywhere) {
  const auto der = [](X509& certificate) {
    unsigned char* raw = nullptr;
    const int size = i2d_X509(&certificate, &raw);
    Bytes bytes(raw, raw + size);
    OPENSSL_free(raw);
    return bytes;
  };
  const KeyPtr key = key_from_seed(Bytes(32, 7)).value();
  EXPECT_EQ(der(*make_authority(*key).value()), der(*make_authority(*key).value()));
  // RFC 8032 §7.1, test 1: the seed and the public key.
  const auto seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value();
  const auto public_key = from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").value();
  EXPECT_EQ(device_id_of(*key_from_seed(seed).value()).value(), to_hex(sha256(public_key)));
}

// Lets two sessions talk until neither has anything to say.
void converse(TlsSession& a, TlsSession& b) {
  for (int quiet = 0; quiet < 2;) {
    Bytes there, back;
    a.take_output(there);
    if (!there.empty()) static_cast<void>(b.receive(there));
    b.take_output(back);
    if (!back.empty()) static_cast<void>(a.receive(back));
    quiet = there.empty() && back.empty() ? quiet + 1 : 0;
  }
}

RC_GTEST_PROP(TlsSession, AChangedByteInTheHandshakeNeverEstablishes, ()) {
  static const Identity server_identity = make_identity(), client_identity = make_identity();
  TlsSession server(server_identity, {}), client(client_identity, {.role = Role::Dialed});
  Bytes hello, answer, finish;
  client.take_output(hello);
  const bool in_hello = *rc::gen::arbitrary<bool>();
  if (in_hello) hello[*rc::gen::inRange<std::size_t>(5, hello.size())] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
  const Status greeted = server.receive(hello);
  server.take_output(answer);
  if (greeted && !answer.empty()) static_cast<void>(client.receive(answer));
  client.take_output(finish);
  if (!in_hello) finish[*rc::gen::inRange<std::size_t>(0, finish.size())] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
  if (!finish.empty()) static_cast<void>(server.receive(finish));
  RC_ASSERT(!server.established());
}

TEST(TlsSession, AnUnchangedHandshakeEstablishesBothSides) {
  const Identity a = make_identity(), b = make_identity();
  TlsSession server(a, {}), client(b, {.role = Role::Dialed});
  converse(client, server);
  ASSERT_TRUE(server.established() && client.established());
  EXPECT_EQ(server.remote(), b.device());
  EXPECT_EQ(client.remote(), a.device());
}

}  // namespace
}  // namespace fermata::net
