#include "device.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

namespace fermata::bench {
namespace {

constexpr const char* kSecret = "the secret of the bench's group";

}  // namespace

void wait_until(const std::function<bool()>& condition, const std::string& what, std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!condition()) {
    require(Clock::now() < deadline, "gave up waiting for " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// The app goes to the background and comes back when the bench says so.
class Device::Phone final : public Platform {
 public:
  void start(PlatformEvents events) override { events_ = std::move(events); }
  [[nodiscard]] std::vector<Strategy> strategies() const override { return {}; }
  void acquire(Strategy) override {}
  void release(Strategy) override {}
  void ready_to_suspend() override {
    const std::lock_guard lock(mutex_);
    ready_ = true;
    changed_.notify_all();
  }
  void say(AppState state) {
    const bool away = state == AppState::Background;
    events_.on_app_state(state, away ? std::optional(std::chrono::milliseconds(1000)) : std::nullopt);
  }
  [[nodiscard]] bool wait_ready() {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(60), [this] { return ready_; });
    ready_ = false;
    return came;
  }

 private:
  PlatformEvents events_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
};

Device::Device() : phone_(new Phone), background_(std::make_unique<BackgroundSync>(std::unique_ptr<Platform>(phone_))) {
  open();
}

Device::~Device() {
  wanted_.clear();
  peer_.reset();
}

void Device::open() {
  wanted_.clear();
  peer_.reset();
  peer_ = value_of(Peer::open({.directory = directory_.path(),
                               .secret = value_of(Secret::from_text(kSecret)),
                               .name = "bench",
                               .background = background_.get()}));
}

void Device::become_copy_of(const Device& closed) {
  peer_.reset();
  std::filesystem::copy(closed.directory_.path(), directory_.path(),
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(directory_.file("device.key"));
  open();
}

void Device::fill(std::size_t documents) {
  constexpr std::size_t kBatch = 1000;
  for (std::size_t done = 0; done < documents; done += kBatch) {
    std::vector<Map> batch;
    for (std::size_t i = done; i < std::min(documents, done + kBatch); ++i) batch.push_back(sample_document(i));
    static_cast<void>(value_of(database().import("items", std::move(batch))));
  }
}

std::string Device::listen() {
  const Status started = peer_->start({.listen = {"127.0.0.1:0"}});
  require(started.has_value(), started ? "" : started.error().message);
  return peer_->status().listening.at(0);
}

void Device::connect(const std::string& address) {
  const Status started = peer_->start({.connect = {address}});
  require(started.has_value(), started ? "" : started.error().message);
}

void Device::write(std::string_view statement, const Map& parameters) {
  static_cast<void>(value_of(database().execute(statement, parameters)));
}

void Device::suspend() {
  phone_->say(AppState::Background);
  require(phone_->wait_ready(), "a device was not ready to be suspended within a minute");
}

void Device::resume() {
  phone_->say(AppState::Foreground);
}

std::uint64_t Device::count() {
  std::uint64_t all = 0;
  for (const auto& [name, count] : value_of(database().collections())) all += count;
  return all;
}

}  // namespace fermata::bench
