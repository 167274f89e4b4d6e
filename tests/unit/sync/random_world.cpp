#include "random_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sync/shared.hpp"

namespace fermata::sync {
namespace {

constexpr std::size_t kMostProblems = 10;
constexpr std::uint64_t kWholeLog = UINT64_MAX;

bool includes(const crdt::Document& mine, const crdt::Document& theirs) {
  const auto all = theirs.delta_since(0, 0);
  crdt::Document merged = mine;
  if (all) merged.merge(*all, {});
  return merged.fingerprint() == mine.fingerprint();
}

}  // namespace

EngineOptions RandomWorld::options(const WorldPlan& plan, SeededRandom& random) {
  constexpr std::size_t kWindows[] = {150, 600, 3000, 1u << 20};
  constexpr std::size_t kBatches[] = {60, 300, 64u << 10};
  constexpr std::size_t kCursors[] = {1, 2, 16};
  EngineOptions options;
  options.window_bytes = kWindows[random.below(std::size(kWindows))];
  options.batch_bytes = kBatches[random.below(std::size(kBatches))];
  options.cursors_per_frame = kCursors[random.below(std::size(kCursors))];
  // Time passes in leaps, during which nobody can give a sign of life.
  options.heartbeat = options.dead_after = options.stalled_after = std::chrono::hours(24);
  if (plan.forgets_deletions) options.tombstone_ttl = std::chrono::seconds(2);
  options.mutation = plan.mutation;
  return options;
}

RandomWorld::RandomWorld(std::uint64_t seed, const WorldPlan& plan) : plan_(plan), random_(seed) {
  documents_ = one_in(4) ? 60 : 8;
  const std::uint64_t count = 2 + random_.below(2);
  for (std::uint64_t i = 0; i < count; ++i)
    nodes_.push_back(std::make_unique<Node>(fmt::format("n{}", i), options(plan, random_)));
  subscriptions_.resize(count);
}

void RandomWorld::run() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    for (std::uint64_t more = random_.below(5); more != 0; --more) subscribe(node, any_query());
  }
  meet(0, 1);
  for (std::uint64_t more = 40 + random_.below(200); more != 0 && problems_.empty(); --more) step();
  if (problems_.empty()) check_end();
}

std::uint64_t RandomWorld::deletions_forgotten() const {
  std::uint64_t all = 0;
  for (const auto& node : nodes_) all += node->engine->tombstones_purged();
  return all;
}

void RandomWorld::problem(std::string text) {
  if (problems_.size() < kMostProblems) problems_.push_back(std::move(text));
}

void RandomWorld::step() {
  const std::size_t node = any_node();
  const std::uint64_t dice = random_.below(100);
  if (dice < 35) {
    write(node);
    if (!one_in(3)) send(node);
  } else if (dice < 80) {
    for (std::uint64_t more = random_.below(8); more != 0; --more) (void)deliver_one();
  } else if (dice < 86) {
    subscribe(node, any_query());
    if (one_in(2)) send(node);
  } else if (dice < 90) {
    end_subscription(node);
    if (one_in(2)) send(node);
  } else if (dice < 93) {
    cut_any();
  } else if (dice < 97) {
    const std::size_t other = any_node();
    if (other != node && (!linked(node, other) || one_in(6))) meet(node, other);
  } else if (dice < 99) {
    wait(std::chrono::milliseconds(50 + random_.below(plan_.forgets_deletions ? 4000 : 600)));
  } else if (one_in(3)) {
    restart(node);
  } else {
    deliver_all();
  }
}

std::string RandomWorld::any_query() {
  const char* collection = one_in(3) ? "dogs" : "cars";
  switch (random_.below(6)) {
    case 0:
      return fmt::format("SELECT * FROM {}", collection);
    case 1:
      return fmt::format("SELECT * FROM {} WHERE y < {}", collection, 1 + random_.below(4));
    default:
      return fmt::format("SELECT * FROM {} WHERE x = {}", collection, random_.below(4));
  }
}

