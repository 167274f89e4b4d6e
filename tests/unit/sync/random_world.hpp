// Two or three engines that write, subscribe, meet, part, wait and start anew by chance. A cursor in HELLO, SUBSCRIBE
// or ACK is a claim: "I have received your log up to here for this query". Each is compared with what its owner really
// holds when it says so. In the end all are joined, and must be level without a repair.
#pragma once

#include <array>
#include <map>
#include <set>

#include "pair.hpp"
#include "sync/message_reader.hpp"

namespace fermata::sync {

struct WorldPlan {
  bool large_documents = false;    // they travel in parts
  bool forgets_deletions = false;  // soon
  Mutation mutation = Mutation::None;
};

class RandomWorld {
 public:
  RandomWorld(std::uint64_t seed, const WorldPlan& plan);

  // Stops early where a claim turns out to be wrong.
  void run();

  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] std::uint64_t claims() const { return claims_; }
  [[nodiscard]] std::uint64_t deletions_forgotten() const;

 private:
  struct End {
    std::size_t node = 0;
    std::deque<Bytes> under_way;                              // what it has sent and the other end has not received
    MessageReader reader;                                     // of what it sends
    std::map<std::uint64_t, query::Predicate> subscriptions;  // that it has stated
  };
  using Wire = std::array<End, 2>;
  // What the owner of a cursor says to the owner of the log.
  struct Claim {
    std::size_t owner = 0;
    std::size_t log = 0;
    std::uint64_t base = 0;
    const char* where = "";
  };

  [[nodiscard]] static EngineOptions options(const WorldPlan& plan, SeededRandom& random);
  void problem(std::string text);
  [[nodiscard]] bool one_in(std::uint64_t count) { return random_.below(count) == 0; }
  [[nodiscard]] std::size_t any_node() { return random_.below(nodes_.size()); }

  // What happens by chance.
  void step();
  [[nodiscard]] std::string any_query();
  void subscribe(std::size_t node, const std::string& query);
  void end_subscription(std::size_t node);
  void write(std::size_t node);
  void change(store::Transaction& transaction);
  void enlarge(store::Transaction& transaction, const std::string& collection, const std::string& id);
  void restart(std::size_t node);
  void wait(Duration time);

  // The wires.
  void meet(std::size_t a, std::size_t b);
  [[nodiscard]] bool linked(std::size_t a, std::size_t b) const;
  void cut(LinkId link);
  void cut_any();
  void send(std::size_t node);
  void send_all();
  void carry_out(std::size_t node, Action& action);
  [[nodiscard]] bool deliver_one();
  void deliver_all();

  // What is held against them.
  void hear(Wire& wire, std::size_t from, const Bytes& frame);
  void hear_stated(Wire& wire, std::size_t from, const Wanted& wanted, const char* where);
  void hear_ack(const Wire& wire, std::size_t from, const Ack& ack);
  void check(const Claim& claim, const query::Predicate& query);
  void check_level(std::size_t node);
  void check_same(const std::string& collection, std::size_t a, std::size_t b);
  void check_end();

  WorldPlan plan_;
  SeededRandom random_;
  std::uint64_t documents_ = 0;  // in each collection
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::map<std::string, SubscriptionId>> subscriptions_;  // of each node, by query
  std::map<LinkId, Wire> wires_;
  LinkId last_link_ = 0;
  std::map<std::string, std::set<std::string>> written_, deleted_;  // at some time, by collection
  std::vector<std::string> problems_;
  std::uint64_t claims_ = 0;
};

}  // namespace fermata::sync
