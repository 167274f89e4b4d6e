#include <ctime>

#include "net/socket.hpp"
#include "net/tickets.hpp"
#include "net/tls_session.hpp"
#include "net_fixture.hpp"

namespace fermata::net {
namespace {

using Handshakes = std::pair<std::uint64_t, std::uint64_t>;  // full, resumed

Handshakes handshakes(const Node& node) {
  return {node.transport->stats().full_handshakes, node.transport->stats().resumed_handshakes};
}

// Two sessions and what passes between them.
struct Conversation {
  TlsSession server, client;
  Status server_status, client_status;
  std::size_t there_bytes = 0, back_bytes = 0;
  int flights = 0;

  Conversation(const Identity& accepting, const Identity& dialing, TicketPtr ticket, std::time_t now = plausible_now())
      : server(accepting, {.now = now}), client(dialing, {Role::Dialed, std::move(ticket), now}) {
    while (pass(client, server, server_status, there_bytes) || pass(server, client, client_status, back_bytes)) {
    }
    Bytes plaintext;
    if (client.established()) static_cast<void>(client.read(plaintext));  // takes the ticket in
  }
  [[nodiscard]] bool established() const { return server.established() && client.established(); }
  [[nodiscard]] bool resumed() const { return server.resumed() && client.resumed(); }

 private:
  [[nodiscard]] bool pass(TlsSession& from, TlsSession& to, Status& status, std::size_t& bytes) {
    Bytes flight;
    from.take_output(flight);
    if (flight.empty() || !status) return false;
    // The last one back is the ticket, for which nobody waits.
    if (!established()) ++flights;
    bytes += flight.size();
    status = to.receive(flight);
    return true;
  }
};

// Passes bytes between a dialer and an address, and counts how often the talk changes hands. Poll it.
class Relay {
 public:
  explicit Relay(const std::string& target)
      : target_(target), listener_(open_listener(endpoint("127.0.0.1:0"), "here").value()) {}

  [[nodiscard]] std::string address() const { return to_text(local_endpoint(listener_.value())); }
  void poll() {
    Endpoint remote;
    int error = 0;
    if (Fd socket = accept_one(listener_.value(), remote, error)) {
      dialer_ = std::move(socket);
      far_ = start_connect(endpoint(target_), error);
      flights_ = 0;
      last_ = nullptr;
    }
    if (!dialer_) return;
    pass(dialer_, far_);
    pass(far_, dialer_);
  }
  [[nodiscard]] int flights() const { return flights_; }