void RandomWorld::subscribe(std::size_t node, const std::string& query) {
  auto& mine = subscriptions_[node];
  if (!mine.contains(query)) mine[query] = nodes_[node]->subscribe(query);
}

void RandomWorld::end_subscription(std::size_t node) {
  auto& mine = subscriptions_[node];
  if (mine.empty()) return;
  const auto any = std::next(mine.begin(), static_cast<std::ptrdiff_t>(random_.below(mine.size())));
  nodes_[node]->engine->unsubscribe(any->second, nodes_[node]->now());
  mine.erase(any);
}

void RandomWorld::write(std::size_t node) {
  auto transaction = nodes_[node]->store->begin().value();
  for (std::uint64_t more = one_in(3) ? 1 + random_.below(5) : 1; more != 0; --more) change(transaction);
  ASSERT_TRUE(transaction.commit());
}

void RandomWorld::change(store::Transaction& transaction) {
  const std::string collection = one_in(3) ? "dogs" : "cars";
  const std::string id = fmt::format("d{}", random_.below(documents_));
  const auto x = static_cast<std::int64_t>(random_.below(4));
  const auto y = static_cast<std::int64_t>(random_.below(5));
  written_[collection].insert(id);
  if (!transaction.load(collection, id)->alive()) {
    ASSERT_TRUE(transaction.insert(collection, id, {{"x", x}, {"y", y}}));
  } else if (one_in(8)) {
    deleted_[collection].insert(id);
    ASSERT_TRUE(transaction.remove(collection, id));
  } else if (plan_.large_documents && one_in(5)) {
    enlarge(transaction, collection, id);
  } else if (one_in(3)) {
    ASSERT_TRUE(transaction.set(collection, id, {"x"}, x));
  } else {
    ASSERT_TRUE(transaction.set(collection, id, {"y"}, y));
  }
}

void RandomWorld::enlarge(store::Transaction& transaction, const std::string& collection, const std::string& id) {
  const Array numbers(30, Value(static_cast<std::int64_t>(random_.below(5))));
  for (const char* name : {"p", "q", "r"}) {
    if (one_in(4)) continue;
    ASSERT_TRUE(transaction.set(collection, id, {name}, Value(numbers)));
  }
}

void RandomWorld::restart(std::size_t node) {
  Node& gone = *nodes_[node];
  const bool stops_in_order = one_in(2);
  for (auto wire = wires_.begin(); wire != wires_.end();) {
    const auto& [id, ends] = *wire;
    if (ends[0].node != node && ends[1].node != node) {
      ++wire;
      continue;
    }
    Node& other = *nodes_[ends[ends[0].node == node ? 1 : 0].node];
    other.engine->link_closed(id, other.now());
    if (stops_in_order) gone.engine->link_closed(id, gone.now());
    wire = wires_.erase(wire);
  }
  gone.engine.reset();
  gone.store.reset();
  gone.commits.clear();
  gone.open();
  for (auto& [query, id] : subscriptions_[node]) id = gone.subscribe(query);
  send_all();
}

void RandomWorld::wait(Duration time) {
  for (const auto& node : nodes_) {
    node->clock.time += time;
    node->clock.wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
    node->engine->on_deadline(node->now());
  }
  send_all();
}

void RandomWorld::meet(std::size_t a, std::size_t b) {
  const LinkId link = ++last_link_;
  wires_[link][0].node = a;
  wires_[link][1].node = b;
  nodes_[a]->engine->link_opened({link, nodes_[b]->options.device, "", true}, nodes_[a]->now());
  nodes_[b]->engine->link_opened({link, nodes_[a]->options.device, "", false}, nodes_[b]->now());
  send_all();
}

bool RandomWorld::linked(std::size_t a, std::size_t b) const {
  return std::any_of(wires_.begin(), wires_.end(), [&](const auto& each) {
    const auto& [id, ends] = each;
    return (ends[0].node == a && ends[1].node == b) || (ends[0].node == b && ends[1].node == a);
  });
}

