// Whether both ends of a link hold the same, asked at quiet moments: when a session has become level, and later when
// nothing has happened for a while after an exchange (docs/PROTOCOL.md, "Digests"). Private to sync/.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sync/repair.hpp"

namespace fermata::sync {

class Compare {
 public:
  Compare(Outlet& outlet, Feed& feed, Intake& intake, Repair& repair)
      : outlet_(outlet), shared_(outlet.shared), feed_(feed), intake_(intake), repair_(repair) {}

  // Something was received, or a deadline has passed; `quiet` is true if neither side is known to owe the other
  // anything. Errors: the store's.
  [[nodiscard]] Status consider(const DeviceId& remote, bool quiet, Instant now);
  // It is compared as soon as we are as quiet as the remote was when it sent it.
  // Errors: the store's.
  [[nodiscard]] Status on(const DigestOf& digest);
  void forget_theirs(std::uint64_t id) {
    said_.erase(id);
    known_told_.erase(id);
  }
  void forget_ours(std::uint64_t id) { told_.erase(id); }
  [[nodiscard]] const std::optional<Instant>& deadline() const { return due_; }

 private:
  using Reached = std::pair<std::uint64_t, std::uint64_t>;  // how far the remote has received our log, and we theirs

  // Subscriptions of ours: by their query, and by the collection of which they want all.
  struct Ours {
    std::unordered_map<std::string_view, std::uint64_t> same, covering;
  };
  [[nodiscard]] Ours ours_by_query() const;
  [[nodiscard]] std::optional<Reached> reached_of(const RemoteSubscription& subscription, const Ours& ours,
                                                  const DeviceId& remote) const;
  [[nodiscard]] Reached mark() const;  // moves with either log
  [[nodiscard]] Status say(const DeviceId& remote, Instant now);
  // What this side knows belongs into a digest of the whole collection now and then.
  enum class Known : std::uint8_t { Left, Told };
  [[nodiscard]] Status tell(const RemoteSubscription& subscription, const Reached& reached, Known known);
  [[nodiscard]] Status check_told(const DeviceId& remote);
  [[nodiscard]] Status check(const DigestOf& told, const DeviceId& remote);
  // Both hold the same: what they know of commits goes for both.
  [[nodiscard]] Status learn(const DigestOf& told, const query::Predicate& ours, const DeviceId& remote);
  [[nodiscard]] bool remote_received(const query::Predicate& ours, std::uint64_t received);

  Outlet& outlet_;
  Shared& shared_;
  Feed& feed_;
  Intake& intake_;
  Repair& repair_;
  std::map<std::uint64_t, Reached> said_;        // by the remote's subscription
  std::map<std::uint64_t, DigestOf> told_;       // by ours
  std::map<std::uint64_t, Instant> known_told_;  // by the remote's subscription
  std::optional<Reached> compared_at_;           // where the logs were when we last looked
  std::optional<Instant> due_;
};

}  // namespace fermata::sync
