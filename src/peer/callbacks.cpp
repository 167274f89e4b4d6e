#include "peer/callbacks.hpp"

namespace fermata {

Callbacks::~Callbacks() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Callbacks::post(std::function<void()> task) {
  if (executor_) return executor_(std::move(task));
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
  }
  changed_.notify_all();
}

void Callbacks::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = {};
    lock.lock();
  }
}

void ProgressCall::tell(AttachmentProgress progress) {
  {
    const std::lock_guard lock(mutex_);
    latest_ = std::move(progress);
    if (posted_ || cancelled_ || !callback_) return;
    posted_ = true;
  }
  callbacks_.post([self = shared_from_this()] { self->run(); });
}

void ProgressCall::run() {
  std::unique_lock lock(mutex_);
  posted_ = false;
  if (cancelled_) return;
  running_on_ = std::this_thread::get_id();
  const AttachmentProgress progress = latest_;
  lock.unlock();
  callback_(progress);
  lock.lock();
  running_on_ = {};
  changed_.notify_all();
}

void ProgressCall::cancel() {
  std::unique_lock lock(mutex_);
  cancelled_ = true;
  changed_.wait(lock, [this] { return running_on_ == std::thread::id() || running_on_ == std::this_thread::get_id(); });
}

}  // namespace fermata
