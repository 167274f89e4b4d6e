// How often a change is delivered and over how many hops, in meshes whose every device wants everything. Links are
// steady and about equally slow, so that the first copy of a change comes over a shortest path, as it does where a hop
// costs what a hop costs.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/check.hpp"
#include "device.hpp"

namespace fermata::sim {

inline constexpr std::uint64_t kUnreached = 1000;

// A connected random graph: a ring, so that it is one piece, and chords until the mean degree is reached.
inline std::vector<std::pair<std::size_t, std::size_t>> random_graph(std::size_t devices, std::size_t degree,
                                                                     SeededRandom& random) {
  std::set<std::pair<std::size_t, std::size_t>> edges;
  for (std::size_t i = 0; i < devices; ++i) edges.insert(std::minmax(i, (i + 1) % devices));
  while (edges.size() < devices * degree / 2) {
    const std::size_t a = random.below(devices);
    const std::size_t b = random.below(devices);
    if (a != b) edges.insert(std::minmax(a, b));
  }
  return {edges.begin(), edges.end()};
}

class SpreadMesh {
 public:
  SpreadMesh(std::size_t devices, std::uint64_t seed) : world_(seed) {
    for (std::size_t i = 0; i < devices; ++i) {
      DeviceOptions options;
      options.engine.device = fmt::format("device{:03}", i);
      devices_.push_back(std::make_unique<Device>(
          world_, options,
          Device::Wires{[this, i](LinkId link, Bytes frame) { send(i, link, std::move(frame)); }, [](LinkId) {}}));
      devices_.back()->subscribe("SELECT * FROM cars");
    }
    for (const auto& edge : random_graph(devices, std::min<std::size_t>(6, devices - 1), world_.random())) link(edge);
    run(seconds(5));
  }

  // Writes once and waits until it has spread, or for as long as a device may need to find out that it lacks something.
  void write(std::size_t author, const std::string& id) {
    value_ = Value(static_cast<std::int64_t>(++writes_));
    id_ = id;
    hops_.assign(devices_.size(), kUnreached);
    hops_[author] = 0;
    auto transaction = devices_[author]->store().begin().value();
    const bool alive = transaction.load("cars", id)->alive();
    FERMATA_CHECK(
        (alive ? transaction.set("cars", id, {"x"}, value_) : transaction.insert("cars", id, Map{{"x", value_}}))
            .has_value());
    FERMATA_CHECK(transaction.commit().has_value());
    devices_[author]->turn([] {});
    run(seconds(1));
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (!gone_.contains(i)) worst_hops_ = std::max(worst_hops_, hops_[i]);
    }
  }

  void cut(std::size_t index) {
    const Link cut = links_.at(index);
    links_.erase(index);
    for (std::size_t end : {cut.a, cut.b})
      devices_[end]->turn([&] { devices_[end]->engine().link_closed(index, world_.now()); });
  }
  void lose(std::size_t device) {
    gone_.insert(device);
    std::vector<std::size_t> ended;
    for (const auto& [id, link] : links_) {
      if (link.a == device || link.b == device) ended.push_back(id);
    }
    for (std::size_t id : ended) cut(id);
    devices_[device]->lose(Loss::Process);
  }

