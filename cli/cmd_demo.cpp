#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <fermata/peer.hpp>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/demo_peer.hpp"
#include "cli/demo_report.hpp"
#include "cli/demo_stage.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"

namespace fermata::cli {
namespace {

struct DemoOptions {
  bool fast = false;
  std::string json, svg;
  std::string documents = "/usr/share/iso-codes/json/iso_3166-2.json";
};

// A directory of the demo's own, gone with the object.
class DemoDirectory {
 public:
  static Result<DemoDirectory> make() {
    std::error_code none;
    std::string path = (std::filesystem::temp_directory_path(none) / "fermata-demo-XXXXXX").string();
    if (none) return fail(ErrorCode::NotFound, "there is no directory for temporary files; set TMPDIR to one");
    if (::mkdtemp(path.data()) == nullptr) return fail(errno_error("cannot make a directory for the demo", errno));
    return DemoDirectory(path);
  }
  ~DemoDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  DemoDirectory(DemoDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  DemoDirectory& operator=(DemoDirectory&&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit DemoDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A minute's work should not end with "cannot write": so the outcome's files are made first.
struct OutcomeFiles {
  std::optional<NewFile> json, svg;

  static Result<OutcomeFiles> make(const DemoOptions& options) {
    if (!options.json.empty() && options.json == options.svg) {
      return fail(ErrorCode::InvalidArgument, "--json and --svg name the same file: " + options.json);
    }
    OutcomeFiles files;
    for (const auto& [path, file] : {std::pair(options.json, &files.json), {options.svg, &files.svg}}) {
      if (path.empty()) continue;
      auto made = NewFile::create(path, 0644);
      if (!made) return fail(made.error());
      file->emplace(std::move(*made));
    }
    return files;
  }
};

Result<int> run_demo(const DemoOptions& options) {
  const Signals signals;
  auto files = OutcomeFiles::make(options);
  if (!files) return fail(files.error());
  auto directory = DemoDirectory::make();
  if (!directory) return fail(directory.error());
  auto secret = NewFile::create(directory->path() + "/group.secret", 0600);
  if (!secret) return fail(secret.error());
  if (auto kept = finish_file(*secret, Secret::generate().text() + "\n"); !kept) return fail(kept.error());
  const DemoTimes times = options.fast ? demo_times_fast() : demo_times_full();
  auto record = DemoStage(times, directory->path(), options.documents, signals.fd()).run();
  if (!record) return fail(record.error());

  Output output;
  if (auto written = output.write(demo_table(*record)); !written) return fail(written.error());
  if (auto flushed = output.flush(); !flushed) return fail(flushed.error());
  if (files->json) {
    if (auto written = finish_file(*files->json, demo_json(*record) + "\n"); !written) return fail(written.error());
  }
  if (files->svg) {
    if (auto written = finish_file(*files->svg, demo_svg(*record)); !written) return fail(written.error());
  }
  const auto broken = broken_promises(*record);
  for (const std::string& sentence : broken) say("not as promised: " + sentence);
  return broken.empty() ? kExitOk : kExitFailed;
}

void add_demo_peer(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<DemoPeerOptions>();
  CLI::App* verb = app.add_subcommand("demo-peer", "One of the demo's two programs; started by `fermata demo`");
  verb->group("");  // hidden
  verb->add_option("ROLE", options->role, "desk or phone")->required()->check(CLI::IsMember({"desk", "phone"}));
  verb->add_option("DIR", options->directory, "The database directory")->required();
  verb->add_option("--secret-file", options->secret_file, "The group's secret")->required();
  verb->add_option("--import", options->import_file, "desk: documents to import");
  verb->add_option("--connect", options->connect, "phone: desk's address");
  verb->add_option("--commands", options->commands, "Where commands come from");
  verb->add_option("--reports", options->reports, "Where reports go");
  verb->callback([options, &outcome] { outcome.run = [options] { return run_demo_peer(*options); }; });
}

}  // namespace

void add_demo(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* verb = app.add_subcommand("demo", "Two peers, a phone that suspends apps, four acts, one table");
  verb->add_flag("--fast", options->fast, "Short acts: less than 25 s in all");
  verb->add_option("--json", options->json, "Write the figures to FILE")->type_name("FILE");
  verb->add_option("--svg", options->svg, "Write a picture to FILE")->type_name("FILE");
  verb->add_option("--documents", options->documents, "Documents to sync: JSON with a \"code\" each")
      ->type_name("FILE")
      ->capture_default_str();
  verb->footer(
      "A phone under iOS rules (grace, suspension, sockets taken away) receives what another peer writes: in the\n"
      "foreground, in the background without and with background sync, through a phone call.\n"
      "Exit code 1 when a change was lost or one arrived that could not have.\n\n"
      "Example:\n  fermata demo --fast --json result.json --svg timeline.svg\n");
  verb->callback([options, &outcome] { outcome.run = [options] { return run_demo(*options); }; });
  add_demo_peer(app, outcome);
}

}  // namespace fermata::cli
