// Several engines on real stores in memory, joined by links that a test opens, freezes and cuts by hand.
#pragma once

#include <map>
#include <set>

#include "pair.hpp"

namespace fermata::sync {

struct Mesh {
  explicit Mesh(std::vector<Node*> all) : nodes(std::move(all)) {}

  LinkId open(Node& a, Node& b) {
    links[++last] = {&a, &b};
    a.engine->link_opened({last, b.options.device, "", true}, a.now());
    b.engine->link_opened({last, a.options.device, "", false}, b.now());
    return last;
  }
  void cut(LinkId id) {
    const auto [a, b] = links.at(id);
    links.erase(id);
    a->engine->link_closed(id, a->now());
    b->engine->link_closed(id, b->now());
  }
  // What is sent on it gets lost; both sides believe that it lives.
  void freeze(LinkId id) { frozen.insert(id); }

  // Until nobody has anything to say.
  void settle() {
    for (bool any = true; any;) {
      any = false;
      for (Node* node : nodes) {
        for (Action& action : node->drain()) any = deliver(*node, action) || any;
      }
    }
  }
  // Time passes for all; deadlines that lie in it are met.
  void wait(Duration time) {
    for (Node* node : nodes) {
      node->clock.time += time;
      node->engine->on_deadline(node->now());
    }
    settle();
  }
  [[nodiscard]] SessionStatus session(Node& node, const Node& with) const {
    for (const SessionStatus& each : node.engine->sessions()) {
      if (each.device == with.options.device) return each;
    }
    return {};
  }
  // Documents, in full or in part, that this node was sent.
  [[nodiscard]] static std::uint64_t received(Node& node) {
    std::uint64_t all = 0;
    for (const SessionStatus& each : node.engine->sessions()) all += each.documents_received;
    return all;
  }

  std::vector<Node*> nodes;
  std::map<LinkId, std::pair<Node*, Node*>> links;
  std::set<LinkId> frozen;
  LinkId last = 0;

 private:
  bool deliver(Node& from, Action& action) {
    const auto* frame = std::get_if<SendFrame>(&action);
    const LinkId id = frame ? frame->link : std::get<CloseLink>(action).link;
    if (!links.contains(id)) return false;
    if (!frame) {
      cut(id);
      return true;
    }
    if (frozen.contains(id)) return false;
    const auto [a, b] = links.at(id);
    Node& to = a == &from ? *b : *a;
    to.engine->frame_received(id, frame->frame, to.now());
    return true;
  }
};

}  // namespace fermata::sync
