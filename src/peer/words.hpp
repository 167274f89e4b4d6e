// Words for people on stderr, from threads of ours in somebody's app: where nobody can read them they are lost, and
// nothing else happens.
#pragma once

#include <signal.h>

#include <cstdio>
#include <string>

namespace fermata {

inline void say(const std::string& words) {
  std::fputs(("fermata: " + words + "\n").c_str(), stderr);
}

// For a thread of ours, and those it starts: a stderr whose reader went away must not end the app.
inline void ignore_broken_pipes() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace fermata
