#include "network.hpp"

namespace fermata::sim {

std::size_t Network::add_device() {
  const std::size_t index = devices_.size();
  sync::EngineOptions options = defaults_;
  options.device = "device" + std::to_string(index);
  options.name = options.device;
  devices_.push_back(std::make_unique<Device>(
      world_, index, options,
      Device::Wires{[this, index](LinkId link, Bytes frame) { send(index, link, std::move(frame)); },
                    [this, index](LinkId link) { close(index, link); }}));
  return index;
}

void Network::connect(std::size_t from, std::size_t to) {
  edges_.push_back({from, to});
  dial(edges_.size() - 1);
}

bool Network::reachable(std::size_t a, std::size_t b) const {
  return ((parted_ >> a) & 1u) == ((parted_ >> b) & 1u) && devices_[a]->up() && devices_[b]->up() &&
         !devices_[a]->suspended() && !devices_[b]->suspended();
}

void Network::dial(std::size_t edge) {
  const auto [from, to] = edges_[edge];
  bool connected = false;
  for (const auto& [id, link] : links_) {
    const std::size_t side = side_of(link, from);
    connected =
        connected || (link.sides[side].device == from && link.sides[1 - side].device == to && link.sides[side].open);
  }
  if (!connected && reachable(from, to)) {
    const LinkId id = ++last_link_;
    Link& link = links_[id];
    link.sides[0].device = from;
    link.sides[1].device = to;
    link.latency = world_.between(milliseconds(1), milliseconds(calm_ ? 20 : 400));
    open(id, 0);
    open(id, 1);
  }
  world_.after(world_.between(milliseconds(200), milliseconds(2500)), [this, edge] { dial(edge); });
}

void Network::open(LinkId id, std::size_t side) {
  const auto delay = world_.between(Duration::zero(), links_.at(id).latency);
  // Nothing overtakes the opening.
  links_.at(id).sides[side].last_arrival = world_.now() + delay;
  world_.after(delay, [this, id, side] {
    Link& link = links_.at(id);
    Device& device = *devices_[link.sides[side].device];
    if (link.cut || !device.up() || device.suspended()) return cut(id);
    link.sides[side].open = true;
    const LinkInfo info{id, devices_[link.sides[1 - side].device]->id(), "sim", side == 0};
    device.turn([&] { device.engine().link_opened(info, world_.now()); });
  });
}

void Network::send(std::size_t from, LinkId id, Bytes frame) {
  world_.trace(frame);
  const std::uint8_t type = frame.size() > 1 ? frame[1] : 0;
  const bool heartbeat = type == 6 || type == 7;
  const bool want = type == 4;
  if (!heartbeat) ++frames_;
  Link& link = links_.at(id);
  if (link.cut) return;
  const std::size_t side = 1 - side_of(link, from);
  Side& target = link.sides[side];
  const Instant arrival = std::max(
      target.last_arrival, world_.now() + link.latency / 2 + world_.between(Duration::zero(), link.latency / 2));
  target.last_arrival = arrival;
  world_.after(arrival - world_.now(), [this, id, side, frame = std::move(frame)]() mutable {
    Link& now = links_.at(id);
    Device& device = *devices_[now.sides[side].device];
    if (now.cut || !device.up()) return;
    device.turn([this, id, side, &device, frame = std::move(frame)] {
      const Link& then = links_.at(id);
      if (!then.cut && then.sides[side].open) device.engine().frame_received(id, frame, world_.now());
    });
  });
  // A question is rare, and what matters is whether it survives being left without its answer.
  if (want && !calm_ && world_.chance(40)) {
    const Duration answer_begins = world_.between(Duration::zero(), link.latency / 2);
    world_.after(arrival - world_.now() + answer_begins, [this, id] { cut(id); });
  }
}

// A side closes: what it sent before still arrives, then the other side hears of it.
void Network::close(std::size_t device, LinkId id) {
  Link& link = links_.at(id);
  const std::size_t side = side_of(link, device);
  tell_closed(id, side, Duration::zero());
  if (link.cut) return;
  const Instant last = link.sides[1 - side].last_arrival;
  world_.after(std::max(Duration::zero(), last - world_.now()) + milliseconds(1), [this, id, side] {
    tell_closed(id, 1 - side, Duration::zero());
    links_.at(id).cut = true;
  });
}

void Network::cut(LinkId id) {
  Link& link = links_.at(id);
  if (link.cut) return;
  link.cut = true;
  for (std::size_t side = 0; side < 2; ++side) {
    // Sometimes no sign of the cut ever comes, and only a heartbeat finds out.
    if (calm_ || world_.chance(70)) tell_closed(id, side, world_.between(Duration::zero(), milliseconds(500)));
  }
}

void Network::tell_closed(LinkId id, std::size_t side, Duration delay) {
  world_.after(delay, [this, id, side] {
    Side& told = links_.at(id).sides[side];
    if (!told.open) return;
    told.open = false;
    Device& device = *devices_[told.device];
    device.turn([this, id, &device] { device.engine().link_closed(id, world_.now()); });
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
  for (auto& [id, link] : links_) {
    for (Side& side : link.sides) {
      if (side.device != index) continue;
      side.open = false;
      cut(id);
    }
  }
}

}  // namespace fermata::sim
