#include "phone/phone.hpp"

#include <signal.h>

#include <random>
#include <utility>

#include "phone/session.hpp"

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
  auto folder = TempFolder::make();
  if (!folder) return fail(std::move(folder.error()));
  const SignalsHeld held;
  PhoneOptions seeded = options;
  if (!seeded.seed) seeded.seed = std::random_device()();
  Session session(std::move(seeded), std::move(steps), std::move(*log), std::move(*folder));
  return session.run();
}

}  // namespace fermata::phone