void RandomWorld::cut(LinkId link) {
  const auto wire = wires_.find(link);
  if (wire == wires_.end()) return;
  const Wire ends = std::move(wire->second);
  wires_.erase(wire);
  for (const End& end : ends) nodes_[end.node]->engine->link_closed(link, nodes_[end.node]->now());
}

void RandomWorld::cut_any() {
  if (wires_.empty()) return;
  cut(std::next(wires_.begin(), static_cast<std::ptrdiff_t>(random_.below(wires_.size())))->first);
  send_all();
}

void RandomWorld::send(std::size_t node) {
  for (Action& action : nodes_[node]->drain()) carry_out(node, action);
}

void RandomWorld::send_all() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) send(node);
}

void RandomWorld::carry_out(std::size_t node, Action& action) {
  if (const auto* close = std::get_if<CloseLink>(&action)) {
    // Of two links between the same two one goes; or the older is asked for a sign of life, and a leap of time comes.
    if (close->why.code != ErrorCode::AlreadyExists && close->why.code != ErrorCode::Timeout)
      problem(fmt::format("n{} closes link {}: {}", node, close->link, close->why.message));
    cut(close->link);
    return;
  }
  auto& [link, frame] = std::get<SendFrame>(action);
  const auto wire = wires_.find(link);
  if (wire == wires_.end()) return;
  const std::size_t from = wire->second[0].node == node ? 0 : 1;
  hear(wire->second, from, frame);
  wire->second[from].under_way.push_back(std::move(frame));
}

bool RandomWorld::deliver_one() {
  std::vector<std::pair<LinkId, std::size_t>> ready;
  for (const auto& [id, ends] : wires_) {
    for (const std::size_t from : {0u, 1u}) {
      if (!ends[from].under_way.empty()) ready.emplace_back(id, from);
    }
  }
  if (ready.empty()) return false;
  const auto [id, from] = ready[random_.below(ready.size())];
  Wire& ends = wires_.at(id);
  const Bytes frame = std::move(ends[from].under_way.front());
  ends[from].under_way.pop_front();
  Node& to = *nodes_[ends[1 - from].node];
  to.engine->frame_received(id, frame, to.now());
  send_all();
  return true;
}

void RandomWorld::deliver_all() {
  constexpr int kMostFrames = 20'000;
  for (int frames = 0; frames < kMostFrames; ++frames) {
    if (!deliver_one()) return;
  }
  problem("they do not come to rest");
}

void RandomWorld::hear(Wire& wire, std::size_t from, const Bytes& frame) {
  const Result<Message> message = wire[from].reader.read(frame);
  if (!message) {
    problem(fmt::format("n{} says what cannot be read: {}", wire[from].node, message.error().message));
  } else if (const auto* hello = std::get_if<Hello>(&*message)) {
    for (const Wanted& wanted : hello->subscriptions) hear_stated(wire, from, wanted, "HELLO");
  } else if (const auto* subscribe = std::get_if<Subscribe>(&*message)) {
    hear_stated(wire, from, subscribe->subscription, "SUBSCRIBE");
  } else if (const auto* unsubscribe = std::get_if<Unsubscribe>(&*message)) {
    wire[from].subscriptions.erase(unsubscribe->id);
  } else if (const auto* ack = std::get_if<Ack>(&*message)) {
    hear_ack(wire, from, *ack);
  }
}

void RandomWorld::hear_stated(Wire& wire, std::size_t from, const Wanted& wanted, const char* where) {
  const auto query = query::Predicate::parse(wanted.query, {}).value();
  wire[from].subscriptions.insert_or_assign(wanted.id, query);
  const std::size_t log = wire[1 - from].node;
  if (wanted.epoch == nodes_[log]->store->epoch()) check({wire[from].node, log, wanted.position.base, where}, query);
}

