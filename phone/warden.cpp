#include "phone/warden.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fermata::phone {
namespace {

// Its descriptors are closed before the processes that die with it are told to; those would make anew what we remove.
void await_end_of(pid_t parent) {
  constexpr int kTries = 1000;
  constexpr int kPauseMs = 1;
  constexpr int kDyingMs = 50;
  for (int i = 0; i < kTries && getppid() == parent; ++i) poll(nullptr, 0, kPauseMs);
  poll(nullptr, 0, kDyingMs);
}

}  // namespace

Warden::Warden(const std::function<void()>& clean_up) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  const Fd our_end(ends[0]);
  alive_ = Fd(ends[1]);
  // What is sent to the phone must not end us before we lie in a session of our own; nor is there anything to ask of
  // us.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t phone = getpid();
  pid_ = fork();
  if (pid_ != 0) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return;
  }
  setsid();  // what is sent to the phone's process group is not meant for us
  alive_.reset();
  char nothing = 0;
  if (read(our_end.value(), &nothing, 1) == 0) {
    await_end_of(phone);
    clean_up();
  }
  _exit(0);
}

Warden::~Warden() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace fermata::phone
