#include "cli/demo_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "cli/files.hpp"

namespace fermata::cli {

Result<std::vector<Map>> EventStream::read() {
  char chunk[16384];
  const ssize_t size = ::read(fd_.fd(), chunk, sizeof chunk);
  if (size < 0 && errno != EAGAIN && errno != EINTR)
    return fail(errno_error("cannot read from a process of the demo", errno));
  if (size > 0) buffer_.append(chunk, static_cast<std::size_t>(size));
  std::vector<Map> events;
  std::size_t begin = 0;
  for (std::size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    auto value = from_json(std::string_view(buffer_).substr(begin, end - begin));
    if (!value) continue;
    if (auto* event = value->if_a<Map>()) events.push_back(std::move(*event));
  }
  buffer_.erase(0, begin);
  return events;
}

Result<EventStream> EventStream::make(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) return fail(errno_error("cannot make " + path, errno));
  // Open for both, so that neither side waits for the other to come.
  Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail(errno_error("cannot open " + path, errno));
  return EventStream(std::move(fd));
}

namespace {

// Between fork and exec: only what is safe there.
[[noreturn]] void become(const std::vector<char*>& arguments, int commands, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(commands, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);  // Ctrl-C is for the demo, which ends its children in order
  ::execv("/proc/self/exe", arguments.data());
  ::_exit(127);
}

}  // namespace

Result<DemoChild> DemoChild::start(const std::vector<std::string>& arguments, const std::string& log_path) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return fail(errno_error("cannot make a pipe", errno));
  const Fd commands_end(pipe[0]);
  Fd commands(pipe[1]);
  const Fd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return fail(errno_error("cannot write " + log_path, errno));
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), "fermata");
  std::vector<char*> raw;
  raw.reserve(words.size() + 1);
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(errno_error("cannot start a process of the demo", errno));
  if (pid == 0) become(raw, commands_end.fd(), log.fd());
  return DemoChild(pid, std::move(commands));
}

void DemoChild::tell(const std::string& line) {
  const std::string text = line + "\n";
  [[maybe_unused]] const auto written = ::write(commands_.fd(), text.data(), text.size());
}

bool DemoChild::wait_for_end(std::chrono::milliseconds within) const {
  const Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ready{.fd = watched.fd(), .events = POLLIN, .revents = 0};
  // Left unreaped, so that the pid stays ours until the destructor.
  return ::poll(&ready, 1, static_cast<int>(within.count())) > 0;
}

DemoChild::~DemoChild() {
  if (pid_ <= 0) return;
  commands_ = Fd();
  if (!wait_for_end(std::chrono::seconds(5))) ::kill(pid_, SIGTERM);
  if (!wait_for_end(std::chrono::seconds(5))) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace fermata::cli
