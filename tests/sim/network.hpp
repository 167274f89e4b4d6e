// Links between simulated devices: ordered, slow, and cut without warning. What is on its way when a link is cut is
// lost, and each side learns of the cut when it learns of it, or only by its own patience.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "device.hpp"

namespace fermata::sim {

class Network {
 public:
  Network(World& world, sync::EngineOptions defaults) : world_(world), defaults_(std::move(defaults)) {}

  std::size_t add_device();
  // From now on `from` keeps dialing `to`.
  void connect(std::size_t from, std::size_t to);
  [[nodiscard]] Device& device(std::size_t index) { return *devices_[index]; }
  [[nodiscard]] std::size_t size() const { return devices_.size(); }

  void cut_one();                                    // some link
  void cut_all_of(std::size_t index);                // of a device that is gone
  void part(std::uint64_t side) { parted_ = side; }  // bit i: on which side device i is; 0: all together
  void calm() { calm_ = true; }                      // short latencies, no new trouble

  [[nodiscard]] std::uint64_t frames() const { return frames_; }  // sent so far, heartbeats aside

 private:
  struct Side {
    std::size_t device = 0;
    bool open = false;       // between on_open and on_close, as the device sees it
    Instant last_arrival{};  // keeps frames in order
  };
  struct Link {
    Side sides[2];  // 0 dialed
    bool cut = false;
    Duration latency{};
  };
  struct Edge {
    std::size_t from = 0, to = 0;
  };

  void dial(std::size_t edge);
  void open(LinkId link, std::size_t side);
  void send(std::size_t device, LinkId link, Bytes frame);
  void close(std::size_t device, LinkId link);
  void cut(LinkId link);
  void tell_closed(LinkId link, std::size_t side, Duration delay);
  [[nodiscard]] bool reachable(std::size_t a, std::size_t b) const;
  [[nodiscard]] std::size_t side_of(const Link& link, std::size_t device) const {
    return link.sides[0].device == device ? 0 : 1;
  }

  World& world_;
  sync::EngineOptions defaults_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<Edge> edges_;
  std::map<LinkId, Link> links_;
  LinkId last_link_ = 0;
  std::uint64_t parted_ = 0;
  bool calm_ = false;
  std::uint64_t frames_ = 0;
};

}  // namespace fermata::sim
