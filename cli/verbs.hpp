// How a verb joins the command line.
//
// A verb is one function `add_<verb>` that describes itself to CLI11 and, in its callback, hands main() what to run:
//
//   void add_demo(CLI::App& app, Outcome& outcome) {
//     auto options = std::make_shared<DemoOptions>();
//     CLI::App* verb = app.add_subcommand("demo", "Two peers, four acts, one table");
//     verb->add_option("--json", options->json, "Write the figures to FILE")->type_name("FILE");
//     verb->footer("Example:\n  fermata demo --fast --json result.json");
//     verb->callback([options, &outcome] { outcome.run = [options] { return run_demo(*options); }; });
//   }
//
// main() calls each of these once, parses, then calls `outcome.run`. A verb never calls exit(). CLI11 is slow to
// compile: keep it to the file that holds add_<verb>, and the work in files without it. The other verbs are described
// together in registration.cpp.
#pragma once

#include <fermata/result.hpp>
#include <functional>

namespace CLI {
class App;
}

namespace fermata::cli {

// What the command line asked for. `run` gives the exit code, 0 for success, or an Error: main() prints it as
// "fermata: …" on stderr and exits with exit_code(error.code). SIGPIPE is ignored by then.
struct Outcome {
  std::function<Result<int>()> run;
};

// Those that registration.cpp describes.
void add_verbs(CLI::App& app, Outcome& outcome);
// In cmd_demo.cpp.
void add_demo(CLI::App& app, Outcome& outcome);

}  // namespace fermata::cli
