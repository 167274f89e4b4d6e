#include "network.hpp"

#include <algorithm>

namespace fermata::sim {
namespace {

// The second byte of a frame is its type, as long as that is below 24.
enum class Kind : std::uint8_t { Heartbeat, Changes, Question, Other };

Kind kind_of(const Bytes& frame) {
  const std::uint8_t type = frame.size() > 1 ? frame[1] : 0;
  if (type == 6 || type == 7) return Kind::Heartbeat;
  if (type == 3 || type == 20) return Kind::Changes;  // plain or compressed
  return type == 4 ? Kind::Question : Kind::Other;
}

// A frame may be a document and its ranges longer than what was still free.
constexpr std::size_t kLastDocument = 1000;

constexpr Duration kCalmLatency = milliseconds(20);

}  // namespace

std::size_t Network::add_device(const Device* origin) {
  const std::size_t index = devices_.size();
  DeviceOptions options = defaults_;
  options.engine.device = "device" + std::to_string(index);
  options.engine.name = options.engine.device;
  devices_.push_back(std::make_unique<Device>(
      world_, options,
      Device::Wires{[this, index](LinkId link, Bytes frame) { send(index, link, std::move(frame)); },
                    [this, index](LinkId link) { close(index, link); }},
      origin));
  return index;
}

void Network::connect(std::size_t from, std::size_t to) {
  edges_.push_back({from, to});
  dial(edges_.size() - 1);
}

bool Network::reachable(std::size_t a, std::size_t b) const {
  return side_of_part(a) == side_of_part(b) && devices_[a]->up() && devices_[b]->up() && !devices_[a]->suspended() &&
         !devices_[b]->suspended();
}

// As `a` sees it.
bool Network::connected(std::size_t a, std::size_t b) const {
  return std::any_of(links_.begin(), links_.end(), [&](const auto& entry) {
    const std::size_t side = side_of(entry.second, a);
    const Side* sides = entry.second.sides;
    return sides[side].device == a && sides[1 - side].device == b && sides[side].open;
  });
}

bool Network::whole() const {
  const bool alive = std::all_of(links_.begin(), links_.end(), [](const auto& entry) {
    const Link& link = entry.second;
    return !link.cut && link.sides[0].open && link.sides[1].open;
  });
  return alive &&
         std::all_of(edges_.begin(), edges_.end(), [&](const Edge& edge) { return connected(edge.from, edge.to); });
}

Network::Link* Network::find(LinkId id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : &found->second;
}

void Network::forget_if_over(LinkId id) {
  const Link* link = find(id);
  if (link && link->cut && !link->sides[0].open && !link->sides[1].open) links_.erase(id);
}

void Network::dial(std::size_t edge) {
  const auto [from, to] = edges_[edge];
  if (!connected(from, to) && reachable(from, to)) {
    const LinkId id = ++last_link_;
    Link& link = links_[id];
    link.sides[0].device = from;
    link.sides[1].device = to;
    link.latency = world_.between(milliseconds(1), calm_ ? kCalmLatency : times_.latency_most);
    open(id, 0);
    open(id, 1);
  }
  world_.after(world_.between(times_.redial_least, times_.redial_most), [this, edge] { dial(edge); });
}

void Network::open(LinkId id, std::size_t side) {
  const auto delay = world_.between(Duration::zero(), links_.at(id).latency);
  // Nothing overtakes the opening.
  links_.at(id).sides[side].last_arrival = world_.now() + delay;
  world_.after(delay, [this, id, side] {
    Link* link = find(id);
    if (!link) return;
    Device& device = *devices_[link->sides[side].device];
    if (link->cut || !device.up() || device.suspended()) return cut(id);
    link->sides[side].open = true;
    const LinkInfo info{id, devices_[link->sides[1 - side].device]->id(), "sim", side == 0};
    device.turn([&] { device.engine().link_opened(info, world_.now()); });
  });
}

void Network::send(std::size_t from, LinkId id, Bytes frame) {
  world_.trace(frame);
  const Kind kind = kind_of(frame);
  if (kind != Kind::Heartbeat) ++frames_;
  Link* link = find(id);
  if (!link || link->cut) return;
  const std::size_t side = 1 - side_of(*link, from);
  Side& target = link->sides[side];
  const Instant arrival = std::max(
      target.last_arrival, world_.now() + link->latency / 2 + world_.between(Duration::zero(), link->latency / 2));
  target.last_arrival = arrival;
  if (kind == Kind::Changes) {
    target.changes_under_way += frame.size();
    const auto& engine = defaults_.engine;
    flooded_ = flooded_ || target.changes_under_way > engine.window_bytes + engine.batch_bytes + kLastDocument;
  }
  world_.after(arrival - world_.now(), [this, id, side, frame = std::move(frame)] { arrive(id, side, frame); });
  // A question is rare, and what matters is whether it survives being left without its answer.
  if (kind == Kind::Question && !calm_ && world_.chance(times_.answers_lost_percent)) {
    const Duration answer_begins = world_.between(Duration::zero(), link->latency / 2);
    world_.after(arrival - world_.now() + answer_begins, [this, id] { cut(id); });
  }
}

void Network::arrive(LinkId id, std::size_t side, const Bytes& frame) {
  const Link* link = find(id);
  if (!link || link->cut || !link->sides[side].open) return;
  Device& device = *devices_[link->sides[side].device];
  // A suspended device's system keeps it meanwhile.
  device.turn([this, id, side, &device, frame] {
    Link* now = find(id);
    if (!now) return;
    if (kind_of(frame) == Kind::Changes) now->sides[side].changes_under_way -= frame.size();
    if (!now->cut && now->sides[side].open) device.engine().frame_received(id, frame, world_.now());
  });
}

// A side closes: what it sent before still arrives, then the other side hears of it.
void Network::close(std::size_t device, LinkId id) {
  const Link* link = find(id);
  if (!link) return;
  const std::size_t side = side_of(*link, device);
  tell_closed(id, side, Duration::zero());
  if (link->cut) return;
  const Instant last = link->sides[1 - side].last_arrival;
  world_.after(std::max(Duration::zero(), last - world_.now()) + milliseconds(1), [this, id, side] {
    if (Link* then = find(id)) {
      then->cut = true;
      tell_closed(id, 1 - side, Duration::zero());
      forget_if_over(id);
    }
  });
}

void Network::cut(LinkId id) {
  Link* link = find(id);
  if (!link || link->cut) return;
  link->cut = true;
  for (std::size_t side = 0; side < 2; ++side) {
    // Sometimes no sign of the cut ever comes, and only a heartbeat finds out.
    if (calm_ || world_.chance(70)) tell_closed(id, side, world_.between(Duration::zero(), milliseconds(500)));
  }
  forget_if_over(id);
}

void Network::tell_closed(LinkId id, std::size_t side, Duration delay) {
  world_.after(delay, [this, id, side] {
    Link* link = find(id);
    if (!link || !link->sides[side].open) return;
    Side& told = link->sides[side];
    told.open = false;
    Device& device = *devices_[told.device];
    device.turn([this, id, &device] { device.engine().link_closed(id, world_.now()); });
    forget_if_over(id);
  });
}

void Network::cut_one() {
  std::vector<LinkId> alive;
  for (const auto& [id, link] : links_) {
    if (!link.cut) alive.push_back(id);
  }
  if (!alive.empty()) cut(alive[world_.random().below(alive.size())]);
}

void Network::cut_all_of(std::size_t index) {
  std::vector<LinkId> its;
  for (auto& [id, link] : links_) {
    for (Side& side : link.sides) {
      if (side.device != index) continue;
      side.open = false;
      its.push_back(id);
    }
  }
  for (LinkId id : its) {
    cut(id);
    forget_if_over(id);
  }
}

void Network::reclaim(std::size_t index) {
  std::vector<LinkId> its;
  for (const auto& [id, link] : links_) {
    if (link.sides[0].device == index || link.sides[1].device == index) its.push_back(id);
  }
  for (LinkId id : its) cut(id);
}

}  // namespace fermata::sim
