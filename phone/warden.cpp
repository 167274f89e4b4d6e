#include "phone/warden.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fermata::phone {

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
  pid_ = fork();
  if (pid_ != 0) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return;
  }
  setsid();  // what is sent to the phone's process group is not meant for us
  alive_.reset();
  char nothing = 0;
  if (read(our_end.value(), &nothing, 1) == 0) clean_up();
  _exit(0);
}

Warden::~Warden() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace fermata::phone
