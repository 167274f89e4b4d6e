#include "phone/freezer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "phone/loop.hpp"
#include "phone/proc.hpp"

namespace fermata::phone {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFreezeLimit{2000};  // a process in an uninterruptible wait freezes when that is over
constexpr milliseconds kKillLimit{3000};
constexpr int kRecheckMs = 2;  // for the means that announce nothing

tl::unexpected<Error> not_frozen(std::string_view means) {
  return fail(ErrorCode::Timeout,
              fmt::format("the program did not freeze within {} ms ({})", kFreezeLimit.count(), means));
}

std::string group_prefix(pid_t phone) {
  return fmt::format("fermata-phone-{}-", phone);
}

// A cgroup of our own; removed with us.
class Group {
 public:
  static std::unique_ptr<Group> make(const std::string& parent) {
    std::string path = fmt::format("{}/{}XXXXXX", parent, group_prefix(getpid()));
    if (!mkdtemp(path.data())) return nullptr;
    return std::make_unique<Group>(std::move(path));
  }
  explicit Group(std::string path) : path_(std::move(path)) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    constexpr int kTries = 100;  // whom SIGKILL has just hit still counts for a moment
    for (int i = 0; i < kTries && rmdir(path_.c_str()) != 0 && errno == EBUSY; ++i) poll(nullptr, 0, kRecheckMs);
  }

  [[nodiscard]] std::string file(std::string_view name) const { return fmt::format("{}/{}", path_, name); }
  [[nodiscard]] std::vector<pid_t> pids() const {
    std::vector<pid_t> pids;
    const std::string text = read_text(file("cgroup.procs"));
    for (const std::string_view line : split(text, '\n')) {
      pid_t pid = 0;
      std::from_chars(line.data(), line.data() + line.size(), pid);
      if (pid > 0) pids.push_back(pid);
    }
    return pids;
  }

 private:
  std::string path_;
};

