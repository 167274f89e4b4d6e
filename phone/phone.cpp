#include "phone/phone.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <set>
#include <utility>

#include "phone/session.hpp"
#include "phone/timeline.hpp"

namespace fermata::phone {
namespace {

constexpr std::uint64_t kMostSeed = std::numeric_limits<std::int64_t>::max();  // as JSON readers know integers

// The signals that end a phone wait in a descriptor for its loop instead.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held, number);
    pthread_sigmask(SIG_BLOCK, &held, &old_mask_);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &old_pipe_);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() {
    sigaction(SIGPIPE, &old_pipe_, nullptr);
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }

 private:
  sigset_t old_mask_{};
  struct sigaction old_pipe_ {};
};

// A standard stream that is closed would become the next file that we open, and that file hear what is said to it.
void keep_standard_streams() {
  for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR)) {
    if (fd <= STDERR_FILENO) continue;
    close(fd);
    return;
  }
}

// A file that is written when the run is over, but opened before it begins: a wrong path is not found out too late.
// Until then it keeps what it holds.
class Output {
 public:
  static Result<Output> open(const std::optional<std::string>& path) {
    Output output;
    if (!path) return output;
    output.file_ = Fd(::open(path->c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (!output.file_.is_open())
      return fail(ErrorCode::Io, fmt::format("cannot write {}: {}", *path, std::strerror(errno)));
    output.path_ = *path;
    return output;
  }
  [[nodiscard]] Status write(const RunRecord& run, std::string (*render)(const RunRecord&)) const {
    if (!file_.is_open()) return {};
    const std::string text = render(run);
    (void)ftruncate(file_.value(), 0);  // a pipe or a device holds nothing that could be in the way
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(file_.value(), text.data() + done, text.size() - done);
      if (n < 0) return fail(ErrorCode::Io, fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

 private:
  std::string path_;
  Fd file_;
};

// What one output writes another one would overwrite. Devices and pipes may be named twice.
Status check_paths(const PhoneOptions& options) {
  std::set<std::filesystem::path> seen;
  for (const auto& path : {options.events_path, options.json_path, options.svg_path}) {
    std::error_code error;
    if (!path || (std::filesystem::exists(*path, error) && !std::filesystem::is_regular_file(*path, error))) continue;
    if (!seen.insert(std::filesystem::weakly_canonical(*path, error)).second)
      return fail(ErrorCode::InvalidArgument, fmt::format("{} is named for two outputs; name another file", *path));
  }
  return {};
}

void show_timeline(const PhoneOptions& options, const RunRecord& run) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!options.timeline && (options.quiet || !terminal)) return;
  winsize size{};
  const bool known = terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  constexpr int kColumns = 80;
  say_on_stderr(timeline_text(run, known ? std::min<int>(size.ws_col, 160) : kColumns));
}

Result<int> run_session(const PhoneOptions& options, std::vector<Step> steps, EventLog log) {
  auto json = Output::open(options.json_path);
  if (!json) return fail(std::move(json.error()));
  auto svg = Output::open(options.svg_path);
  if (!svg) return fail(std::move(svg.error()));
  const SignalsHeld held;
  auto folder = TempFolder::make();
  if (!folder) return fail(std::move(folder.error()));
  Session session(options, std::move(steps), std::move(log), std::move(*folder));
  const Result<int> code = session.run();
  if (!code) return code;
  const RunRecord run = session.record(*code);
  if (run.events.empty()) return code;  // a signal came before the program ran: there is nothing to show
  if (Status written = session.events_written(); !written) return fail(std::move(written.error()));
  if (Status written = json->write(run, timeline_json); !written) return fail(std::move(written.error()));
  if (Status written = svg->write(run, timeline_svg); !written) return fail(std::move(written.error()));
  show_timeline(options, run);
  return code;
}

}  // namespace

Result<int> run_phone(const PhoneOptions& options) {
  if (options.program.empty()) return fail(ErrorCode::InvalidArgument, "no program to run; name one after --");
  if (!(options.time_scale >= 0.001 && options.time_scale <= 1000))
    return fail(ErrorCode::InvalidArgument, "the time scale must lie between 0.001 and 1000");
  if (options.seed && *options.seed > kMostSeed)
    return fail(ErrorCode::InvalidArgument, fmt::format("the seed must lie between 0 and {}", kMostSeed));
  if (Status distinct = check_paths(options); !distinct) return fail(std::move(distinct.error()));
  keep_standard_streams();
  std::vector<Step> steps;
  if (!options.script_path.empty() && options.script_path != "-") {
    auto loaded = load_script(options.script_path);
    if (!loaded) return fail(std::move(loaded.error()));
    steps = std::move(*loaded);
  }
  auto log = EventLog::open(options.events_path, options.quiet ? Voice::Quiet : Voice::Spoken);
  if (!log) return fail(std::move(log.error()));
  PhoneOptions seeded = options;
  if (!seeded.seed) seeded.seed = std::random_device()();
  return run_session(seeded, std::move(steps), std::move(*log));
}

}  // namespace fermata::phone
