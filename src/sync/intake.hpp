// The receiving half of a session: merges what the remote sends and keeps, per subscription of ours, how far its log
// has been received. Cursors are stored in the transaction of the data they vouch for. Private to sync/.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "sync/feed.hpp"
#include "sync/offers.hpp"
#include "sync/progress.hpp"

namespace fermata::sync {

// The keys under which the store keeps the cursors of a subscription of ours.
[[nodiscard]] std::vector<std::uint64_t> stored_keys(std::uint64_t predicate_key);

class Intake {
 public:
  explicit Intake(Shared& shared) : shared_(shared) {}

  // Loads the cursors of all our subscriptions for this store of the remote's. Errors: the store's.
  [[nodiscard]] Status follow(const store::Epoch& remote_epoch, const store::Epoch& our_epoch);
  void set_source(std::uint32_t source) { source_ = source; }
  // A new subscription of ours. Errors: the store's.
  [[nodiscard]] Status add(std::uint64_t key);
  void remove(std::uint64_t key);
  [[nodiscard]] Wanted wanted(std::uint64_t key) const;
  [[nodiscard]] std::vector<Wanted> wanted() const;

  [[nodiscard]] Position position(std::uint64_t key) const { return position_of(incoming_.at(key)); }
  [[nodiscard]] bool has(std::uint64_t key) const { return incoming_.contains(key); }
  // Whether another link to the same store has brought us further; two lead to one device until both ends have noticed.
  [[nodiscard]] bool is_overtaken(std::uint64_t key) const;
  // By other means than ranges we have come to hold what the remote had at this position. Errors: the store's.
  [[nodiscard]] Status restart(std::uint64_t key, Position position);
  // What becomes of a collection in CHANGES.
  enum class Gate : std::uint8_t {
    Open,
    Shut,    // neither documents nor ranges are taken in
    Judges,  // the remote shows what we may have deleted: what we do not want is only judged
  };
  using GateOf = std::function<Gate(std::string_view collection)>;

  struct Applied {
    std::vector<DocumentName> wanted;       // named documents that we hold: ask for them
    std::vector<Range> held;                // what stays open until they came
    std::vector<DocumentName> corrections;  // documents of which the remote would not hear otherwise
    std::set<Branch> prune;                 // what came another way already
    std::set<Branch> graft;                 // what was offered and comes no other way
    std::vector<std::uint64_t> passed;      // offered states that we have had
    std::vector<Offer> open;                // offered and not here yet; the frame's ranges wait, see hold()
    std::vector<crdt::Delta> dead;          // deleted here, and the deletion was forgotten
    bool changed = false;                   // a document, here
  };
  // Errors: the store's, Protocol.
  [[nodiscard]] Result<Applied> apply(Changes changes, const Feed& feed, const GateOf& gate, Instant now);
  // What two of the injected bugs do: stores the cursors that the frame's ranges reach, and not its data. Errors: as
  // apply().
  [[nodiscard]] Status fold_unread(const Changes& changes);
  // A commit of ours, whoever sent it: counts the frames whose offers have all come now. `corrections` gets what the
  // remote would not hear otherwise. Result: whether there were any such frames. Errors: the store's, Protocol.
  [[nodiscard]] Result<bool> settle(LoadedCommit& commit, const Feed& feed, std::vector<DocumentName>& corrections);
  // When the oldest offers have waited long enough; nothing if none waits.
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] bool waits_for_offers() const { return !offers_.empty(); }
  // Whether another link is bringing us what we lack, so that this one need only offer it.
  void set_brought(bool brought) { brought_ = brought; }
  // What has not come in time: to be asked for.
  [[nodiscard]] std::optional<Applied> overdue(Instant now);
  void remote_head(std::uint64_t head) { remote_head_ = std::max(remote_head_, head); }
  [[nodiscard]] bool caught_up() const;
  // Where all cursors are, if it is known without looking at each.
  [[nodiscard]] std::optional<std::uint64_t> level() const;
  // All cursors, for an ACK.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, Position>> cursors() const;

  // Grows whenever a cursor does.
  [[nodiscard]] std::uint64_t received() const;

