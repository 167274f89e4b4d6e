// The command line of Fermata: parses, runs one verb, turns its result into an exit code.
#include <signal.h>

#include <CLI/CLI.hpp>

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

// CLI11 words usage errors well, but over several lines and without our name.
int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  const auto used = app.get_subcommands();
  const std::string verb = used.empty() ? "" : " " + used.front()->get_name();
  say_error({ErrorCode::InvalidArgument, std::string(error.what()) + "; see fermata" + verb + " --help"});
  return kExitUsage;
}

int report(const Error& error) {
  if (error.code == ErrorCode::Closed && error.message.empty()) return kExitOk;  // the reader of our output left
  say_error(error);
  return exit_code(error.code);
}

int run(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Documents that sync between devices, in the background too"};
  Outcome outcome;
  describe(app);
  add_verbs(app, outcome);
  add_demo(app, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  }
  auto result = outcome.run();
  return result ? *result : report(result.error());
}

}  // namespace
}  // namespace fermata::cli

int main(int argc, char** argv) {
  return fermata::cli::run(argc, argv);
}
