// Where the peer's callbacks run: on the app's executor, or one after the other on a thread of their own, which begins
// with the first. Thread-safe.
#pragma once

#include <fermata/peer.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace fermata {

class Callbacks {
 public:
  explicit Callbacks(Executor executor) : executor_(std::move(executor)) {}
  ~Callbacks();  // what has not begun does not run; not from within a callback
  Callbacks(const Callbacks&) = delete;

  void post(std::function<void()> task);

 private:
  void serve();

  Executor executor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

// The callback of one fetch_attachment(): told the latest, not everything. Thread-safe.
class ProgressCall : public std::enable_shared_from_this<ProgressCall> {
 public:
  using Callback = std::function<void(const AttachmentProgress&)>;

  ProgressCall(Callbacks& callbacks, Callback callback) : callbacks_(callbacks), callback_(std::move(callback)) {}

  void tell(AttachmentProgress progress);
  // No callback starts afterwards, and one that runs on another thread is waited for.
  void cancel();

 private:
  void run();

  Callbacks& callbacks_;
  const Callback callback_;
  std::mutex mutex_;
  std::condition_variable changed_;
  AttachmentProgress latest_;
  bool posted_ = false;
  bool cancelled_ = false;
  std::thread::id running_on_;
};

}  // namespace fermata
