#include "integration/platform/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace fermata {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& each : strings) {
    result.push_back(each.data());
  }
  result.push_back(nullptr);
  return result;
}

}  // namespace

Child::Child(std::vector<std::string> arguments, std::vector<std::string> environment, const std::string& log) {
  for (char** each = environ; *each != nullptr; ++each) {
    environment.emplace_back(*each);
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, log.empty() ? "/dev/null" : log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  auto argv = pointers(arguments);
  auto envp = pointers(environment);
  if (posix_spawnp(&pid_, argv[0], &files, nullptr, argv.data(), envp.data()) != 0) {
    pid_ = -1;
  }
  posix_spawn_file_actions_destroy(&files);
}

void Child::kill_and_wait() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

std::string output_of(const std::string& command) {
  std::string result;
  std::array<char, 4096> chunk{};
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    return result;
  }
  while (const auto count = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    result.append(chunk.data(), count);
  }
  ::pclose(pipe);
  return result;
}

ScratchDirectory::ScratchDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "fermata-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fermata