class CgroupV2 final : public Freezer {
 public:
  explicit CgroupV2(std::unique_ptr<Group> group)
      : group_(std::move(group)), events_(open(group_->file("cgroup.events").c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~CgroupV2() override { kill_all(); }

  Status freeze() override {
    if (Status written = write_text(group_->file("cgroup.freeze"), "1"); !written) return written;
    const auto deadline = Loop::now() + kFreezeLimit;
    while (!says("frozen 1")) {
      if (Loop::now() >= deadline) return not_frozen(means());
      await_change(100);
    }
    return {};
  }
  // A failure could only mean that the group is gone, and with it what was to be resumed.
  void thaw() override { (void)write_text(group_->file("cgroup.freeze"), "0"); }
  std::vector<pid_t> pids() const override { return group_->pids(); }
  std::string_view means() const override { return "cgroup v2 freezer"; }
  std::chrono::nanoseconds cpu_used() const override {
    constexpr std::string_view kKey = "usage_usec ";
    const std::string text = read_text(group_->file("cpu.stat"));
    const std::size_t at = text.find(kKey);
    if (at == std::string::npos) return Freezer::cpu_used();
    std::int64_t us = 0;
    std::from_chars(text.data() + at + kKey.size(), text.data() + text.size(), us);
    return std::chrono::microseconds(us);
  }

 protected:
  void await_change(int limit_ms) override {
    pollfd change{events_.value(), POLLPRI, 0};
    poll(&change, 1, limit_ms);
  }

 private:
  bool says(std::string_view line) {
    char buffer[256];
    const ssize_t size = pread(events_.value(), buffer, sizeof buffer, 0);
    return size > 0 && std::string_view(buffer, static_cast<std::size_t>(size)).find(line) != std::string_view::npos;
  }

  std::unique_ptr<Group> group_;
  Fd events_;
};

class CgroupV1 final : public Freezer {
 public:
  explicit CgroupV1(std::unique_ptr<Group> group) : group_(std::move(group)) {}
  ~CgroupV1() override { kill_all(); }

  Status freeze() override {
    if (Status written = write_text(group_->file("freezer.state"), "FROZEN"); !written) return written;
    const auto deadline = Loop::now() + kFreezeLimit;
    while (read_text(group_->file("freezer.state")) != "FROZEN\n") {
      if (Loop::now() >= deadline) return not_frozen(means());
      await_change(kRecheckMs);
    }
    return {};
  }
  void thaw() override { (void)write_text(group_->file("freezer.state"), "THAWED"); }
  std::vector<pid_t> pids() const override { return group_->pids(); }
  std::string_view means() const override { return "cgroup v1 freezer"; }

 protected:
  void await_change(int limit_ms) override { poll(nullptr, 0, std::min(limit_ms, kRecheckMs)); }

 private:
  std::unique_ptr<Group> group_;
};

// Stops every process of the child's session; one that moved to a session of its own escapes.
class Signals final : public Freezer {
 public:
  explicit Signals(pid_t session) : session_(session) {}
  ~Signals() override { kill_all(); }

  Status freeze() override {
    const auto deadline = Loop::now() + kFreezeLimit;
    while (stop_running() > 0) {
      if (Loop::now() >= deadline) return not_frozen(means());
      await_change(kRecheckMs);
    }
    return {};
  }
  void thaw() override {
    for (const pid_t pid : pids()) kill(pid, SIGCONT);
  }
  std::vector<pid_t> pids() const override { return processes_of_session(session_); }
  std::string_view means() const override { return "SIGSTOP"; }

 protected:
  void await_change(int limit_ms) override { poll(nullptr, 0, std::min(limit_ms, kRecheckMs)); }

 private:
  // A process may fork before its signal arrives, so this is repeated until nobody runs.
  int stop_running() const {
    int running = 0;
    for (const pid_t pid : pids()) {
      const auto state = process_state(pid);
      if (!state || state->state == 'T' || state->state == 'Z') continue;
      kill(pid, SIGSTOP);
      ++running;
    }
    return running;
  }

  pid_t session_;
};

struct Hierarchy {
  std::vector<std::string> parents;  // folders in which a group may be made, best first
};

// Where a cgroup version is mounted, and where in it we are.
Hierarchy hierarchy(std::string_view fs_type, std::string_view option, std::string_view membership) {
  std::string own;
  const std::string cgroups = read_text("/proc/self/cgroup");
  for (const std::string_view line : split(cgroups, '\n')) {
    const std::size_t at = line.find(membership);
    if (at != std::string_view::npos) own = line.substr(at + membership.size());
  }
  Hierarchy result;
  const std::string mounts = read_text("/proc/self/mountinfo");
  for (const std::string_view line : split(mounts, '\n')) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto place = split(line.substr(0, dash), ' ');
    const auto what = split(line.substr(dash + 3), ' ');
    if (place.size() < 5 || what.size() < 3 || what[0] != fs_type) continue;
    if (!option.empty() && what[2].find(option) == std::string_view::npos) continue;
    if (own.size() > 1) result.parents.push_back(std::string(place[4]) + own);
    result.parents.emplace_back(place[4]);
  }
  return result;
}

// A freezer that has been seen to work on the child, or none.
template <class Kind>
std::unique_ptr<Freezer> try_kind(const Hierarchy& where, pid_t child) {
  for (const std::string& parent : where.parents) {
    auto group = Group::make(parent);
    if (!group || !write_text(group->file("cgroup.procs"), std::to_string(child))) continue;
    auto freezer = std::make_unique<Kind>(std::move(group));
    const bool works = freezer->freeze().has_value();
    freezer->thaw();
    if (works) return freezer;
    // Back out of the group, or destroying the freezer would kill the child.
    (void)write_text(parent + "/cgroup.procs", std::to_string(child));
  }
  return nullptr;
}

template <class Kind>
void remove_groups(const Hierarchy& where, pid_t phone) {
  for (const std::string& parent : where.parents) {
    std::error_code error;
    std::vector<std::string> left;
    for (std::filesystem::directory_iterator it(parent, error), end; !error && it != end; it.increment(error))
      if (it->path().filename().string().starts_with(group_prefix(phone))) left.push_back(it->path());
    for (std::string& path : left) Kind(std::make_unique<Group>(std::move(path)));
  }
}

Hierarchy hierarchy_v2() {
  return hierarchy("cgroup2", "", "0::");
}
Hierarchy hierarchy_v1() {
  return hierarchy("cgroup", "freezer", ":freezer:");
}

}  // namespace

std::unique_ptr<Freezer> Freezer::take(pid_t child) {
  for (const Means means : {Means::CgroupV2, Means::CgroupV1})
    if (auto freezer = take(child, means)) return freezer;
  return take(child, Means::Signals);
}

std::unique_ptr<Freezer> Freezer::take(pid_t child, Means means) {
  if (means == Means::CgroupV2) return try_kind<CgroupV2>(hierarchy_v2(), child);
  if (means == Means::CgroupV1) return try_kind<CgroupV1>(hierarchy_v1(), child);
  return std::make_unique<Signals>(child);
}

void Freezer::clean_up_after(pid_t phone) {
  remove_groups<CgroupV2>(hierarchy_v2(), phone);
  remove_groups<CgroupV1>(hierarchy_v1(), phone);
}

std::chrono::nanoseconds Freezer::cpu_used() const {
  std::chrono::nanoseconds used{0};
  for (const pid_t pid : pids()) used += processor_time(pid);
  return used;
}

void Freezer::kill_all() {
  const auto deadline = Loop::now() + kKillLimit;
  for (auto left = pids(); !left.empty() && Loop::now() < deadline; left = pids()) {
    for (const pid_t pid : left) kill(pid, SIGKILL);
    thaw();  // the v1 freezer holds back even SIGKILL
    await_change(50);
  }
}

}  // namespace fermata::phone
