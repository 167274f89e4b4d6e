#include "integration/phone/harness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "phone/loop.hpp"

namespace fermata::phone {
namespace {

constexpr std::chrono::seconds kEventLimit{20};
constexpr int kRunLimitMs = 30'000;

// Never returns: the child that is the phone.
[[noreturn]] void be_the_phone(const PhoneOptions& options, const std::string& folder) {
  const int output = open((folder + "/output").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  dup2(output, 1);
  dup2(output, 2);
  dup2(open((folder + "/script").c_str(), O_RDONLY), 0);
  const Result<int> code = run_phone(options);
  if (!code) std::fprintf(stderr, "run_phone: %s\n", code.error().message.c_str());
  std::fflush(stderr);
  _exit(code ? *code : 99);
}

}  // namespace

PhoneRun::PhoneRun(const Policy& policy, const std::string& script, std::vector<std::string> program, Script from) {
  std::string folder = (std::filesystem::temp_directory_path() / "phone-test-XXXXXX").string();
  if (!mkdtemp(folder.data())) return;
  folder_ = folder;
  std::ofstream(folder_ + "/script") << script;
  std::ofstream(folder_ + "/events").flush();
  PhoneOptions options;
  options.policy = policy;
  options.script_path = from == Script::File ? folder_ + "/script" : "-";
  options.program = std::move(program);
  options.events_path = folder_ + "/events";
  options.json_path = folder_ + "/json";
  options.svg_path = folder_ + "/svg";
  options.clock = script.find("clock ") != std::string::npos;
  options.quiet = true;
  std::filesystem::create_directory(folder_ + "/tmp");
  pid_ = fork();
  if (pid_ != 0) return;
  setenv("TMPDIR", (folder_ + "/tmp").c_str(), 1);
  setenv("HOME", (folder_ + "/home").c_str(), 1);
  be_the_phone(options, folder_);
}

PhoneRun::~PhoneRun() {
  if (!code_) {
    signal(SIGTERM);
    if (wait() < 0) {
      signal(SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

int PhoneRun::wait() {
  if (code_) return *code_;
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ended{pidfd.value(), POLLIN, 0};
  if (poll(&ended, 1, kRunLimitMs) != 1) return -1;
  int status = 0;
  waitpid(pid_, &status, 0);
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  return *code_;
}

void PhoneRun::signal(int number) const {
  kill(pid_, number);
}

std::vector<Seen> PhoneRun::events() const {
  std::vector<Seen> seen;
  std::ifstream file(folder_ + "/events");
  for (std::string line; std::getline(file, line) && !file.eof();)
    seen.push_back({number_in(line, "t_ns"), text_in(line, "event"), line});
  return seen;
}

std::optional<Seen> PhoneRun::event(const std::string& name, std::int64_t from) const {
  const Fd changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  inotify_add_watch(changes.value(), (folder_ + "/events").c_str(), IN_MODIFY | IN_CLOSE_WRITE);
  const auto deadline = Loop::now() + (code_ ? std::chrono::seconds(0) : kEventLimit);
  for (;;) {
    for (const Seen& seen : events())
      if (seen.name == name && seen.t_ns >= from) return seen;
    const auto left = std::chrono::ceil<Millis>(deadline - Loop::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd change{changes.value(), POLLIN, 0};
    poll(&change, 1, static_cast<int>(left.count()));
    char buffer[4096];
    while (read(changes.value(), buffer, sizeof buffer) > 0) {
    }
  }
}

bool PhoneRun::tidied() const {
  const std::string folder = folder_ + "/tmp";
  const Fd changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  inotify_add_watch(changes.value(), folder.c_str(), IN_DELETE);
  if (std::filesystem::is_empty(folder)) return true;
  pollfd change{changes.value(), POLLIN, 0};
  poll(&change, 1, static_cast<int>(Millis(kEventLimit).count()));
  return std::filesystem::is_empty(folder);
}

std::string PhoneRun::file(const std::string& name) const {
  return contents_of(folder_ + "/" + name);
}

int PhoneRun::count(const std::string& name) const {
  int count = 0;
  for (const Seen& seen : events()) count += seen.name == name ? 1 : 0;
  return count;
}

std::string PhoneRun::said() const {
  return contents_of(folder_ + "/output");
}

std::string PhoneRun::report() const {
  return "script:\n" + contents_of(folder_ + "/script") + "events:\n" + contents_of(folder_ + "/events") + "output:\n" +
         said();
}

Policy quick_ios() {
  Policy policy = load_policy("ios").value();
  policy.grace = Millis(300);
  policy.task.duration = Millis(1200);
  policy.task.early = Millis(0);
  policy.task.notice = Millis(400);
  policy.task.overrun = Millis(200);
  return policy;
}

std::int64_t number_in(const std::string& json, const std::string& key) {
  const auto at = json.find("\"" + key + "\":");
  return at == std::string::npos ? -1 : std::atoll(json.c_str() + at + key.size() + 3);
}

std::string text_in(const std::string& json, const std::string& key) {
  const auto at = json.find("\"" + key + "\":\"");
  if (at == std::string::npos) return {};
  const auto begin = at + key.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace fermata::phone
