// The owner's half of reconciliation (docs/PROTOCOL.md, "Reconciliation"): finds out, per subscription of ours, what
// the remote has that we lack and what we have that it lacks, fetches the one and shows the other. Runs one after the
// other. Private to sync/.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sync/intake.hpp"
#include "sync/item_set.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {

class Repair {
 public:
  // Digests that differ may be repaired so many times in a session for one subscription; beyond that it does not help.
  static constexpr std::size_t kMaxRepairs = 8;

  Repair(Outlet& outlet, Feed& feed, Intake& intake)
      : outlet_(outlet), shared_(outlet.shared), feed_(feed), intake_(intake) {}

  // Errors of all: the store's; Protocol for answers that nobody asked for.
  [[nodiscard]] Status on(const Stand& stand);
  [[nodiscard]] Status on(const Symbols& symbols);
  [[nodiscard]] Status on(const Items& items);
  [[nodiscard]] Status on(const Resolved& resolved);
  // The remote's set of this subscription is not ours, although both are level.
  [[nodiscard]] Status differs(std::uint64_t key, const crdt::Digest& theirs);
  // Goes on with what had to wait. Result: whether a position of ours has changed, which the remote should be told.
  [[nodiscard]] Result<bool> pump();
  // Both are level and hold the same.
  void agrees(std::uint64_t key) { attempts_.erase(key); }
  // The subscription has ended; goes on with the next one that waits.
  [[nodiscard]] Status forget(std::uint64_t key);

  // Which of the reconciliations that we began this is, if it is the one under way; else 0.
  [[nodiscard]] std::uint64_t nth(std::uint64_t run) const { return run_ && run_->number == run ? run_->nth : 0; }
  [[nodiscard]] bool busy() const { return run_.has_value() || !waiting_.empty(); }
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }

 private:
  struct Waiting {
    std::uint64_t key = 0;
    Stand stand;             // if the remote told us to
    bool is_repair = false;  // else
  };
  struct Run {
    std::uint64_t key = 0;
    std::uint64_t number = 0;
    std::uint64_t nth = 0;  // of those that we began
    bool behind = false;
    ItemSet ours;
    std::optional<RunHead> theirs;
    std::optional<SymbolDecoder> decoder;  // while symbols are coming
    std::uint64_t asked = 0;               // symbols in all
    bool lists = false;                    // items are coming
    std::uint64_t listed = 0;              // up to here
    std::uint64_t items_listed = 0;
    std::vector<std::uint64_t> missing, surplus;  // ascending; what has been asked about is taken off the end
    std::vector<std::uint64_t> others;            // rows that are no items, of which we may have missed the deletion
    bool known = false;                           // the first two above are complete
    std::optional<std::uint64_t> shown;           // the last frame with documents that the remote judges
    std::vector<std::string> asked_about;
    bool resolving = false;
  };

  [[nodiscard]] const query::Predicate& predicate(std::uint64_t key) const {
    return shared_.subscriptions.at(key).predicate;
  }
  [[nodiscard]] Status start();
  [[nodiscard]] bool answered_at_once(const Waiting& next, const ItemSet& ours, Status& done);
  void ask(Match::How how, std::uint64_t from = 0, std::uint64_t count = 0);
  void ask_for_more_symbols();
  void ask_for_list();
  [[nodiscard]] Status check_answer(const RunHead& head);
  void take_difference();
  [[nodiscard]] Status resolve();
  [[nodiscard]] Status show(const std::vector<std::string>& unknown);
  [[nodiscard]] Status add_id(std::uint64_t row, Resolve& page);
  [[nodiscard]] Result<std::vector<std::uint64_t>> other_rows(std::uint64_t key) const;
  [[nodiscard]] Status finish();
  void withhold(const Stand& stand);
  void release(std::uint64_t key);
  [[nodiscard]] std::uint64_t draw_number();
  [[nodiscard]] bool busy_with(std::uint64_t key) const;

  Outlet& outlet_;
  Shared& shared_;
  Feed& feed_;
  Intake& intake_;
  std::deque<Waiting> waiting_;
  std::optional<Run> run_;
  bool moved_ = false;                             // a position of ours, since pump() said so
  std::map<std::uint64_t, std::string> behind_;    // subscriptions for which a collection of the feed's is withheld
  std::map<std::uint64_t, std::size_t> attempts_;  // by subscription
  std::set<std::uint64_t> told_;                   // subscriptions that the remote has said STAND of
  std::size_t told_again_ = 0;
  std::uint64_t repairs_ = 0;
};

}  // namespace fermata::sync