  [[nodiscard]] std::size_t size() const { return devices_.size(); }
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const std::set<std::size_t>& gone() const { return gone_; }
  [[nodiscard]] std::vector<std::size_t> links() const {
    std::vector<std::size_t> all;
    for (const auto& [id, link] : links_) all.push_back(id);
    return all;
  }
  // Documents that arrived in full or in part, everywhere; offers are none.
  [[nodiscard]] std::uint64_t deliveries() const {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (gone_.contains(i)) continue;
      for (const sync::SessionStatus& each : devices_[i]->engine().sessions()) all += each.documents_received;
    }
    return all;
  }
  // kUnreached if a change did not come to somebody.
  [[nodiscard]] std::uint64_t worst_hops() const { return worst_hops_; }
  void forget_hops() { worst_hops_ = 0; }
  // Of what is left of the graph.
  [[nodiscard]] std::uint64_t diameter() const {
    std::uint64_t widest = 0;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (!gone_.contains(i)) widest = std::max(widest, farthest_from(i));
    }
    return widest;
  }
  [[nodiscard]] bool connected() const { return diameter() < kUnreached; }
  [[nodiscard]] bool silent() {
    const std::uint64_t before = frames_;
    run(seconds(10));
    return frames_ == before;
  }
  [[nodiscard]] bool level() {
    return std::all_of(devices_.begin(), devices_.end(),
                       [&](const auto& device) { return !device->up() || !device->engine().unsynced(); });
  }

 private:
  struct Link {
    std::size_t a = 0, b = 0;
    Instant last_arrival[2]{};  // at a, at b
  };

  void run(Duration time) { world_.run_until(world_.now() + time); }

  void link(const std::pair<std::size_t, std::size_t>& edge) {
    const LinkId id = ++last_link_;
    links_.emplace(id, Link{edge.first, edge.second, {}});
    for (std::size_t end : {edge.first, edge.second}) {
      const std::size_t other = end == edge.first ? edge.second : edge.first;
      const LinkInfo info{id, devices_[other]->id(), "sim", end == edge.first};
      devices_[end]->turn([&] { devices_[end]->engine().link_opened(info, world_.now()); });
    }
  }

  void send(std::size_t from, LinkId id, Bytes frame) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    const bool to_a = found->second.b == from;
    const std::size_t to = to_a ? found->second.a : found->second.b;
    Instant& last = found->second.last_arrival[to_a ? 0 : 1];
    last = std::max(last, world_.now() + world_.between(milliseconds(30), milliseconds(33)));
    world_.after(last - world_.now(), [this, id, from, to, frame = std::move(frame)] {
      if (!links_.contains(id)) return;
      const std::uint8_t type = frame.size() > 1 ? frame[1] : 0;
      if (type != 6 && type != 7) ++frames_;
      devices_[to]->turn([&] { devices_[to]->engine().frame_received(id, frame, world_.now()); });
      note_arrival(from, to);
    });
  }

  void note_arrival(std::size_t from, std::size_t to) {
    if (hops_.empty() || hops_[to] != kUnreached || hops_[from] == kUnreached) return;
    const auto document = devices_[to]->store().load("cars", id_);
    FERMATA_CHECK(document.has_value());
    const Map view = document->view();
    const auto field = view.find("x");
    if (field != view.end() && field->second == value_) hops_[to] = hops_[from] + 1;
  }

  [[nodiscard]] std::uint64_t farthest_from(std::size_t start) const {
    std::vector<std::uint64_t> distance(devices_.size(), kUnreached);
    distance[start] = 0;
    std::deque<std::size_t> next{start};
    for (; !next.empty(); next.pop_front()) {
      for (const auto& [id, link] : links_) {
        if (link.a != next.front() && link.b != next.front()) continue;
        const std::size_t other = link.a == next.front() ? link.b : link.a;
        if (distance[other] != kUnreached) continue;
        distance[other] = distance[next.front()] + 1;
        next.push_back(other);
      }
    }
    std::uint64_t farthest = 0;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (!gone_.contains(i)) farthest = std::max(farthest, distance[i]);
    }
    return farthest;
  }

  World world_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::map<LinkId, Link> links_;
  LinkId last_link_ = 0;
  std::set<std::size_t> gone_;
  std::uint64_t frames_ = 0;
  std::uint64_t writes_ = 0;
  Value value_;
  std::string id_;
  std::vector<std::uint64_t> hops_;  // of the latest write, at first receipt
  std::uint64_t worst_hops_ = 0;
};

// Writes by some authors in turn. Result: deliveries per change and device that needed it.
inline double spread(SpreadMesh& mesh, const std::vector<std::size_t>& authors, int rounds) {
  const std::uint64_t before = mesh.deliveries();
  std::uint64_t needed = 0;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t author : authors) {
      if (mesh.gone().contains(author)) continue;
      mesh.write(author, fmt::format("d{}", mesh.world().random().below(20)));
      needed += mesh.size() - mesh.gone().size() - 1;
    }
  }
  return static_cast<double>(mesh.deliveries() - before) / static_cast<double>(needed);
}

}  // namespace fermata::sim
