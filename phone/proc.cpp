#include "phone/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

namespace fermata::phone {
namespace {

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

// The names in a folder of /proc that are numbers.
std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> numbers;
  const std::unique_ptr<DIR, DirCloser> dir(opendir(folder.c_str()));
  if (!dir) return numbers;
  while (const dirent* entry = readdir(dir.get())) {
    int number = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    const auto parsed = std::from_chars(entry->d_name, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) numbers.push_back(number);
  }
  return numbers;
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// What follows the name in /proc/PID/stat: state, parent, …; the name may hold anything, even a parenthesis.
std::vector<std::string_view> fields_of(std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string_view::npos ? std::vector<std::string_view>{} : split(stat.substr(name_end + 1), ' ');
}

struct ChildEnds {
  int gate;
  int verdict;
  int output;
  pid_t parent;
};

// Between fork and exec: only calls that are safe there. Never returns.
[[noreturn]] void become(const ChildEnds& ends, char** command, char** environment) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != ends.parent) _exit(127);  // the phone died before the line above
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  char go = 0;
  if (read(ends.gate, &go, 1) != 1) _exit(127);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  if (ends.output >= 0) {
    dup2(ends.output, 1);
    dup2(ends.output, 2);
  }
  // An app inherits nothing: a lock or a socket of whoever started the phone must not count as the program's.
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  execvpe(command[0], command, environment);
  const int error = errno;
  const ssize_t ignored = write(ends.verdict, &error, sizeof error);
  _exit(ignored == sizeof error ? 127 : 126);
}

Result<std::pair<Fd, Fd>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorCode::Io, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

}  // namespace

std::string read_text(const std::string& path) {
  std::string text;
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return text;
  char buffer[4096];
  for (ssize_t n; (n = read(file.value(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

Status write_text(const std::string& path, std::string_view text) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open() || write(file.value(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail(ErrorCode::Io, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return {};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<ProcessState> process_state(pid_t pid) {
  const std::string stat = read_text(fmt::format("/proc/{}/stat", pid));
  const auto fields = fields_of(stat);
  if (fields.size() < 4) return std::nullopt;
  ProcessState state;
  state.state = fields[0][0];
  std::from_chars(fields[3].data(), fields[3].data() + fields[3].size(), state.session);
  return state;
}

std::chrono::nanoseconds processor_time(pid_t pid) {
  const std::string stat = read_text(fmt::format("/proc/{}/stat", pid));
  const auto fields = fields_of(stat);
  constexpr std::size_t kUserTime = 11, kFields = 15;  // utime, stime, cutime, cstime
  if (fields.size() < kFields) return std::chrono::nanoseconds(0);
  std::int64_t ticks = 0;
  for (std::size_t i = kUserTime; i < kFields; ++i) {
    std::int64_t part = 0;
    std::from_chars(fields[i].data(), fields[i].data() + fields[i].size(), part);
    ticks += part;
  }
  return std::chrono::nanoseconds(ticks * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
}

std::vector<pid_t> processes_of_session(pid_t session) {
  std::vector<pid_t> pids;
  for (const int pid : numbers_in("/proc")) {
    const auto state = process_state(pid);
    if (state && state->session == session && state->state != 'Z') pids.push_back(pid);
  }
  return pids;
}

std::vector<OpenFile> open_files(pid_t pid) {
  std::vector<OpenFile> files;
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  for (const int fd : numbers_in(folder)) {
    char target[4096];
    const ssize_t size = readlink(fmt::format("{}/{}", folder, fd).c_str(), target, sizeof target);
    if (size > 0) files.push_back({fd, std::string(target, static_cast<std::size_t>(size))});
  }
  return files;
}

Result<Child> Child::prepare(const Plan& plan) {
  auto gate = make_pipe();
  if (!gate) return fail(gate.error());
  auto verdict = make_pipe();
  if (!verdict) return fail(verdict.error());
  const auto command = pointers_to(plan.command);
  const auto environment = pointers_to(plan.environment);
  const ChildEnds ends{gate->first.value(), verdict->second.value(), plan.output, getpid()};
  const pid_t pid = fork();
  if (pid < 0) return fail(ErrorCode::Io, fmt::format("cannot fork: {}", std::strerror(errno)));
  if (pid == 0) {
    gate->second.reset();  // or the child would wait for itself
    become(ends, const_cast<char**>(command.data()), const_cast<char**>(environment.data()));
  }
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return Child(pid, std::move(pidfd), std::move(gate->second), std::move(verdict->first), plan.command.front());
}

Child::Child(pid_t pid, Fd pidfd, Fd gate, Fd verdict, std::string name)
    : pid_(pid),
      pidfd_(std::move(pidfd)),
      gate_(std::move(gate)),
      verdict_(std::move(verdict)),
      name_(std::move(name)) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      gate_(std::move(other.gate_)),
      verdict_(std::move(other.verdict_)),
      name_(std::move(other.name_)),
      ended_(other.ended_) {}

Child::~Child() {
  if (pid_ < 0 || ended()) return;
  signal(SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
}

Status Child::let_go() {
  const char go = 1;
  const bool sent = write(gate_.value(), &go, 1) == 1;
  gate_.reset();
  int error = sent ? 0 : EPIPE;
  const ssize_t size = read(verdict_.value(), &error, sizeof error);
  verdict_.reset();
  if (sent && size == 0) return {};
  wait(std::chrono::seconds(1));
  const ErrorCode code = error == ENOENT   ? ErrorCode::NotFound
                         : error == EACCES ? ErrorCode::Unauthorized
                                           : ErrorCode::Io;
  return fail(code, fmt::format("cannot run {}: {}", name_, std::strerror(error)));
}

void Child::signal(int number) const {
  if (!ended_) syscall(SYS_pidfd_send_signal, pidfd_.value(), number, nullptr, 0);
}

std::optional<int> Child::ended() {
  if (ended_) return ended_;
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) != 0 || info.si_pid != pid_) return std::nullopt;
  ended_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  return ended_;
}

bool Child::wait(std::chrono::milliseconds limit) {
  pollfd wanted{pidfd_.value(), POLLIN, 0};
  if (!ended_) poll(&wanted, 1, static_cast<int>(limit.count()));
  return ended().has_value();
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string_view key = text.substr(0, text.find('='));
    if (std::none_of(changes.begin(), changes.end(), [&](const auto& change) { return change.first == key; }))
      result.emplace_back(text);
  }
  for (const auto& [key, value] : changes) result.push_back(fmt::format("{}={}", key, value));
  return result;
}

}  // namespace fermata::phone
