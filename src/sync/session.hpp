// One link's state machine: HELLO, dispatch, heartbeats, and the two halves that do the work. A session is never
// restarted; a reconnect is a new one. Private to sync/.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sync/compare.hpp"
#include "sync/intake.hpp"
#include "sync/message_reader.hpp"
#include "sync/mirror.hpp"
#include "sync/repair.hpp"
#include "sync/supply.hpp"

namespace fermata::sync {

// What one session leaves for the next with the same device, so that the first flight can already carry changes.
struct RememberedPeer {
  store::Epoch epoch;
  std::vector<RemoteSubscription> subscriptions;
  [[nodiscard]] std::size_t text_bytes() const;  // of all queries
};

class Session {
 public:
  Session(Shared& shared, LinkInfo link, Instant now);
  ~Session();
  Session(const Session&) = delete;

  // Says HELLO, and sends at once what the remote will want if it is as we remember it. Errors: the store's.
  [[nodiscard]] Status open(const RememberedPeer* remembered);
  // Errors end the session: Malformed, LimitExceeded, Protocol, VersionMismatch, Closed (the remote said goodbye), or
  // what the store says.
  [[nodiscard]] Status receive(ByteView frame, Instant now);
  [[nodiscard]] Status push(LoadedCommit& commit);
  // What can be done now that something was committed or received: goes on sending, reconciling, comparing.
  [[nodiscard]] Status settle(Instant now);
  [[nodiscard]] Status subscribe(std::uint64_t key);
  [[nodiscard]] Status unsubscribe(std::uint64_t key);
  void goodbye(std::optional<Duration> expected_return);
  // Asks for a sign of life before `deadline`.
  void probe(Instant deadline, Instant now);
  [[nodiscard]] bool probing() const { return probe_deadline_.has_value(); }

  [[nodiscard]] Instant deadline() const;
  // Error: Timeout if the remote has been silent for too long, or says nothing but that it lives.
  [[nodiscard]] Status on_deadline(Instant now);

  // Stores what the next session can build on. Nothing if HELLO never came.
  [[nodiscard]] std::optional<RememberedPeer> leave();

  // A commit of ours, whoever sent it: what of it the remote had offered need not be asked for.
  [[nodiscard]] Status came(LoadedCommit& commit);

  // The content of an attachment is here now.
  void stored(const ContentHash& hash) { supply_.stored(hash); }

  [[nodiscard]] const LinkInfo& link() const { return link_; }
  [[nodiscard]] SessionStatus status() const;
  [[nodiscard]] bool unsynced() const;
  [[nodiscard]] bool unsent() const { return greeted_ && !feed_.caught_up(); }
  // Up to where the remote has heard of all deletions in this collection; 0 until it has said what it asks for.
  [[nodiscard]] std::uint64_t heard(std::string_view collection) const {
    return greeted_ ? feed_.received(collection) : 0;
  }
  [[nodiscard]] const Feed& feed() const { return feed_; }
  // Set once the remote has said goodbye.
  [[nodiscard]] const std::optional<AwayPeer>& remote_goodbye() const { return remote_goodbye_; }

 private:
  [[nodiscard]] Status on(const Hello& hello);
  [[nodiscard]] Status on(const Subscribe& subscribe);
  [[nodiscard]] Status on(const Unsubscribe& unsubscribe);
  [[nodiscard]] Status on(Changes changes);
  [[nodiscard]] Status on(Want want);
  [[nodiscard]] Status on(const Ack& ack);
  [[nodiscard]] Status on(const Ping& ping);
  [[nodiscard]] Status on(const Pong& pong);
  [[nodiscard]] Status on(const Goodbye& goodbye);
  [[nodiscard]] Status on(const Prune& prune) { return feed_.prune(prune), Status(); }
  [[nodiscard]] Status on(const Graft& graft) { return feed_.graft(graft), Status(); }
  [[nodiscard]] Status on(const DigestOf& digest);
  [[nodiscard]] Status on(const Stand& stand);
  [[nodiscard]] Status on(const Match& match);
  [[nodiscard]] Status on(const Symbols& symbols);
  [[nodiscard]] Status on(const Items& items);
  [[nodiscard]] Status on(const Resolve& resolve);
  [[nodiscard]] Status on(const Resolved& resolved);
  [[nodiscard]] Status on(const Fetch& fetch) { return supply_.on(fetch); }
  [[nodiscard]] Status on(const Part& part);
  [[nodiscard]] Status on(const Have& have);
  [[nodiscard]] Status on(const Skipped&) { return {}; }

  [[nodiscard]] Status know_remote(const store::Epoch& epoch, store::Epoch assumed);
  [[nodiscard]] Feed::Confirmed confirmed() const;
  void ask_for(Intake::Applied& applied);
  void ask_for_overdue();
  // The remote owes us something.
  [[nodiscard]] bool awaits() const;
  // Error: Timeout if it has owed us something for too long, and brought nothing.
  [[nodiscard]] Status check_progress();
  void forget_theirs(std::uint64_t id);
  // Neither side is known to owe the other anything.
  [[nodiscard]] bool quiet() const;
  void acknowledge();
  void note_caught_up();
  // Decides, before a subscription is sent, whether this link is to bring what we lack or another does already.
  void choose_walker();

  Shared& shared_;
  LinkInfo link_;
  MessageReader reader_;
  Outlet outlet_;
  Feed feed_;
  Intake intake_;
  Mirror mirror_;
  Repair repair_;
  Compare compare_;
  Supply supply_;
  store::Epoch our_epoch_;
  store::Epoch remote_epoch_;  // assumed until HELLO came
  bool greeted_ = false;       // HELLO came
  std::string remote_name_;
  std::optional<AwayPeer> remote_goodbye_;

  Instant opened_;
  Instant now_;
  Instant heard_;
  Instant progressed_;  // the last frame that was more than a sign of life; or when we asked for something
  std::optional<Instant> pinged_;
  std::optional<Instant> probe_deadline_;
  std::uint64_t pings_ = 0;

  std::uint64_t received_frames_ = 0;  // of CHANGES, SYMBOLS, ITEMS and PART
  bool owes_cursors_ = false;          // an ACK went out without them
  std::uint64_t round_trips_ = 0;
  std::optional<Duration> catch_up_;
  std::uint64_t documents_received_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace fermata::sync
