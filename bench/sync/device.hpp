// A real peer in a directory of its own, on loopback.
#pragma once

#include <chrono>
#include <fermata/fermata.hpp>
#include <functional>

#include "measure.hpp"
#include "support/temp_dir.hpp"

namespace fermata::bench {

// Looks every few milliseconds.
void wait_until(const std::function<bool()>& condition, const std::string& what,
                std::chrono::seconds limit = std::chrono::seconds(600));

class Device {
 public:
  Device();
  ~Device();

  // A new incarnation of the process, as far as the network goes. Nothing connects before start().
  void open();
  void close() { peer_.reset(); }
  // Its directory becomes a copy of a closed device's, which is another device. Opens it.
  void become_copy_of(const Device& closed);
  void fill(std::size_t documents);  // of collection "items"
  [[nodiscard]] std::string listen();
  void connect(const std::string& address);
  void want(const std::string& select) { wanted_.push_back(value_of(peer_->subscribe(select))); }
  void write(std::string_view statement, const Map& parameters = {});

  // To the background without anything that would keep it alive, and back.
  void suspend();
  void resume();

  [[nodiscard]] Peer& peer() { return *peer_; }
  [[nodiscard]] Database& database() { return peer_->database(); }
  [[nodiscard]] std::string database_file() const { return directory_.file("fermata.db"); }
  [[nodiscard]] std::uint64_t count();

 private:
  class Phone;

  support::TempDir directory_;
  Phone* phone_;  // owned by background_
  std::unique_ptr<BackgroundSync> background_;
  std::unique_ptr<Peer> peer_;
  std::vector<Subscription> wanted_;
};

}  // namespace fermata::bench
