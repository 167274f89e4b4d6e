#include <fermata/background_sync.hpp>

#include <algorithm>
#include <future>

#include "peer/keeper_host.hpp"

namespace fermata {

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

// Posted under the lock, so that of two threads the one whose intent is_on() tells is also the one that counts.
void BackgroundSync::start(BackgroundSyncOptions options) {
  impl_->ensure_running();
  const std::lock_guard lock(impl_->mutex);
  impl_->intent = true;
  impl_->inbox->post([impl = impl_.get(), options = std::move(options)] {
    const Instant now = system_clock().now();
    impl->keeper->set_options(options, now);
    impl->keeper->set_intent(true, now);
  });
}

void BackgroundSync::stop() {
  const std::lock_guard lock(impl_->mutex);
  impl_->intent = false;
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

Hold BackgroundSync::hold(std::string reason) {
  const std::uint64_t id = ++impl_->last_hold;
  impl_->ensure_running();
  impl_->inbox->post([impl = impl_.get(), id, reason = std::move(reason)] { impl->add_hold(id, reason); });
  // A token may outlive its keeper; then there is nothing left to let go of.
  return Hold(std::shared_ptr<void>(nullptr, [impl = impl_.get(), to = std::weak_ptr(impl_->inbox), id](void*) {
    if (const auto mail = to.lock()) mail->post([impl, id] { impl->drop_hold(id); });
  }));
}

std::vector<Gap> BackgroundSync::gaps() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->known_gaps;
}

std::vector<StrategyCost> BackgroundSync::costs() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->running) return {};
  }
  const auto measured = [impl = impl_.get()] {
    impl->take_sample();
    return impl->meter.costs();
  };
  if (impl_->on_own_thread()) return measured();  // an observer asks
  auto answer = std::make_shared<std::promise<std::vector<StrategyCost>>>();
  auto answered = answer->get_future();
  impl_->inbox->post([measured, answer] { answer->set_value(measured()); });
  return answered.get();
}

void BackgroundSync::observe(std::function<void(const BackgroundSyncStatus&)> callback) {
  const bool wanted = static_cast<bool>(callback);
  auto next = wanted ? std::make_shared<const Impl::Observer>(std::move(callback)) : nullptr;
  {
    std::unique_lock lock(impl_->mutex);
    std::swap(impl_->observer, next);  // the old one ends outside the lock: what it holds may call us
    impl_->observer_is_new = wanted;
    if (!impl_->on_own_thread()) impl_->observer_done.wait(lock, [this] { return !impl_->observer_running; });
  }
  next.reset();
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
    impl.refresh();
  });
}

void leave(BackgroundSync& keeper, SyncParticipant& participant) {
  auto& impl = keeper.impl();
  {
    const std::lock_guard lock(impl.participants_mutex);
    std::erase(impl.participants, &participant);
  }
  impl.inbox->post([&impl, &participant] {
    impl.participant_gone(participant);
    impl.refresh();
  });
}

void state_changed(BackgroundSync& keeper) {
  auto& impl = keeper.impl();
  impl.inbox->post([&impl] { impl.refresh(); });
}

void caught_up(BackgroundSync& keeper, std::uint64_t documents, Duration duration) {
  auto& impl = keeper.impl();
  impl.inbox->post([&impl, documents, duration] { impl.note_catch_up(documents, duration); });
}

}  // namespace fermata