  // How far of our own log the remote has told us all it knows about documents that we hold, for the subscriptions of
  // ours that want only some of the collection. Nothing if there is none that has begun.
  [[nodiscard]] std::optional<std::uint64_t> confirmed(std::string_view collection) const;
  // The remote has confirmed this much of our log, as far as the collection goes.
  void confirm(const Feed& feed);
  // Stores what is not stored yet of the cursors, and what confirm() learned.
  void save_cursors();
  // Documents deleted here because the deletion had been forgotten.
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }

 private:
  // Where a frame takes us.
  struct Folded {
    std::map<std::uint64_t, Progress> progress;  // by subscription
    std::optional<std::uint64_t> level;          // or all of them
  };
  struct Incoming {
    Progress progress;
    std::uint64_t confirmed = 0;  // see confirmed_of()
    std::uint64_t saved_confirmed = 0;
  };
  // Of the subscriptions of ours to some documents of a collection: how far the remote has confirmed our log since the
  // latest of them began.
  struct Heard {
    std::size_t subscriptions = 0;
    std::uint64_t seq = 0;
  };
  // All subscriptions stand at the same place, kept once, so that a frame about all of them costs the same whatever
  // their number.
  struct Level {
    std::shared_ptr<const std::vector<std::uint64_t>> subscriptions;
    std::uint64_t seq = 0;
  };

  void leave_out(Changes& changes, const GateOf& gate) const;
  // Result: whether it changed anything.
  [[nodiscard]] Result<bool> merge(store::Transaction& transaction, SentDocument& sent, const Feed& feed, Gate gate,
                                   Applied& applied);
  // Takes in all documents but those that it finds dead. Takes registers out of them.
  [[nodiscard]] Status merge_all(store::Transaction& transaction, Changes& changes, const Feed& feed,
                                 const GateOf& gate, Applied& applied);
  // Of a document that begins here: whether it is to be taken in now, and if not, what else becomes of it.
  [[nodiscard]] Result<bool> admits(store::Transaction& transaction, const crdt::Delta& delta, Gate gate,
                                    Applied& applied) const;
  [[nodiscard]] bool is_trusted(const Changes& changes) const;
  [[nodiscard]] bool wants(const crdt::Delta& delta) const;
  [[nodiscard]] Status bury(Applied& applied);
  // The rest of a frame whose documents are in: what must be asked for, and how far it counts.
  [[nodiscard]] Result<Folded> conclude(store::Transaction& transaction, Changes& changes, const Feed& feed,
                                        Applied& applied);
  [[nodiscard]] Status check_names(store::Transaction& transaction, const Changes& changes, Applied& applied);
  [[nodiscard]] bool may_come_otherwise() const;
  [[nodiscard]] Status check_offers(store::Transaction& transaction, const Changes& changes, const Feed& feed,
                                    Applied& applied);
  // Whether an offered state is here, and what the remote must be told about it.
  [[nodiscard]] Result<bool> came(store::Transaction& transaction, const Offer& offer, const Feed& feed,
                                  Applied& applied) const;
  [[nodiscard]] Result<bool> settle();
  [[nodiscard]] Status note_duplicate(store::Transaction& transaction, const crdt::Delta& delta, Applied& applied);
  void graft(const std::vector<Offer>& offers, const std::vector<Range>& ranges, Applied& applied) const;
  void ask_for(std::vector<Offer> offers, const std::vector<Range>& ranges, Applied& applied) const;
  [[nodiscard]] Position position_of(const Incoming& incoming) const {
    return level_ ? Position{level_->seq, level_->seq} : incoming.progress.position();
  }
  void hear_anew(const std::string& collection);
  void enter_level(const CommonRange& common);
  void leave_level();
  [[nodiscard]] Result<Folded> folded(const Changes& changes);
  [[nodiscard]] Result<Folded> folded(const std::vector<Range>& ranges);
  [[nodiscard]] Status save(store::Transaction& transaction, const Folded& folded);
  // Of the cursors in `all`, which has an entry for each, a few.
  template <class Map, class PositionOf>
  [[nodiscard]] Status save_some(store::Transaction& transaction, const Map& all, PositionOf position_of);
  // What save() has written is stored now, and all of it reached.
  void adopt(Folded folded);
  void stored(std::uint64_t key);
  // What is known of this cursor of ours; nothing if that is not certain.
  [[nodiscard]] const KnownCursor* known_cursor(std::uint64_t key) const;
  [[nodiscard]] std::uint64_t confirmed_of(std::uint64_t key, const Incoming& incoming) const;
  [[nodiscard]] bool is_stale(std::uint64_t key, const Incoming& incoming) const;
  void save_stale(const std::vector<std::uint64_t>& stale);
  [[nodiscard]] Status save(store::Transaction& transaction, std::uint64_t key, const Incoming& incoming, Position now);
  [[nodiscard]] const query::Predicate& predicate(std::uint64_t key) const;

  Shared& shared_;
  std::uint32_t source_ = 0;
  store::Epoch remote_epoch_;
  store::Epoch our_epoch_;
  std::uint64_t remote_head_ = 0;
  std::map<std::uint64_t, Incoming> incoming_;
  std::optional<Level> level_;
  std::map<std::string, Heard, std::less<>> heard_;  // by collection
  std::vector<std::uint64_t> storing_;               // by the transaction that save() wrote to last
  std::uint64_t last_stored_ = 0;
  Offers offers_;
  bool brought_ = false;
  std::uint64_t given_up_ = 0;
};

}  // namespace fermata::sync