 private:
  static Endpoint endpoint(const std::string& address) {
    return lookup(parse_address(address).value(), Names::NumericOnly).value().front();
  }
  void pass(const Fd& from, const Fd& to) {
    Bytes bytes(256 << 10);
    const ssize_t size = ::recv(from.value(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size == 0) ::shutdown(to.value(), SHUT_WR);
    if (size <= 0) return;
    if (std::exchange(last_, &from) != &from) ++flights_;
    EXPECT_EQ(::send(to.value(), bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL), size);
  }

  std::string target_;
  Fd listener_, dialer_, far_;
  const Fd* last_ = nullptr;
  int flights_ = 0;
};

TEST(Resumption, AReturningDeviceShowsNoCertificateAgainAndIsStillTheSame) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  for (std::uint64_t round = 1; round <= 5; ++round) {
    // The listener's first frame follows the ticket.
    pair.listener.transport->send(pair.listener.last_link(), pattern(10));
    ASSERT_TRUE(pair.loop.run_until([&] { return pair.dialer.frames() == round; }));
    pair.listener.transport->close(pair.listener.last_link(), {ErrorCode::Closed, "the test ends it"});
    ASSERT_TRUE(
        pair.loop.run_until([&] { return pair.listener.links.size() == round + 1 && pair.dialer.open() == 1; }));
    EXPECT_EQ(handshakes(pair.listener), Handshakes(1, round));
    EXPECT_EQ(pair.listener.last().info.remote, pair.dialer.identity.device());
    EXPECT_EQ(pair.dialer.last().info.remote, pair.listener.identity.device());
  }
  ASSERT_TRUE(pair.loop.run_until([&] { return handshakes(pair.dialer) == Handshakes(1, 5); }));
}

TEST(Resumption, ComesAfterASuspensionOfEitherSide) {
  Pair pair;
  ASSERT_TRUE(pair.linked());
  std::uint64_t resumed = 0;
  for (Node* away : {&pair.dialer, &pair.listener}) {
    // By then it has the ticket.
    ASSERT_TRUE(pair.loop.run_until([&] { return handshakes(pair.dialer) == Handshakes(1, resumed); }));
    bool done = false;
    away->transport->suspend(seconds(5), [&] { done = true; });
    ASSERT_TRUE(pair.loop.run_until([&] { return done && pair.dialer.open() == 0 && pair.listener.open() == 0; }));
    away->transport->resume();
    ++resumed;
    EXPECT_TRUE(pair.loop.run_until([&] { return handshakes(pair.listener) == Handshakes(1, resumed); }));
  }
}

TEST(Resumption, TheDialersFirstFramesGoWithTheEndOfItsHandshake) {
  TestLoop loop;
  Node listener{loop}, dialer{loop};
  Relay relay(listener.transport->listen("127.0.0.1:0").value());
  dialer.transport->set_events({.on_open = [&](const LinkInfo& info) {
    dialer.transport->send(info.link, pattern(500));
    dialer.transport->send(info.link, pattern(60'000));
  }});
  dialer.transport->keep_dialing(relay.address());
  for (std::size_t round = 1; round <= 2; ++round) {
    ASSERT_TRUE(loop.run_until([&] {
      relay.poll();
      return listener.frames() == 2 * round;
    })) << listener.log_text();
    // Hello there, hello back, and the third brings what there is to say. The answer may be on its way.
    EXPECT_GE(relay.flights(), 3);
    EXPECT_LE(relay.flights(), 4) << "round " << round;
    ASSERT_TRUE(loop.run_until([&] {
      relay.poll();
      return handshakes(dialer) == Handshakes(1, round - 1);
    }));
    listener.transport->close(listener.last_link(), {});
    ASSERT_TRUE(loop.run_until([&] {
      relay.poll();
      return dialer.open() == 0;
    }));
  }
}

TEST(Resumption, TakesAThirdOfTheBytesInTheSameThreeFlights) {
  const Identity here = make_identity(), there = make_identity();
  Conversation full(here, there, nullptr);
  ASSERT_TRUE(full.established());
  EXPECT_FALSE(full.resumed());
  Conversation resumed(here, there, full.client.take_ticket());
  ASSERT_TRUE(resumed.established());
  EXPECT_TRUE(resumed.resumed());
  EXPECT_EQ(full.flights, 3);
  EXPECT_EQ(resumed.flights, 3);
  const std::size_t full_bytes = full.there_bytes + full.back_bytes;
  const std::size_t resumed_bytes = resumed.there_bytes + resumed.back_bytes;
  RecordProperty("full_bytes", static_cast<int>(full_bytes));
  RecordProperty("resumed_bytes", static_cast<int>(resumed_bytes));
  EXPECT_LT(resumed_bytes * 5, full_bytes * 2) << resumed_bytes << " against " << full_bytes;
  EXPECT_EQ(resumed.server.remote(), there.device());
  EXPECT_EQ(resumed.client.remote(), here.device());
  EXPECT_TRUE(resumed.client.take_ticket()) << "the next one resumes as well";
}

TEST(Resumption, ATicketIsWorthNothingToAnybodyButTheDeviceThatGaveIt) {
  const Identity here = make_identity(), there = make_identity();
  const Identity restarted = make_identity(), stranger = make_identity("the secret of some other group");
  Conversation same(here, there, Conversation(here, there, nullptr).client.take_ticket());
  EXPECT_TRUE(same.resumed());
  Conversation other(restarted, there, Conversation(here, there, nullptr).client.take_ticket());
  EXPECT_TRUE(other.established());
  EXPECT_FALSE(other.resumed());
  EXPECT_EQ(other.client.remote(), restarted.device());
  Conversation refused(stranger, there, Conversation(here, there, nullptr).client.take_ticket());
  EXPECT_FALSE(refused.client_status);
  EXPECT_FALSE(refused.established());
  // Whoever gave us a ticket cannot come to us with it: dialing, it would be us.
  Conversation reflected(there, here, Conversation(here, there, nullptr).client.take_ticket());
  EXPECT_FALSE(reflected.resumed());
}

TEST(Resumption, ACertificateThatExpiredSinceTheTicketIsRefusedOnEitherSide) {
  const Identity lasting = make_identity(kSecret, 30), short_lived = make_identity(kSecret, 1);
  const std::time_t later = plausible_now() + 2 * 24 * 60 * 60;
  Conversation dialed_by_it(lasting, short_lived, Conversation(lasting, short_lived, nullptr).client.take_ticket(),
                            later);
  ASSERT_FALSE(dialed_by_it.server_status);
  EXPECT_EQ(dialed_by_it.server_status.error().code, ErrorCode::Unauthorized);
  EXPECT_FALSE(dialed_by_it.server.established());
  Conversation dialing_it(short_lived, lasting, Conversation(short_lived, lasting, nullptr).client.take_ticket(),
                          later);
  ASSERT_FALSE(dialing_it.client_status);
  EXPECT_EQ(dialing_it.client_status.error().message.find("its certificate has expired"), 0u);
  EXPECT_FALSE(dialing_it.client.established());
}

TEST(Resumption, ATicketServesOnceAndTheOldestGoes) {
  const Identity here = make_identity(), there = make_identity();
  Tickets tickets;
  for (std::size_t i = 0; i <= Tickets::kMax; ++i) {
    tickets.keep(std::to_string(i), TicketPtr(SSL_SESSION_new()));
    tickets.keep(std::to_string(i), TicketPtr(SSL_SESSION_new()));
  }
  EXPECT_EQ(tickets.size(), Tickets::kMax);
  EXPECT_FALSE(tickets.take("0"));
  EXPECT_TRUE(tickets.take("1"));
  EXPECT_FALSE(tickets.take("1"));
}

TEST(Resumption, TheAcceptingSideForgetsBeyondItsLimit) {
  const Identity here = make_identity(), there = make_identity();
  TicketPtr first = Conversation(here, there, nullptr).client.take_ticket();
  ASSERT_TRUE(first);
  for (long i = 0; i < kMaxTickets; ++i) ASSERT_TRUE(Conversation(here, there, nullptr).established());
  EXPECT_LE(SSL_CTX_sess_number(here.impl().accepting.get()), kMaxTickets);
  Conversation late(here, there, std::move(first));
  EXPECT_TRUE(late.established());
  EXPECT_FALSE(late.resumed());
}

}  // namespace
}  // namespace fermata::net
