#include "phone/phone.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "phone/session.hpp"
#include "phone/timeline.hpp"

namespace fermata::phone {
namespace {

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

// A file that is written when the run is over, but opened before it begins: a wrong path is not found out too late.
class Output {
 public:
  static Result<Output> open(const std::optional<std::string>& path) {
    Output output;
    if (!path) return output;
    output.file_ = Fd(::open(path->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!output.file_.is_open())
      return fail(ErrorCode::Io, fmt::format("cannot write {}: {}", *path, std::strerror(errno)));
    output.path_ = *path;
    return output;
  }
  [[nodiscard]] Status write(const RunRecord& run, std::string (*render)(const RunRecord&)) const {
    if (!file_.is_open()) return {};
    const std::string text = render(run);
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

void show_timeline(const PhoneOptions& options, const RunRecord& run) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!options.timeline && (options.quiet || !terminal)) return;
  winsize size{};
  const bool known = terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  constexpr int kColumns = 80;
  fmt::print(stderr, "{}", timeline_text(run, known ? std::min<int>(size.ws_col, 160) : kColumns));
}

Result<int> run_session(const PhoneOptions& options, std::vector<Step> steps, EventLog log) {
  auto json = Output::open(options.json_path);
  if (!json) return fail(std::move(json.error()));
  auto svg = Output::open(options.svg_path);
  if (!svg) return fail(std::move(svg.error()));
  auto folder = TempFolder::make();
  if (!folder) return fail(std::move(folder.error()));
  const SignalsHeld held;
  Session session(options, std::move(steps), std::move(log), std::move(*folder));
  const Result<int> code = session.run();
  if (!code) return code;
  const RunRecord run = session.record(*code);
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
