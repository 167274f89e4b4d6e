#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <fermata/background_sync.hpp>
#include <mutex>
#include <thread>

#include "base/check.hpp"
#include "lifecycle/keeper.hpp"
#include "peer/participant.hpp"

namespace fermata {
namespace {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { FERMATA_CHECK(fd_ >= 0); }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return fd_; }

 private:
  int fd_;
};

// The keeper thread's mail. Outlives the thread for those who still hold it: platforms and participants.
class Inbox {
 public:
  using Message = std::function<void()>;

  void post(Message message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    const std::uint64_t one = 1;
    FERMATA_CHECK(::write(wake_.number(), &one, sizeof one) == sizeof one);
  }

  [[nodiscard]] std::deque<Message> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }

  // Sleeps until there is mail or the deadline is reached.
  void wait(std::optional<Instant> deadline) {
    set_timer(deadline);
    std::array<pollfd, 2> polled{pollfd{wake_.number(), POLLIN, 0}, pollfd{timer_.number(), POLLIN, 0}};
    while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
    }
    std::uint64_t count = 0;
    [[maybe_unused]] const auto woken = ::read(wake_.number(), &count, sizeof count);
  }

 private:
  void set_timer(std::optional<Instant> deadline) {
    itimerspec when{};  // zero disarms
    if (deadline) {
      const auto since_boot = std::max(deadline->time_since_epoch(), Duration(1));
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
      when.it_value.tv_sec = static_cast<time_t>(seconds.count());
      when.it_value.tv_nsec = static_cast<long>((since_boot - seconds).count());
    }
    FERMATA_CHECK(::timerfd_settime(timer_.number(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
  }

  Descriptor wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Descriptor timer_{::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
  std::mutex mutex_;
  std::deque<Message> messages_;
};

bool same(const BackgroundSyncStatus& a, const BackgroundSyncStatus& b) {
  return a.is_on == b.is_on && a.app_state == b.app_state && a.syncing == b.syncing && a.holding == b.holding &&
         a.strategy == b.strategy && a.reason == b.reason && a.interruptions == b.interruptions &&
         a.recoveries == b.recoveries && a.conditions == b.conditions && a.pulse_period == b.pulse_period;
}

}  // namespace

// The keeper thread owns the platform and the reconciler; everybody else posts to it. Two locks, never held together:
// `mutex` for the plain state, `participants_mutex` during calls to participants, so that leave() can promise silence.
struct BackgroundSync::Impl {
  using Observer = std::function<void(const BackgroundSyncStatus&)>;

  explicit Impl(std::unique_ptr<Platform> given) : platform(std::move(given)) {}

  void ensure_running();
  void run();
  void turn();
  void start_platform();
  void perform(const lifecycle::Action& action);
  void begin_pause(Instant deadline);
  void finish_pause_if_due(Instant now);
  void resume_participants();
  void participant_paused(std::uint64_t pause_id, const SyncParticipant* participant);
  void pause_participant(SyncParticipant& participant, Instant deadline);
  void participant_joined(SyncParticipant& participant);
  void refresh_demand();
  void publish();

  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();

  mutable std::mutex mutex;
  bool running = false;
  bool intent = false;
  BackgroundSyncStatus current;
  std::shared_ptr<const Observer> observer;
  bool observer_is_new = false;
  bool observer_running = false;
  std::condition_variable observer_done;

  std::mutex participants_mutex;
  std::vector<SyncParticipant*> participants;

  // The keeper thread's own.
  std::unique_ptr<Platform> platform;
  std::optional<lifecycle::Keeper> keeper;
  std::array<std::atomic<std::uint64_t>, kStrategies> acquisition{};  // by strategy; read by any thread
  bool stopping = false;
  bool paused = false;  // from PauseSync to ResumeSync
  std::uint64_t pause_id = 0;
  std::optional<Instant> pause_deadline;     // while the keeper waits for sync_paused
  std::vector<const SyncParticipant*> busy;  // have not answered pause()

  std::thread thread;
};

void BackgroundSync::Impl::ensure_running() {
  const std::lock_guard lock(mutex);
  if (!running) {
    running = true;
    thread = std::thread([this] { run(); });
  }
}

void BackgroundSync::Impl::run() {
  start_platform();
  while (!stopping) {
    turn();
    if (!stopping) {
      auto deadline = keeper->next_deadline();
      if (pause_deadline && (!deadline || *pause_deadline < *deadline)) {
        deadline = pause_deadline;
      }
      inbox->wait(deadline);
    }
  }
  platform.reset();
}

void BackgroundSync::Impl::turn() {
  for (const auto& message : inbox->take()) {
    message();
    while (const auto action = keeper->poll()) {
      perform(*action);
    }
  }
  const Instant now = system_clock().now();
  finish_pause_if_due(now);
  keeper->on_deadline(now);
  while (const auto action = keeper->poll()) {
    perform(*action);
  }
  publish();
}

void BackgroundSync::Impl::start_platform() {
  PlatformEvents events;
  // The platform may outlive us in a callback only until its destructor returns, on our own thread: `this` stays valid.
  events.on_app_state = [this](AppState state, std::optional<std::chrono::milliseconds> time_left) {
    const Instant told = system_clock().now();
    inbox->post([this, state, time_left, told] { keeper->set_app_state(state, time_left, told); });
  };
  events.on_strategy = [this](Strategy strategy, StrategyEvent event,
                              std::optional<std::chrono::milliseconds> time_left) {
    const Instant told = system_clock().now();
    const auto index = static_cast<std::size_t>(strategy);
    const std::uint64_t of = acquisition[index].load();
    inbox->post([=, this] {
      // What was queued before a release belongs to an acquisition that is over.
      if (of == acquisition[index].load()) {
        keeper->strategy_event(strategy, event, time_left, told);
      }
    });
  };
  events.on_conditions = [this](const Conditions& conditions) {
    const Instant told = system_clock().now();
    inbox->post([this, conditions, told] { keeper->set_conditions(conditions, told); });
  };
  platform->start(std::move(events));
  keeper.emplace(platform->strategies());
}

void BackgroundSync::Impl::perform(const lifecycle::Action& action) {
  if (const auto* acquire = std::get_if<lifecycle::Acquire>(&action)) {
    platform->acquire(acquire->strategy);
  } else if (const auto* release = std::get_if<lifecycle::Release>(&action)) {
    platform->release(release->strategy);
    ++acquisition[static_cast<std::size_t>(release->strategy)];
  } else if (const auto* pause = std::get_if<lifecycle::PauseSync>(&action)) {
    begin_pause(pause->deadline);
  } else if (std::holds_alternative<lifecycle::ResumeSync>(action)) {
    resume_participants();
  } else if (const auto* pulse = std::get_if<lifecycle::Pulse>(&action)) {
    platform->pulse(std::chrono::duration_cast<std::chrono::milliseconds>(pulse->length));
  } else if (std::holds_alternative<lifecycle::ReadyToSuspend>(action)) {
    platform->ready_to_suspend();
  }
}

void BackgroundSync::Impl::begin_pause(Instant deadline) {
  const std::lock_guard lock(participants_mutex);
  paused = true;
  ++pause_id;
  pause_deadline = deadline;
  busy.assign(participants.begin(), participants.end());
  for (SyncParticipant* participant : participants) {
    pause_participant(*participant, deadline);
  }
}

void BackgroundSync::Impl::pause_participant(SyncParticipant& participant, Instant deadline) {
  participant.pause(deadline, [this, to = std::weak_ptr(inbox), id = pause_id, who = &participant] {
    if (const auto mail = to.lock()) {
      mail->post([this, id, who] { participant_paused(id, who); });
    }
  });
}

void BackgroundSync::Impl::participant_paused(std::uint64_t id, const SyncParticipant* participant) {
  if (id == pause_id) {
    std::erase(busy, participant);
  }
}

void BackgroundSync::Impl::finish_pause_if_due(Instant now) {
  if (pause_deadline && (busy.empty() || now >= *pause_deadline)) {
    pause_deadline.reset();
    keeper->sync_paused(now);
  }
}

void BackgroundSync::Impl::resume_participants() {
  {
    const std::lock_guard lock(participants_mutex);
    paused = false;
    for (SyncParticipant* participant : participants) {
      participant->resume();
    }
  }
  refresh_demand();
}

// One who joins while sync is paused is paused too.
void BackgroundSync::Impl::participant_joined(SyncParticipant& participant) {
  const std::lock_guard lock(participants_mutex);
  if (!paused || std::find(participants.begin(), participants.end(), &participant) == participants.end()) {
    return;
  }
  if (pause_deadline) {
    busy.push_back(&participant);
  }
  pause_participant(participant, pause_deadline.value_or(system_clock().now() + lifecycle::Keeper::kPauseReserve));
}

void BackgroundSync::Impl::refresh_demand() {
  bool demand = false;
  {
    const std::lock_guard lock(participants_mutex);
    demand = std::any_of(participants.begin(), participants.end(), [](auto* each) { return each->has_demand(); });
  }
  keeper->set_demand({.unsynced = demand, .peers = demand}, system_clock().now());
}

void BackgroundSync::Impl::publish() {
  const BackgroundSyncStatus next = keeper->status();
  std::unique_lock lock(mutex);
  const bool tell = observer && (observer_is_new || !same(next, current));
  current = next;
  if (!tell) {
    return;
  }
  const auto told = observer;
  observer_is_new = false;
  observer_running = true;
  lock.unlock();
  (*told)(next);
  lock.lock();
  observer_running = false;
  observer_done.notify_all();
}

BackgroundSync& BackgroundSync::shared() {
  // Never destroyed: peers with static lifetime may leave it after main.
  static auto* const keeper = new BackgroundSync(make_default_platform());
  return *keeper;
}

BackgroundSync::BackgroundSync(std::unique_ptr<Platform> platform)
    : impl_(std::make_unique<Impl>(std::move(platform))) {}

BackgroundSync::~BackgroundSync() {
  if (impl_->thread.joinable()) {
    impl_->inbox->post([impl = impl_.get()] { impl->stopping = true; });
    impl_->thread.join();
  }
}

void BackgroundSync::start(BackgroundSyncOptions options) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->intent = true;
  }
  impl_->ensure_running();
  impl_->inbox->post([impl = impl_.get(), options = std::move(options)] {
    const Instant now = system_clock().now();
    impl->keeper->set_options(options, now);
    impl->keeper->set_intent(true, now);
  });
}