void RandomWorld::hear_ack(const Wire& wire, std::size_t from, const Ack& ack) {
  const auto& stated = wire[from].subscriptions;
  Claim claim{wire[from].node, wire[1 - from].node, 0, "ACK"};
  for (const auto& [id, position] : ack.cursors) {
    claim.base = position.base;
    if (const auto found = stated.find(id); found != stated.end()) check(claim, found->second);
  }
  if (!ack.level) return;
  claim.base = *ack.level;
  for (const auto& [id, query] : stated) check(claim, query);
}

void RandomWorld::check(const Claim& claim, const query::Predicate& query) {
  ++claims_;
  for (const std::string& id : written_[query.collection()]) {
    // Who has forgotten a deletion refuses what he knew of the document, and takes in what is new of it.
    if (plan_.forgets_deletions && deleted_[query.collection()].contains(id)) continue;
    const auto theirs = nodes_[claim.log]->store->load(query.collection(), id).value();
    if (!theirs.exists() || latest_change(theirs) > claim.base || !query.matches(id, theirs.view())) continue;
    const auto mine = nodes_[claim.owner]->store->load(query.collection(), id).value();
    // Whoever has nothing of a document need not hear that it was deleted; nor, if it has the deletion, what else there
    // was.
    if (!theirs.alive() && (!mine.exists() || mine.life() >= theirs.life())) continue;
    if (!includes(mine, theirs))
      problem(fmt::format("{}: n{} claims to have n{}'s log up to {} for {}, but lacks what {} became at {}",
                          claim.where, claim.owner, claim.log, claim.base, query.text(), id, latest_change(theirs)));
  }
}

void RandomWorld::check_end() {
  constexpr int kRounds = 12;
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    for (std::size_t b = a + 1; b < nodes_.size(); ++b) {
      if (!linked(a, b)) meet(a, b);
    }
  }
  for (int i = 0; i < kRounds; ++i) {
    deliver_all();
    wait(std::chrono::milliseconds(400));
  }
  deliver_all();
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    check_level(a);
    for (std::size_t b = 0; b < nodes_.size(); ++b) {
      if (a == b) continue;
      for (const auto& [query, id] : subscriptions_[a])
        check({a, b, kWholeLog, "in the end"}, query::Predicate::parse(query, {}).value());
      for (const char* collection : {"cars", "dogs"}) check_same(collection, a, b);
    }
  }
}

void RandomWorld::check_level(std::size_t node) {
  const Engine& engine = *nodes_[node]->engine;
  if (engine.unsynced()) problem(fmt::format("n{} is unsynced in the end", node));
  if (engine.repairs() != 0) problem(fmt::format("n{} made {} repairs", node, engine.repairs()));
  if (engine.documents_given_up() != 0 && !plan_.forgets_deletions)
    problem(fmt::format("n{} gave up {} documents", node, engine.documents_given_up()));
  for (const SessionStatus& each : engine.sessions()) {
    if (!each.caught_up || !each.remote_caught_up || each.changes_unconfirmed != 0)
      problem(fmt::format("n{} with {}: caught up {}, remote {}, {} unconfirmed", node, each.device, each.caught_up,
                          each.remote_caught_up, each.changes_unconfirmed));
  }
}

void RandomWorld::check_same(const std::string& collection, std::size_t a, std::size_t b) {
  const std::string all = "SELECT * FROM " + collection;
  if (!subscriptions_[a].contains(all) || !subscriptions_[b].contains(all)) return;
  for (const std::string& id : written_[collection]) {
    const auto one = nodes_[a]->store->load(collection, id).value();
    const auto other = nodes_[b]->store->load(collection, id).value();
    if (one.alive() != other.alive() || (one.alive() && one.fingerprint() != other.fingerprint()))
      problem(fmt::format("n{} and n{} differ in {} of {}", a, b, id, collection));
  }
}

}  // namespace fermata::sync
