// The feeder's half of reconciliation (docs/PROTOCOL.md, "Reconciliation"): shows the remote what documents of its
// subscriptions we have, by coded symbols or as a list, and answers what it asks about them. One run at a time; it
// holds 32 bytes per document while it lasts. Private to sync/.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sync/feed.hpp"
#include "sync/item_set.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {

class Mirror {
 public:
  // Runs that a remote may begin in one session without having been told to; each makes us read our log's index.
  static constexpr std::size_t kMaxRuns = 256;
  static constexpr std::size_t kMaxSymbolsPerRequest = 1u << 17;

  Mirror(Outlet& outlet, Feed& feed) : outlet_(outlet), shared_(outlet.shared), feed_(feed) {}

  // Tells the owner of each subscription that the feed has set aside. Errors: the store's.
  [[nodiscard]] Status stand();
  // Errors: Protocol, LimitExceeded, the store's.
  [[nodiscard]] Status on(const Match& match);
  [[nodiscard]] Status on(const Resolve& resolve);
  // Sends what was asked for, as far as the window allows, and tells those that could not be told yet. Errors: the
  // store's.
  [[nodiscard]] Status pump();
  // The subscription has ended. Result: the collection of which nothing was taken in because of it.
  std::optional<std::string> forget(std::uint64_t id);

  // The owner has answered the n-th reconciliation that we began: it has heard what we said before that, and what it
  // sends from now on, it sends knowingly.
  void answered(std::uint64_t nth_run);
  [[nodiscard]] bool busy() const { return run_.has_value() || !standing_.empty(); }
  // Nothing that the remote sends about this collection may be taken in: it was sent before the remote knew that it has
  // to reconcile first.
  [[nodiscard]] bool refuses(std::string_view collection) const;
  [[nodiscard]] bool refuses_any() const { return !shut_.empty(); }
  // The remote is showing what it has of this collection and we may have deleted.
  [[nodiscard]] bool judges(std::string_view collection) const;
  // Reconciliations that the remote asked for without having been told to.
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }

 private:
  struct Standing {
    std::string collection;
    bool behind = false;
    std::optional<std::uint64_t> level_at;  // the head that the digest it was told is of
  };
  struct Run {
    RunHead head;
    std::string collection;
    ItemSet set;
    std::optional<SymbolEncoder> encoder;
    std::uint64_t symbols_asked = 0;  // how many of all
    std::size_t items_sent = 0;
    bool items_asked = false;
  };

  [[nodiscard]] Status stand(const RemoteSubscription& subscription);
  // Result: whether all tombstones of the collection up to `head` have been sent; else they are on their way.
  [[nodiscard]] Result<bool> graves_shown(const std::string& collection, std::uint64_t head);
  [[nodiscard]] Status begin(const RemoteSubscription& subscription, const Match& match);
  [[nodiscard]] Status ask(const Match& match);
  void go_on(std::uint64_t id, Position position);
  void send_symbols();
  void send_items();

  Outlet& outlet_;
  Shared& shared_;
  Feed& feed_;
  std::map<std::uint64_t, Standing> standing_;         // told to say how to go on, and silent so far
  bool to_be_told_ = false;                            // somebody is, once all tombstones have been shown
  std::map<std::string, std::uint64_t> graves_shown_;  // by collection: up to which local seq
  struct Shut {
    std::string collection;
    std::uint64_t runs = 0;  // that we had begun when the owner was told
  };
  std::multimap<std::uint64_t, Shut> shut_;      // by subscription: see refuses()
  std::map<std::uint64_t, std::string> behind_;  // subscription, collection: see judges()
  std::optional<Run> run_;
  std::size_t runs_ = 0;  // that the remote began untold
  std::uint64_t repairs_ = 0;
};

}  // namespace fermata::sync
