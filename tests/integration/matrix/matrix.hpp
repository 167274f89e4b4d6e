// What a phone does to an app, all of it real: `fermata serve` runs under `fermata phone` (sound server, freezer,
// socket reclaim, lock check) and syncs with a desk in this process. After every scenario both databases hold the same.
#pragma once

#include <gtest/gtest.h>

#include <fermata/fermata.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "integration/cli/program.hpp"

namespace fermata::test {

// Waits until it is so; false after the deadline. Looks again every few milliseconds: for what nobody reports.
[[nodiscard]] bool eventually(const std::function<bool()>& holds, std::chrono::seconds within = kDeadline);

// The events that the phone writes while it runs.
class Events {
 public:
  explicit Events(std::string path) : path_(std::move(path)) {}
  // Waits until there are `count` of that name in all; false after the deadline or when the phone says "exit".
  [[nodiscard]] bool await(const std::string& name, std::size_t count = 1) const;
  [[nodiscard]] std::size_t count(const std::string& name) const;
  [[nodiscard]] std::string text() const { return content_of(path_); }

 private:
  std::string path_;
};

class Matrix : public ::testing::Test {
 protected:
  struct Phone {
    std::string policy = "ios";
    std::string time_scale = "0.2";  // the grace of 5 s becomes one, the assertion of 30 s becomes six
    bool background_sync = true;
    Words serve;          // more arguments of `fermata serve`
    Words phone;          // and of `fermata phone`
    std::string connect;  // to whom; the desk if empty
    Words environment;
  };

  Matrix();
  ~Matrix() override;

  // Documents item-0 … on desk, each {"name", "n"}.
  void fill_desk(int documents);
  // One change each of the next documents, round robin.
  void write(int changes);
  void start_phone(const Phone& how);
  void start_phone() { start_phone(Phone{}); }
  void act(const std::string& line) { phone_->write(line + "\n"); }
  void leave_and_hold();                // to the background, until silent audio plays there
  [[nodiscard]] pid_t app_pid() const;  // as the phone tells it; 0 if it does not
  // The phone has confirmed everything that desk has, now.
  [[nodiscard]] bool synced();
  // Without a phone: the app on a desktop.
  void start_app(const Words& more);
  // Foreground, everything synced, the phone quits by itself; then both databases are compared.
  void finish();
  [[nodiscard]] std::vector<Gap> gaps() const { return gaps_; }  // of the phone; after finish()
  [[nodiscard]] std::string report();                            // for a failure

  Folder folder_;
  std::string phone_directory_ = folder_ / "phone";
  std::string secret_;
  std::unique_ptr<BackgroundSync> nothing_to_keep_;
  std::unique_ptr<Peer> desk_;
  std::string desk_address_;
  std::unique_ptr<Program> phone_;
  Events events_{folder_ / "events"};

  void compare();

 private:
  Subscription wanted_;
  int documents_ = 0;
  int written_ = 0;
  std::vector<Gap> gaps_;
};

}  // namespace fermata::test