void BackgroundSync::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->intent = false;
  }
  impl_->inbox->post([impl = impl_.get()] { impl->keeper->set_intent(false, system_clock().now()); });
}

bool BackgroundSync::is_on() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->intent;
}

BackgroundSyncStatus BackgroundSync::status() const {
  const std::lock_guard lock(impl_->mutex);
  BackgroundSyncStatus status = impl_->current;
  status.is_on = impl_->intent;
  return status;
}

void BackgroundSync::observe(std::function<void(const BackgroundSyncStatus&)> callback) {
  const bool wanted = static_cast<bool>(callback);
  {
    std::unique_lock lock(impl_->mutex);
    impl_->observer = wanted ? std::make_shared<const Impl::Observer>(std::move(callback)) : nullptr;
    impl_->observer_is_new = wanted;
    if (std::this_thread::get_id() != impl_->thread.get_id()) {
      impl_->observer_done.wait(lock, [this] { return !impl_->observer_running; });
    }
  }
  if (wanted) {
    impl_->ensure_running();
    impl_->inbox->post([] {});
  }
}

void join(BackgroundSync& keeper, SyncParticipant& participant) {
  auto& impl = keeper.impl();
  {
    const std::lock_guard lock(impl.participants_mutex);
    impl.participants.push_back(&participant);
  }
  impl.ensure_running();
  impl.inbox->post([&impl, &participant] {
    impl.participant_joined(participant);
    impl.refresh_demand();
  });
}

void leave(BackgroundSync& keeper, SyncParticipant& participant) {
  auto& impl = keeper.impl();
  {
    const std::lock_guard lock(impl.participants_mutex);
    std::erase(impl.participants, &participant);
  }
  impl.inbox->post([&impl, &participant] {
    std::erase(impl.busy, &participant);
    impl.refresh_demand();
  });
}

void demand_changed(BackgroundSync& keeper) {
  auto& impl = keeper.impl();
  impl.inbox->post([&impl] { impl.refresh_demand(); });
}

}  // namespace fermata
