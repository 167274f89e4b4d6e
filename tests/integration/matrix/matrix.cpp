#include "integration/matrix/matrix.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace fermata::test {
namespace {

// Desk stays on the table: nothing suspends it.
class Table final : public Platform {
 public:
  void start(PlatformEvents /*events*/) override {}
  [[nodiscard]] std::vector<Strategy> strategies() const override { return {}; }
  void acquire(Strategy /*strategy*/) override {}
  void release(Strategy /*strategy*/) override {}
  void ready_to_suspend() override {}
};

constexpr const char* kAll = "SELECT * FROM items ORDER BY _id";

std::string document(int number) {
  return fmt::format("item-{}", number);
}

}  // namespace

bool eventually(const std::function<bool()>& holds, std::chrono::seconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::size_t Events::count(const std::string& name) const {
  const std::string wanted = fmt::format("\"event\":\"{}\"", name);
  std::size_t count = 0;
  for (const std::string& line : lines_of(text())) {
    if (line.find(wanted) != std::string::npos) ++count;
  }
  return count;
}

bool Events::await(const std::string& name, std::size_t count_wanted) const {
  bool there = false;
  (void)eventually([&] {
    const bool ended = count("exit") > 0;
    there = count(name) >= count_wanted;
    return there || ended;
  });
  return there;
}

Matrix::Matrix() : nothing_to_keep_(std::make_unique<BackgroundSync>(std::make_unique<Table>())) {
  const Outcome made = fermata({"init", phone_directory_});
  EXPECT_EQ(made.code, 0) << made;
  secret_ = phone_directory_ + "/group.secret";
  auto desk = Peer::open({.directory = folder_ / "desk",
                          .secret = Secret::from_file(secret_).value(),
                          .name = "desk",
                          .executor = {},
                          .background = nothing_to_keep_.get()});
  EXPECT_TRUE(desk.has_value()) << (desk ? "" : desk.error().message);
  desk_ = std::move(*desk);
  wanted_ = desk_->subscribe("SELECT * FROM items").value();
  const auto started = desk_->start({.listen = {"127.0.0.1:0"}, .connect = {}});
  EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
  desk_address_ = desk_->status().listening.at(0);
}

Matrix::~Matrix() {
  if (HasFailure()) GTEST_LOG_(INFO) << report();
}

void Matrix::fill_desk(int documents) {
  std::vector<Map> all;
  for (int number = documents_; number < documents_ + documents; ++number)
    all.push_back(Map{{"_id", document(number)}, {"name", fmt::format("name of {}", number)}, {"n", 0}});
  documents_ += documents;
  const auto imported = desk_->database().import("items", std::move(all));
  EXPECT_TRUE(imported.has_value()) << (imported ? "" : imported.error().message);
}

void Matrix::write(int changes) {
  for (int i = 0; i < changes; ++i) {
    ++written_;
    const auto done = desk_->database().execute("UPDATE items SET n = :n WHERE _id = :id",
                                                {{"n", written_}, {"id", document(written_ % documents_)}});
    ASSERT_TRUE(done.has_value()) << done.error().message;
    ASSERT_EQ(done->mutated_ids.size(), 1u);
  }
}

void Matrix::start_phone(const Phone& how) {
  Words words{"phone",    "--policy", how.policy, "--time-scale",    how.time_scale,
              "--script", "-",        "--events", folder_ / "events"};
  words.insert(words.end(), how.phone.begin(), how.phone.end());
  words.insert(words.end(), {"--", FERMATA_BINARY, "serve", phone_directory_, "--connect",
                             how.connect.empty() ? desk_address_ : how.connect, "--subscribe", "SELECT * FROM items"});
  words.insert(words.end(), how.serve.begin(), how.serve.end());
  if (how.background_sync) words.emplace_back("--background-sync");
  phone_ = std::make_unique<Program>(words, how.environment);
  ASSERT_TRUE(events_.await("hello")) << report();
}

void Matrix::start_app(const Words& more) {
  Words words{"serve", phone_directory_, "--connect", desk_address_, "--subscribe", "SELECT * FROM items"};
  words.insert(words.end(), more.begin(), more.end());
  phone_ = std::make_unique<Program>(words);
}

pid_t Matrix::app_pid() const {
  const std::string events = events_.text();
  const std::size_t at = events.find("\"pid\":");
  return at == std::string::npos ? 0 : std::atoi(events.c_str() + at + 6);
}

bool Matrix::synced() {
  return eventually([this] {
    const PeerStatus status = desk_->status();
    return status.links.size() == 1 && status.links[0].remote_caught_up && status.links[0].caught_up;
  });
}

void Matrix::leave_and_hold() {
  const std::size_t before = events_.count("playing");
  act("background");
  ASSERT_TRUE(events_.await("playing", before + 1)) << report();
}

void Matrix::finish() {
  act("foreground");
  ASSERT_TRUE(synced()) << report();
  act("expect no-locks");
  act("quit");
  const Outcome run = phone_->finish();
  ASSERT_EQ(run.code, 0) << run << report();
  EXPECT_EQ(events_.count("killed"), 0u);
  EXPECT_EQ(events_.count("lock_violation"), 0u);
  compare();
}

// Zero lost, zero husks.
void Matrix::compare() {
  auto phone = Database::open({.directory = phone_directory_, .must_exist = true, .executor = {}});
  ASSERT_TRUE(phone.has_value()) << phone.error().message;
  const auto there = (*phone)->execute(kAll);
  const auto here = desk_->database().execute(kAll);
  ASSERT_TRUE(there.has_value() && here.has_value());
  ASSERT_EQ(there->items.size(), static_cast<std::size_t>(documents_));
  ASSERT_EQ(here->items.size(), there->items.size());
  for (std::size_t i = 0; i < here->items.size(); ++i) {
    ASSERT_EQ(to_json(there->items[i]), to_json(here->items[i])) << report();
    ASSERT_EQ(there->items[i].size(), 3u) << "a husk: " << to_json(there->items[i]);
  }
  auto gaps = recorded_gaps(**phone);
  ASSERT_TRUE(gaps.has_value()) << gaps.error().message;
  gaps_ = std::move(*gaps);
  for (const Gap& gap : gaps_) EXPECT_TRUE(gap.length.has_value()) << "a gap was left open: " << name_of(gap.cause);
}

std::string Matrix::report() {
  std::string text =
      fmt::format("\nthe phone: {}\nevents:\n{}", phone_ ? phone_->command() : "not started", events_.text());
  for (const LinkStatus& link : desk_->status().links)
    text +=
        fmt::format("desk's link to {}: caught up {}, it is {}\n", link.name, link.caught_up, link.remote_caught_up);
  return text;
}

}  // namespace fermata::test
