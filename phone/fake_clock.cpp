#include "phone/fake_clock.hpp"

#include <fmt/format.h>
#include <glob.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace fermata::phone {
namespace {

// Debian keeps it below the architecture's folder, others below lib; empty: nowhere.
std::string find_library() {
  for (const char* pattern : {"/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1",
                              "/usr/lib64/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1"}) {
    glob_t found{};
    std::string path;
    if (glob(pattern, 0, nullptr, &found) == 0 && found.gl_pathc > 0) path = found.gl_pathv[0];
    globfree(&found);
    if (!path.empty()) return path;
  }
  return {};
}

}  // namespace

Result<FakeClock> FakeClock::make(const std::string& folder) {
  std::string library = find_library();
  if (library.empty())
    return fail(ErrorCode::NotFound, "moving the program's clock needs libfaketime; install the package faketime");
  FakeClock clock(std::move(library), folder + "/clock");
  if (Status written = clock.write(); !written) return fail(std::move(written.error()));
  return clock;
}

std::vector<std::pair<std::string, std::string>> FakeClock::environment() const {
  const char* preloaded = getenv("LD_PRELOAD");
  return {{"LD_PRELOAD", preloaded && *preloaded ? fmt::format("{} {}", library_, preloaded) : library_},
          {"FAKETIME_TIMESTAMP_FILE", file_},
          {"FAKETIME_NO_CACHE", "1"},
          {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
          {"DONT_FAKE_MONOTONIC", "1"}};
}

Status FakeClock::jump(std::chrono::milliseconds by) {
  offset_ += by;
  return write();
}

void FakeClock::forget(pid_t pid) {
  shm_unlink(fmt::format("/faketime_shm_{}", pid).c_str());
  sem_unlink(fmt::format("/faketime_sem_{}", pid).c_str());
}

// Replaced in one step: the program may read it at any time.
Status FakeClock::write() const {
  const std::string fresh = file_ + ".new";
  std::ofstream(fresh) << fmt::format("{:+.3f}\n", static_cast<double>(offset_.count()) / 1000);
  if (std::rename(fresh.c_str(), file_.c_str()) != 0)
    return fail(ErrorCode::Io, fmt::format("cannot write {}: {}", file_, std::strerror(errno)));
  return {};
}

}  // namespace fermata::phone
