// One run of the simulated mesh from one seed: devices, links, subscriptions, work and trouble; then healing, quiet,
// and the oracles.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan.hpp"

namespace fermata::sim {

// Which oracle found a violation.
enum class Oracle : std::uint8_t {
  None,
  AcknowledgedWrite,  // it is nowhere, nor anything that beats it
  Resurrection,       // a life that nobody gave
  EqualState,         // a holder of the whole collection differs from all data merged
  Answer,             // a holder's answer to its own query differs from the answer over all data merged
  CaughtUp,           // nothing happens, and yet somebody is not level, or has no session
  Silence,            // frames after everything had been said
  Once,               // a change was sent over one link, in one direction, more than once
  Repair,             // digests differed where everything had been sent: made good, but something was lost
  Digest,             // a store's digest is not that of its documents
  Dot,                // one name for two commits
  Count,              // a counter is not the sum of what was counted
  Window,             // more is on its way to somebody than the window allows
};
[[nodiscard]] const char* name_of(Oracle oracle);

struct Violation {
  Oracle oracle = Oracle::None;
  std::string what;
  [[nodiscard]] explicit operator bool() const { return oracle != Oracle::None; }
};

// What a run has gathered by a certain time: rows that are no documents, in all databases together, and memory that is
// in use, the simulator's own included.
struct Size {
  std::uint64_t rows = 0;
  std::uint64_t heap_bytes = 0;
};

// The bugs to put in; none, normally.
struct Mutations {
  sync::Mutation sync = sync::Mutation::None;
  store::Mutation store = store::Mutation::None;
};

struct Outcome {
  Violation violation;
  std::vector<Size> sizes;  // each plan.sample
  std::uint64_t trace_hash = 0;
  std::uint64_t writes = 0, refused = 0, lost = 0, frames = 0, evicted = 0, forgotten = 0;
  std::uint64_t counters = 0;  // whose sum was judged
};

[[nodiscard]] Outcome run_scenario(const Plan& plan, std::uint64_t seed, const Mutations& mutations = {});

// What was acknowledged to the app: it must be there at the end, or something that beats it.
struct Acknowledged {
  std::string collection, id;
  std::uint64_t life = 0;
  std::optional<crdt::Register> written;  // nothing: it was a deletion
  std::int64_t counted = 0;               // not 0: it was an increment
};

// Whether the document's state includes the write or something that beats it.
[[nodiscard]] bool outlives(const crdt::Document& document, const Acknowledged& write);

using DocumentKey = std::pair<std::string, std::string>;  // collection and id

class Scenario {
 public:
  Scenario(const Plan& plan, std::uint64_t seed, const Mutations& mutations);
  [[nodiscard]] Outcome run();

 private:
  void build();
  void populate(std::size_t index);
  void schedule_work();
  void write_again(Duration pace);
  void schedule_trouble();
  void schedule_one(Duration least, Duration most, void (Scenario::*step)());
  void sometimes(unsigned percent, Duration least, Duration most, void (Scenario::*step)());
  void heal();
  void settle();
  void stay_quiet();
  [[nodiscard]] bool settled();
  void sample_sizes();

  // work.cpp
  void write();
  void write_at(std::size_t index, std::uint64_t operations);
  [[nodiscard]] Status write_one(store::Transaction& transaction, std::size_t index,
                                 std::vector<Acknowledged>& written);
  [[nodiscard]] bool may_insert(std::size_t index, std::size_t document) const;
  [[nodiscard]] static bool is_of(const crdt::Register& found, const Acknowledged& write, std::uint64_t head);
  void acknowledge(Device& device, std::vector<Acknowledged>& written, std::uint64_t head);
  void change_subscription();
  [[nodiscard]] std::string random_select();

  // trouble.cpp
  void cut();
  void crash();
  void suspend();
  void leave_politely(std::size_t index, Duration away);
  void freeze(std::size_t index, Duration away);
  void part();
  void skew();
  void fill_disk();
  void clone();
  void backup();
  void restore();
  void evict();
  void come_back(std::size_t index);
  void forgive_losses();

  // oracles.cpp
  void report(Oracle oracle, std::string what);
  void judge();
  void gather();
  [[nodiscard]] bool is_witness(std::size_t device, const std::string& collection);
  void judge_writes();
  void judge_counters();
  void judge_digests();
  [[nodiscard]] bool is_forgotten(const crdt::Document& own, const crdt::Document& truth) const;
  void judge_dots(const crdt::Register& written);
  void judge_subscription(std::size_t device, const query::Predicate& wanted);
  void judge_sessions();
  void judge_one_more_write();
  [[nodiscard]] std::vector<std::uint64_t> documents_sent();
  [[nodiscard]] crdt::Document at(std::size_t device, const DocumentKey& key);
  [[nodiscard]] std::size_t random_device() { return world_.random().below(network_.size()); }
  [[nodiscard]] milliseconds random_skew(milliseconds most);

  Plan plan_;
  World world_;
  Network network_;
  std::size_t hubs_ = 1;
  bool healing_ = false;
  std::vector<Acknowledged> acknowledged_;
  std::uint64_t commits_ = 0;
  std::map<crdt::Dot, std::uint64_t> commit_of_;
  std::map<DocumentKey, std::uint64_t> greatest_life_;
  std::map<DocumentKey, std::uint64_t> deleted_life_;  // the greatest that a deletion gave
  std::map<DocumentKey, crdt::Document> truth_;
  std::vector<std::map<DocumentKey, crdt::Document>> known_;  // by device, as gathered last
  Outcome outcome_;
};

// The whole universe of documents: small, so that everything meets everything.
[[nodiscard]] const std::vector<DocumentKey>& universe();

}  // namespace fermata::sim
