// Links between simulated devices: ordered, slow, and cut without warning. What is on its way when a link is cut is
// lost, and each side learns of the cut when it learns of it, or only by its own patience.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "device.hpp"

namespace fermata::sim {

struct NetworkTimes {
  Duration redial_least = milliseconds(200), redial_most = milliseconds(2500);
  Duration latency_most = milliseconds(400);
  unsigned answers_lost_percent = 40;  // of all WANTs: the link is cut while the answer is on its way
};

class Network {
 public:
  Network(World& world, DeviceOptions defaults, NetworkTimes times)
      : world_(world), defaults_(std::move(defaults)), times_(times) {}

  // A new device, or one that begins on a copy of another's disk.
  std::size_t add_device(const Device* origin = nullptr);
  // From now on `from` keeps dialing `to`.
  void connect(std::size_t from, std::size_t to);
  [[nodiscard]] Device& device(std::size_t index) { return *devices_[index]; }
  [[nodiscard]] std::size_t size() const { return devices_.size(); }

  void cut_one();                      // some link
  void cut_all_of(std::size_t index);  // of a device that is gone
  void reclaim(std::size_t index);     // of a device that is suspended: it learns of it on waking
  // sides[i]: on which side device i is; those that are not listed are on the first.
  void part(std::vector<bool> sides) { parted_ = std::move(sides); }
  void calm() { calm_ = true; }  // short latencies, no new trouble

  // Everybody who dials is connected, and no link is dead without both sides knowing.
  [[nodiscard]] bool whole() const;
  // Whether there ever were more bytes of changes on their way to somebody than the sender's window lets out.
  [[nodiscard]] bool flooded() const { return flooded_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }  // sent so far, heartbeats aside

 private:
  struct Side {
    std::size_t device = 0;
    bool open = false;                  // between on_open and on_close, as the device sees it
    Instant last_arrival{};             // keeps frames in order
    std::size_t changes_under_way = 0;  // bytes
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
  void arrive(LinkId link, std::size_t side, const Bytes& frame);
  void close(std::size_t device, LinkId link);
  void cut(LinkId link);
  void tell_closed(LinkId link, std::size_t side, Duration delay);
  void forget_if_over(LinkId link);
  [[nodiscard]] Link* find(LinkId link);
  [[nodiscard]] bool connected(std::size_t a, std::size_t b) const;
  [[nodiscard]] bool side_of_part(std::size_t index) const { return index < parted_.size() && parted_[index]; }
  [[nodiscard]] bool reachable(std::size_t a, std::size_t b) const;
  [[nodiscard]] std::size_t side_of(const Link& link, std::size_t device) const {
    return link.sides[0].device == device ? 0 : 1;
  }

  World& world_;
  DeviceOptions defaults_;
  NetworkTimes times_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<Edge> edges_;
  std::map<LinkId, Link> links_;
  LinkId last_link_ = 0;
  std::vector<bool> parted_;
  bool calm_ = false;
  bool flooded_ = false;
  std::uint64_t frames_ = 0;
};

}  // namespace fermata::sim
