#include "integration/cli/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace fermata::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read = ends[0];
    write = ends[1];
  }
};

void close_once(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n'\"$`\\{}[]*?<>|&;()#~") == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// The phone simulator's and the terminal's variables must not leak in from whoever runs the tests.
std::vector<std::string> environment_with(const Words& extra) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("FERMATA_") && !text.starts_with("NO_COLOR")) all.emplace_back(text);
  }
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Outcome& run) {
  return out << "repeat with: " << run.command << "\nexit code " << run.code << "\nstdout: " << run.out.substr(0, 4000)
             << "\nstderr: " << run.err.substr(0, 4000);
}

Program::Program(const Words& arguments, const Words& environment) {
  std::vector<std::string> words{FERMATA_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (const std::string& word : words) command_ += (command_.empty() ? "" : " ") + quoted(word);
  std::vector<std::string> variables = environment_with(environment);
  const Pipe input, output, errors;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write, 1);
  posix_spawn_file_actions_adddup2(&actions, errors.write, 2);
  const int failed =
      ::posix_spawn(&pid_, FERMATA_BINARY, &actions, nullptr, pointers(words).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : {input.read, output.write, errors.write}) ::close(fd);
  input_ = input.write;
  out_.fd = output.read;
  err_.fd = errors.read;
  if (failed != 0) throw std::runtime_error("cannot start " + command_);
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGCONT);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_once(input_);
  close_once(out_.fd);
  close_once(err_.fd);
}

bool Program::pump(SteadyClock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
  if (left <= 0 || (out_.ended && err_.ended)) return false;
  pollfd entries[2] = {{out_.ended ? -1 : out_.fd, POLLIN, 0}, {err_.ended ? -1 : err_.fd, POLLIN, 0}};
  if (::poll(entries, 2, static_cast<int>(left)) <= 0) return false;
  Stream* streams[2] = {&out_, &err_};
  for (std::size_t i = 0; i < 2; ++i) {
    if (entries[i].revents == 0) continue;
    char chunk[1 << 16];
    const ssize_t n = ::read(entries[i].fd, chunk, sizeof chunk);
    if (n > 0) {
      streams[i]->buffer.append(chunk, static_cast<std::size_t>(n));
    } else {
      streams[i]->ended = true;
    }
  }
  return true;
}

std::optional<std::string> Program::next_line(Stream& stream) {
  const auto deadline = SteadyClock::now() + kDeadline;
  while (true) {
    if (const std::size_t end = stream.buffer.find('\n'); end != std::string::npos) {
      std::string line = stream.buffer.substr(0, end);
      stream.buffer.erase(0, end + 1);
      return line;
    }
    if (stream.ended || !pump(deadline)) return std::nullopt;
  }
}

std::optional<std::string> Program::out_line() {
  return next_line(out_);
}

std::optional<std::string> Program::err_line() {
  return next_line(err_);
}

std::optional<std::string> Program::err_line_with(const std::string& text) {
  while (auto line = err_line()) {
    if (line->find(text) != std::string::npos) return line;
  }
  return std::nullopt;
}

void Program::write(const std::string& text) const {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(input_, rest.data(), rest.size());
    if (n <= 0) return;  // it ended without reading; its exit code tells
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Program::close_input() {
  close_once(input_);
}

void Program::close_output() {
  close_once(out_.fd);
  out_.ended = true;
}

void Program::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

Outcome Program::finish() {
  close_once(input_);
  const auto deadline = SteadyClock::now() + kDeadline;
  while (pump(deadline)) {
  }
  Outcome run{command_, -1, out_.buffer, err_.buffer};
  if (!out_.ended || !err_.ended) return run;
  int status = 0;
  // Both streams ended, so the end of the process is at most a moment away.
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

Outcome fermata(const Words& arguments, const std::string& input, const Words& environment) {
  ::signal(SIGPIPE, SIG_IGN);
  Program program(arguments, environment);
  program.write(input);
  return program.finish();
}

Folder::Folder() {
  std::string path = (std::filesystem::temp_directory_path() / "fermata-cli-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = path;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::file(const std::string& name, const std::string& content) const {
  std::ofstream(path_ + "/" + name, std::ios::binary) << content;
  return path_ + "/" + name;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace fermata::test
