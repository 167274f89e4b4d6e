// The thread behind BackgroundSync. It owns the platform, the reconciler, the ledger and the meter; everybody else
// posts to it. Two locks, never held together: `mutex` for what others read, `participants_mutex` during calls to
// participants, so that leave() can promise silence.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <fermata/background_sync.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "lifecycle/cost_meter.hpp"
#include "lifecycle/gap_ledger.hpp"
#include "lifecycle/keeper.hpp"
#include "peer/inbox.hpp"
#include "peer/participant.hpp"

namespace fermata {

struct BackgroundSync::Impl {
  using Observer = std::function<void(const BackgroundSyncStatus&)>;

  explicit Impl(std::unique_ptr<Platform> given) : platform(std::move(given)) {}

  // Any thread.
  void ensure_running();
  [[nodiscard]] bool on_own_thread() const { return std::this_thread::get_id() == thread.get_id(); }

  // The keeper thread.
  void run();
  void turn();
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void start_platform();
  void perform_all();
  void perform(const lifecycle::Action& action);
  void begin_pause(const lifecycle::PauseSync& order);
  void finish_pause_if_due(Instant now);
  void resume_participants();
  void suspension_seen(const lifecycle::SuspensionSeen& seen);
  void participant_paused(std::uint64_t id, const SyncParticipant* participant, std::uint64_t unsent);
  void pause_participant(SyncParticipant& participant, const PauseOrder& order);
  void participant_joined(SyncParticipant& participant);
  void participant_gone(const SyncParticipant& participant);
  void say_ready_if_owed();
  void note_catch_up(std::uint64_t documents, Duration duration);
  void add_hold(std::uint64_t id, std::string reason);
  void drop_hold(std::uint64_t id);
  void refresh();  // looks at every participant
  void recall_from(SyncParticipant& participant);
  void save();  // ledger and learner, in every participant's database
  void measure();
  void take_sample();
  void publish();
  void tell_observer(std::unique_lock<std::mutex>& lock, const BackgroundSyncStatus& next);

  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  std::atomic<std::uint64_t> last_hold = 0;

  mutable std::mutex mutex;
  bool running = false;
  bool intent = false;
  BackgroundSyncStatus current;
  std::vector<Gap> known_gaps;
  std::shared_ptr<const Observer> observer;
  bool observer_is_new = false;
  bool observer_running = false;
  std::condition_variable observer_done;

  std::mutex participants_mutex;
  std::vector<SyncParticipant*> participants;

  // The keeper thread's own.
  std::unique_ptr<Platform> platform;
  std::optional<lifecycle::Keeper> keeper;
  lifecycle::GapLedger ledger;
  bool ledger_recalled = false;
  bool ledger_changed = false;
  std::optional<Instant> gap_ended;  // the last one
  lifecycle::CostMeter meter;
  std::optional<Strategy> metered;
  std::map<std::uint64_t, std::string> holds;
  std::array<std::atomic<std::uint64_t>, kStrategies> acquisition{};  // by strategy; read by any thread
  bool stopping = false;
  bool paused = false;      // from PauseSync to ResumeSync
  bool ready_owed = false;  // the keeper said so, but somebody has not answered
  std::uint64_t pause_id = 0;
  PauseOrder last_order{};
  std::uint64_t left_unsent = 0;             // of those who have answered
  std::optional<Instant> pause_deadline;     // of the participants, while the keeper waits for sync_paused
  Duration pause_extra{0};                   // which it does for that much longer
  std::vector<const SyncParticipant*> busy;  // have not answered pause()

  std::thread thread;
};

}  // namespace fermata
