// The command line of Fermata: parses, runs one verb, turns its result into an exit code.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <iostream>
#include <numeric>

#include "cli/exit_code.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"

namespace fermata::cli {
namespace {

void describe(CLI::App& app) {
  app.name("fermata");
  app.set_version_flag("--version", "fermata " FERMATA_VERSION);
  app.set_help_all_flag("--help-all", "Print the help of every verb");
  app.require_subcommand(1);
  app.footer(exit_code_help() +
             "\nData goes to stdout, words to stderr. `fermata VERB --help` explains a verb and shows an example.\n");
}

// How many letters to add, drop or change to make one word of the other.
std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t changed = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row.back();
}

// What to say of a word that stands for a verb and is none; nothing if there is no such word.
std::string unknown_verb(const CLI::App& app, int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word.empty() || word[0] == '-' || !app.get_subcommands().empty()) return {};
  constexpr std::size_t kAlike = 2;
  std::string nearest;
  std::size_t least = kAlike + 1;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::size_t distance = edits(word, verb->get_name());
    if (distance < std::min(least, verb->get_name().size())) nearest = verb->get_name();
    least = std::min(least, distance);
  }
  const std::string hint = nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?";
  return "there is no verb \"" + std::string(word) + "\"" + hint;
}

// CLI11 words usage errors well, but over several lines and without our name.
int report_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error);
    if (std::cout.flush()) return kExitOk;
    say_error({ErrorCode::Io, "cannot write the help"});
    return kExitFailed;
  }
  std::string words = unknown_verb(app, argc, argv);
  if (words.empty()) words = error.what();
  const auto used = app.get_subcommands();
  const std::string verb = used.empty() ? "" : " " + used.front()->get_name();
  say_error({ErrorCode::InvalidArgument, words + "; see fermata" + verb + " --help"});
  return kExitUsage;
}

int report(const Error& error) {
  if (error.code == ErrorCode::Closed && error.message.empty()) return kExitOk;  // the reader of our output left
  say_error(error);
  return exit_code(error.code);
}

// Whoever closed one of these would else have the first file that we open take its place, and be written to. What
// takes it instead fails like the closed one.
void keep_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int run(int argc, char** argv) {
  keep_standard_streams();
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Documents that sync between devices, in the background too"};
  Outcome outcome;
  describe(app);
  add_verbs(app, outcome);
  add_demo(app, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, argc, argv);
  }
  auto result = outcome.run();
  return result ? *result : report(result.error());
}

}  // namespace
}  // namespace fermata::cli

int main(int argc, char** argv) {
  return fermata::cli::run(argc, argv);
}
