// A loop with transports on it, and strangers that talk to them over plain blocking sockets.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "net/tls_transport.hpp"

namespace fermata::net {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr const char* kSecret = "a secret that the whole group knows";

inline Identity make_identity(const std::string& secret = kSecret, int valid_days = 30) {
  return Identity::make({.secret = secret, .device_key = Identity::generate_device_key(), .valid_days = valid_days})
      .value();
}

class TestLoop {
 public:
  [[nodiscard]] Loop& operator*() { return *loop_; }

  // Serves until the condition holds; false if it does not within `limit`.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, Duration limit = seconds(20)) {
    const Instant deadline = loop_->now() + limit;
    bool held = false;
    std::function<void()> check = [&] {
      held = condition();
      if (held || loop_->now() >= deadline) return stop(*loop_);
      loop_->call_at(loop_->now() + milliseconds(1), check);
    };
    loop_->post(check);
    run(*loop_);
    return held;
  }
  // Serves for a while in which nothing is to happen.
  void run_for(Duration span) {
    loop_->call_at(loop_->now() + span, [this] { stop(*loop_); });
    run(*loop_);
  }

 private:
  std::unique_ptr<Loop> loop_ = make_asio_loop();
};

// A transport that writes down what it is told.
struct Node {
  struct Seen {
    LinkInfo info;
    std::vector<Bytes> frames;
    bool closed = false;
    Error why;
  };

  Identity identity;
  std::map<LinkId, Seen> links;
  std::vector<std::string> log;
  std::unique_ptr<Transport> transport;

  explicit Node(TestLoop& loop, Identity who = make_identity(), TransportOptions options = quick())
      : identity(std::move(who)) {
    options.log = [this](const std::string& line) { log.push_back(line); };
    transport = make_tls_transport(*loop, identity, options).value();
    transport->set_events({.on_open = [this](const LinkInfo& info) { links[info.link].info = info; },
                           .on_frame = [this](LinkId link, Bytes f) { links.at(link).frames.push_back(std::move(f)); },
                           .on_close =
                               [this](LinkId link, const Error& why) {
                                 EXPECT_FALSE(links.at(link).closed) << "link " << link << " closed twice";
                                 links[link].closed = true;
                                 links[link].why = why;
                               }});
  }

  [[nodiscard]] static TransportOptions quick() {
    TransportOptions options;
    options.first_redial = milliseconds(20);
    options.max_redial = milliseconds(200);
    return options;
  }
  [[nodiscard]] std::size_t open() const { return transport->stats().open_links; }
  [[nodiscard]] std::uint64_t refused() const { return transport->stats().refused_links; }
  [[nodiscard]] LinkId last_link() const { return links.empty() ? 0 : links.rbegin()->first; }
  [[nodiscard]] Seen& last() { return links.rbegin()->second; }
  [[nodiscard]] std::size_t frames() const {
    std::size_t count = 0;
    for (const auto& [id, seen] : links) count += seen.frames.size();
    return count;
  }
  [[nodiscard]] long logged(const std::string& part) const {
    return std::count_if(log.begin(), log.end(),
                         [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
  [[nodiscard]] std::string log_text() const {
    std::string text = "logged:";
    for (const auto& line : log) text += "\n  " + line;
    return text;
  }
};

inline Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

inline Bytes pattern(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  unsigned state = seed;
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return bytes;
}

// Two nodes of one group, the second dialing the first, linked.
struct Pair {
  TestLoop loop;
  Node listener{loop}, dialer{loop};
  std::string address;

  Pair() {
    address = listener.transport->listen("127.0.0.1:0").value();
    dialer.transport->keep_dialing(address);
    linked_ = loop.run_until([&] { return listener.open() == 1 && dialer.open() == 1; });
  }
  [[nodiscard]] testing::AssertionResult linked() const {
    if (linked_) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no link; " << listener.log_text() << dialer.log_text();
  }

 private:
  bool linked_ = false;
};

}  // namespace fermata::net
