#include "store/reader_pool.hpp"

#include <fmt/format.h>

namespace fermata::store {

ReaderPool::Lease::~Lease() {
  if (connection_ != nullptr) {
    pool_->give_back(std::move(connection_));
  }
}

void ReaderPool::open(std::string file, std::string vfs, std::string owner) {
  const std::lock_guard guard(mutex_);
  file_ = std::move(file);
  vfs_ = std::move(vfs);
  owner_ = std::move(owner);
  open_ = true;
}

Result<std::optional<ReaderPool::Lease>> ReaderPool::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !draining_ && (!open_ || !idle_.empty() || busy_ < kMaxReaders); });
  if (!open_) {
    return std::optional<Lease>();
  }
  ++busy_;
  if (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return std::optional<Lease>(Lease(*this, std::move(connection)));
  }
  lock.unlock();
  auto made = make();
  if (!made) {
    give_back(nullptr);
    return fail(std::move(made).error());
  }
  return std::optional<Lease>(Lease(*this, *std::move(made)));
}

// Outside the mutex; being counted as busy keeps the writer, and so the files, open meanwhile.
Result<std::unique_ptr<Connection>> ReaderPool::make() {
  auto connection = Connection::open(file_, vfs_, OpenMode::ReadOnly, owner_);
  if (!connection) {
    return connection;
  }
  if (auto configured = configure_reader(**connection); !configured) {
    return fail(std::move(configured).error());
  }
  std::vector<Setup> setups;
  {
    const std::lock_guard guard(mutex_);
    setups = setups_;
  }
  for (const Setup& setup : setups) {
    setup((*connection)->handle());
  }
  return connection;
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard guard(mutex_);
    --busy_;
    if (connection != nullptr) {
      idle_.push_back(std::move(connection));
    }
  }
  changed_.notify_all();
}

Status ReaderPool::drain(std::chrono::steady_clock::time_point deadline) {
  bool drained = false;
  {
    std::unique_lock lock(mutex_);
    draining_ = true;
    drained = changed_.wait_until(lock, deadline, [&] { return busy_ == 0; });
    if (drained) {
      idle_.clear();
      open_ = false;
    }
    draining_ = false;
  }
  changed_.notify_all();
  return drained ? Status() : fail(ErrorCode::Timeout, fmt::format("{}: a read did not end in time", owner_));
}

void ReaderPool::add_setup(Setup setup) {
  std::unique_lock lock(mutex_);
  setups_.push_back(std::move(setup));
  draining_ = true;
  changed_.wait(lock, [&] { return busy_ == 0; });
  idle_.clear();
  draining_ = false;
  lock.unlock();
  changed_.notify_all();
}

}  // namespace fermata::store
