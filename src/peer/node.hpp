// The one place where store, sync, net and lifecycle meet. A Node owns the loop thread; everything networked happens
// there, and every public call posts to it.
#pragma once

#include <fermata/peer.hpp>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/loop.hpp"
#include "base/transport.hpp"
#include "net/identity.hpp"
#include "peer/callbacks.hpp"
#include "peer/commit_queue.hpp"
#include "peer/participant.hpp"
#include "peer/wanted.hpp"
#include "sync/engine.hpp"

namespace fermata {

class Node final : public SyncParticipant {
 public:
  struct Parts {
    std::unique_ptr<Database> database;
    net::Identity identity;
    std::string name;
    Duration tombstone_ttl = std::chrono::hours(30 * 24);
    BackgroundSync* background = nullptr;  // nullptr: the shared one, fetched at start
    Executor executor;                     // of callbacks; empty: a thread of our own
  };

  [[nodiscard]] static Result<std::unique_ptr<Node>> make(Parts parts);
  ~Node() override;

  [[nodiscard]] Database& database() { return *database_; }

  // Any thread but the loop's.
  [[nodiscard]] Status start(const NetworkOptions& network);
  void stop();
  [[nodiscard]] PeerStatus status();
  // Errors: LimitExceeded, Closed.
  [[nodiscard]] Result<sync::SubscriptionId> subscribe(query::Predicate predicate, sync::AttachmentPolicy attachments);
  void unsubscribe(sync::SubscriptionId id);
  [[nodiscard]] Callbacks& callbacks() { return callbacks_; }
  // Error: Closed.
  [[nodiscard]] Result<sync::FetchId> fetch(const Attachment& attachment, std::shared_ptr<ProgressCall> call);
  void end_fetch(sync::FetchId id);

  // SyncParticipant; any thread.
  void pause(const PauseOrder& order, std::function<void(std::uint64_t unsent)> done) override;
  void resume() override;
  void woke() override;
  [[nodiscard]] ParticipantState state() const override;
  void remember(const std::string& key, const std::string& text) override;
  [[nodiscard]] std::string recall(const std::string& key) override;

 private:
  // The first half of a pause.
  struct Flush {
    PauseOrder order;
    std::function<void(std::uint64_t unsent)> done;
    Loop::TimerId timer = 0;  // when it has lasted long enough
  };

  // The second half.
  struct Quiet {
    std::function<void()> done;  // empty once it was called
    Loop::TimerId next_attempt = 0;
  };

  explicit Node(Parts parts);

  // Runs on the loop thread and waits. After the loop ended: nothing runs, and `otherwise` is returned.
  template <class T>
  T on_loop(T otherwise, std::function<T()> task);

  void connect_events();
  void note_commits();
  void note_contents();
  void tell_fetches();
  [[nodiscard]] Status open_network(const NetworkOptions& network);
  void pump();
  void perform(const sync::Action& action);
  void log_once(const sync::CloseLink& close);
  void say_once(std::string words);
  void arm_timer();
  void note_catch_up();
  [[nodiscard]] std::uint64_t changes_unsent() const;  // that the slowest connected peer has not confirmed
  void update_state();
  void flush_or_leave();
  void leave_peers();
  void quiesce_within(Duration span);
  void quiesce_soon();
  [[nodiscard]] PeerStatus status_on_loop() const;

  std::unique_ptr<Database> database_;
  const net::Identity identity_;
  BackgroundSync* const chosen_keeper_;  // nullptr: the shared one
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Transport> transport_;
  sync::Engine engine_;
  CommitQueue commits_;
  Callbacks callbacks_;

  // Loop thread only.
  Loop::TimerId timer_ = 0;
  Loop::TimerId linger_timer_ = 0;
  std::vector<std::string> listening_;
  bool dials_ = false;
  BackgroundSync* keeper_ = nullptr;     // told of demand, from start to stop
  std::map<LinkId, std::string> links_;  // and who they lead to, for people
  std::set<LinkId> heard_;               // those of links_ whose remote has accepted us
  std::set<sync::SubscriptionId> subscribed_;
  Wanted wanted_;
  std::map<sync::FetchId, std::shared_ptr<ProgressCall>> fetches_;  // those that have not ended
  std::set<std::string> reasons_;                                   // why peers were cut off, each logged once
  std::set<LinkId> catching_up_;  // those of links_ whose first catch-up is not noted yet
  CatchUp catch_up_;
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
  std::optional<Flush> flush_;          // the pause waits for peers to confirm
  std::optional<Quiet> wants_quiet_;    // links are closed: the database has no business being open until resume()
  std::optional<Instant> last_linked_;  // when the last session ended or was seen

  mutable std::mutex state_mutex_;
  ParticipantState state_;
  std::mutex lifecycle_;  // serialises start and stop
  bool started_ = false;
  bool stopped_ = false;
  BackgroundSync* joined_ = nullptr;
  std::thread thread_;
};

}  // namespace fermata
