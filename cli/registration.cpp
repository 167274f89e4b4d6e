// The verbs, described to CLI11.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace fermata::cli {
namespace {

// CLI11's own checks word a range with all the digits of its end.
template <class Number>
bool is_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string at_least_one(const std::string& text) {
  std::uint64_t number = 0;
  return is_number(text, number) && number > 0 ? "" : "takes a whole number from 1 on, not \"" + text + "\"";
}

std::string above_zero(const std::string& text) {
  double number = 0;
  return is_number(text, number) && std::isfinite(number) && number > 0
             ? ""
             : "takes a number above 0, not \"" + text + "\"";
}

template <class Options>
void on_chosen(CLI::App* verb, Outcome& outcome, std::shared_ptr<Options> options, Result<int> (*run)(const Options&)) {
  verb->callback([&outcome, options, run] { outcome.run = [options, run] { return run(*options); }; });
}

void add_directory(CLI::App* verb, std::string& directory) {
  verb->add_option("DIR", directory, "The database directory")->required();
}

void add_parameters(CLI::App* verb, std::vector<std::string>& parameters) {
  verb->add_option("--param", parameters, "A value for :NAME in the statement: JSON, or else text; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void add_init(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* verb = app.add_subcommand("init", "Make a database directory and the secret of its group");
  add_directory(verb, options->directory);
  verb->add_option("--secret-file", options->secret_file, "Join the group of this secret instead of making a new one")
      ->type_name("FILE");
  verb->footer(
      "The secret is kept in DIR/group.secret, readable by you alone. Whoever holds it belongs to the group.\n\n"
      "Example:\n  fermata init desk\n  fermata init phone --secret-file desk/group.secret\n");
  on_chosen(verb, outcome, options, run_init);
}

void add_import(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* verb = app.add_subcommand("import", "Put the documents of a file into a collection");
  add_directory(verb, options->directory);
  verb->add_option("COLLECTION", options->collection, "The collection")->required();
  verb->add_option("FILE", options->file, "JSON, NDJSON or CSV; - for stdin")->required();
  verb->add_option("--id", options->id_field, "The field that holds a document's id")
      ->type_name("FIELD")
      ->capture_default_str();
  verb->add_option("--format", options->format, "json, ndjson or csv; default: by the file's extension and content")
      ->type_name("FORMAT");
  verb->add_option("--types", options->types, "CSV: columns that are text, integer, real, boolean, timestamp or json")
      ->type_name("COLUMN:TYPE,...");
  verb->add_flag("--skip-bad", options->skip_bad, "Pass over records that cannot be imported, and count them");
  verb->add_flag("--json", options->json, "What was done, as one JSON object");
  verb->footer(
      "JSON is an array, an object of arrays, or one document. Documents whose id is there already are updated where\n"
      "they differ, so the same import twice, or after an interruption, is safe. A bad record stops it, and is told\n"
      "with its line; of a file nothing is imported then.\n"
      "CSV has a header; a dotted name makes a field of a map. A cell in quotes is text, an empty one a missing "
      "field;\n"
      "true, false and numbers are what they look like, but numbers with leading zeros, and whole ones beyond 64 "
      "bits,\n"
      "are text.\n\n"
      "Example:\n  fermata import desk places /usr/share/iso-codes/json/iso_3166-2.json --id code\n"
      "  fermata import desk people people.csv --id number --types phone:text,address.zip:text --skip-bad\n");
  on_chosen(verb, outcome, options, run_import);
}

void add_query(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* verb = app.add_subcommand("query", "Run one statement");
  add_directory(verb, options->directory);
  verb->add_option("STATEMENT", options->statement, "SELECT, INSERT, UPDATE or DELETE")->required();
  add_parameters(verb, options->parameters);
  verb->add_flag("--json", options->json, "One JSON array of documents; for a write {\"mutated_ids\":[…]}");
  verb->footer(
      "Prints one JSON document a line; for a write, {\"_id\":…} of each document written.\n\n"
      "Example:\n  fermata query desk \"SELECT * FROM places WHERE type = :t LIMIT 3\" --param t=Parish\n"
      "  fermata query desk \"INSERT INTO tasks DOCUMENTS (:d)\" --param 'd={\"title\":\"Buy "
      "milk\",\"done\":false}'\n");
  on_chosen(verb, outcome, options, run_query);
}

void add_watch(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* verb = app.add_subcommand("watch", "Print what changes in the result of a SELECT, until interrupted");
  add_directory(verb, options->directory);
  verb->add_option("SELECT", options->select, "The query")->required();
  add_parameters(verb, options->parameters);
  verb->add_option("--count", options->count, "End after N lines")->type_name("N")->check(at_least_one);
  verb->footer(
      "One JSON line a change: {\"op\":\"insert\"|\"update\"|\"delete\",\"document\":{…}}. What is there at the start "
      "comes as inserts; a row without its \"_id\" that changes, as a delete and an insert.\nIf nobody serves DIR, "
      "watch lets the other verbs in while it runs.\n\n"
      "Example:\n  fermata watch desk \"SELECT * FROM tasks WHERE done = false\"\n");
  on_chosen(verb, outcome, options, run_watch);
}

void add_export(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = app.add_subcommand("export", "Write the documents of a collection to a file");
  add_directory(verb, options->directory);
  verb->add_option("COLLECTION", options->collection, "The collection")->required();
  verb->add_option("FILE", options->file, "Where to; stdout if missing. Replaced only once it is complete");
  verb->add_option("--format", options->format, "json, ndjson or csv; default: by the file's extension, else ndjson")
      ->type_name("FORMAT");
  verb->add_flag("--json", options->json, "What was done, as one JSON object; on stderr if stdout has the documents");
  verb->footer(
      "Import reads JSON and NDJSON back as they were, counters included. CSV is for other programs: it says what it\n"
      "could not hold.\n\n"
      "Example:\n  fermata export desk tasks tasks.ndjson\n  fermata export desk tasks --format csv\n");
  on_chosen(verb, outcome, options, run_export);
}

void add_backup(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App* verb = app.add_subcommand("backup", "Copy a database into a new directory, also while it is served");
  add_directory(verb, options->directory);
  verb->add_option("TARGET", options->target, "The new directory, which must not exist yet")->required();
  verb->footer(
      "All or nothing. Neither the device's key nor the group's secret is copied: served with that secret, the backup "
      "is\n"
      "a device of its own.\n\n"
      "Example:\n  fermata backup desk backups/monday\n  fermata serve backups/monday --secret-file "
      "desk/group.secret\n");
  on_chosen(verb, outcome, options, run_backup);
}

void add_compact(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<CompactOptions>();
  CLI::App* verb = app.add_subcommand("compact", "Give the space of deleted documents back to the file system");
  add_directory(verb, options->directory);
  verb->footer(
      "Writes wait meanwhile. Needs twice the database's size in free space.\n\nExample:\n  fermata compact desk\n");
  on_chosen(verb, outcome, options, run_compact);
}

void add_check(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<CheckVerbOptions>();
  CLI::App* verb = app.add_subcommand("check", "Read everything in a database and say what is damaged");
  add_directory(verb, options->directory);
  verb->add_flag("--repair", options->repair, "Make anew what can be made anew, and say what cannot");
  verb->add_flag("--json", options->json, "One JSON object");
  verb->footer(
      "Nobody may have DIR open. Without --repair nothing is changed. Ends with 0 if the database is sound, or is so\n"
      "again, and with 11 if it is damaged. Documents that cannot be read are removed by --repair and named; peers "
      "that\n"
      "have them send them again.\n\nExample:\n  fermata check desk\n  fermata check desk --repair\n");
  on_chosen(verb, outcome, options, run_check);
}

void add_attach(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<AttachOptions>();
  CLI::App* verb = app.add_subcommand("attach", "Put a file's content into the database, and name it in a document");
  add_directory(verb, options->directory);
  verb->add_option("COLLECTION", options->collection, "The collection")->required();
  verb->add_option("ID", options->id, "The document, which must exist")->required();
  verb->add_option("FIELD", options->field, "The field; a.b is b in the map a")->required();
  verb->add_option("FILE", options->file, "Of any size; - for stdin")->required();
  verb->add_option("--meta", options->metadata, "Say this of it too; repeatable. \"name\" is the file's, unless said")
      ->type_name("NAME=TEXT")
      ->allow_extra_args(false);
  verb->footer(
      "Prints the attachment as the document has it.\n\n"
      "Example:\n  fermata attach desk tasks t1 photo wall.jpg --meta type=image/jpeg\n");
  on_chosen(verb, outcome, options, run_attach);
}

void add_attachment(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<AttachmentOptions>();
  CLI::App* verb = app.add_subcommand("attachment", "Write the content of an attachment");
  add_directory(verb, options->directory);
  verb->add_option("HASH", options->hash, "Its \"hash\" in the document, 64 hex digits")->required();
  verb->add_option("FILE", options->file, "Where to; stdout if missing. Replaced only once it is complete");
  verb->footer("Example:\n  fermata attachment desk 9f86d081…15b0f00a08 wall.jpg\n");
  on_chosen(verb, outcome, options, run_attachment);
}

CLI::Option* add_many(CLI::App* verb, const char* name, std::vector<std::string>& values, const char* words,
                      const char* type) {
  return verb->add_option(name, values, words)->type_name(type)->allow_extra_args(false);
}

// CLI11's own lists of names would also take their numbers, and show them.
template <class T>
CLI::Validator one_of(const std::map<std::string, T>& names) {
  std::set<std::string> all;
  for (const auto& [name, meaning] : names) all.insert(name);
  return CLI::IsMember(all);
}

void add_background_options(CLI::App& verb, BackgroundSyncOptions& background) {
  static const std::map<std::string, BackgroundMode> kModes{
      {"while-peers-connected", BackgroundMode::WhilePeersConnected},
      {"while-unsynced", BackgroundMode::WhileUnsynced},
      {"always", BackgroundMode::Always}};
  static const std::map<std::string, Strategy> kStrategyNames{{"silent_audio", Strategy::SilentAudio},
                                                              {"pulsed_audio", Strategy::PulsedAudio},
                                                              {"task_assertion", Strategy::TaskAssertion},
                                                              {"media_player", Strategy::MediaPlayer}};
  CLI::Option* on = verb.get_option("--background-sync");
  verb.add_option_function<std::string>(
          "--background-mode", [&background](const std::string& name) { background.mode = kModes.at(name); },
          "When there is something to keep the app awake for")
      ->check(one_of(kModes))
      ->type_name("MODE")
      ->needs(on);
  verb.add_option_function<std::vector<std::string>>(
          "--strategy",
          [&background](const std::vector<std::string>& names) {
            for (const std::string& name : names) background.ladder.push_back(kStrategyNames.at(name));
          },
          "Use these only, best first; repeatable; default: all there are")
      ->check(one_of(kStrategyNames))
      ->type_name("STRATEGY")
      ->allow_extra_args(false)
      ->needs(on);
  verb.add_flag("--hold-in-low-power", background.hold_in_low_power, "Also while the system saves power")->needs(on);
  verb.add_option("--hold-above-battery", background.hold_above_battery_percent, "Let go below this charge")
      ->type_name("PERCENT")
      ->check(CLI::Range(0, 100))
      ->needs(on);
}

void add_serve(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* verb = app.add_subcommand("serve", "Sync with other peers of the group, until interrupted");
  add_directory(verb, options->directory);
  add_many(verb, "--listen", options->listen, "Accept peers here; port 0 takes a free one; repeatable", "HOST:PORT");
  add_many(verb, "--connect", options->connect, "Keep a connection to this peer; repeatable", "HOST:PORT");
  add_many(verb, "--subscribe", options->subscribe, "Ask peers for these documents; repeatable; default: for none",
           "SELECT");
  verb->add_flag("--attachments", options->attachments, "Ask for the content of their attachments too");
  verb->add_flag("--background-sync", options->background_sync, "Keep syncing when the app leaves the screen");
  add_background_options(*verb, options->background);
  verb->add_option("--name", options->name, "This peer's name for people; default: the host's")->type_name("NAME");
  verb->add_option("--secret-file", options->secret_file, "The group's secret; default: DIR/group.secret")
      ->type_name("FILE");
  verb->footer(
      "Says on stderr where it listens (\"listening on HOST:PORT\") and then \"ready\". The other verbs reach its "
      "database meanwhile.\nEnd it with Ctrl-C or SIGTERM.\n\n"
      "Example:\n  fermata serve desk --listen 0.0.0.0:7411 --subscribe \"SELECT * FROM tasks\"\n"
      "  fermata serve phone --connect desk.local:7411 --subscribe \"SELECT * FROM tasks\" --background-sync\n");
  on_chosen(verb, outcome, options, run_serve);
}

void add_status(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* verb = app.add_subcommand("status", "What a database holds, and how its sync is doing");
  add_directory(verb, options->directory);
  verb->add_flag("--json", options->json, "As one JSON object");
  verb->footer("Example:\n  fermata status desk --json\n");
  on_chosen(verb, outcome, options, run_status);
}

void add_gaps(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<GapsOptions>();
  CLI::App* verb = app.add_subcommand("gaps", "When sync did not run, why, and what was missed");
  add_directory(verb, options->directory);
  verb->add_flag("--json", options->json, "As one JSON object, times in milliseconds");
  verb->add_option("--svg", options->svg, "Draw them into FILE instead")->type_name("FILE");
  verb->footer("Example:\n  fermata gaps phone --svg gaps.svg\n");
  on_chosen(verb, outcome, options, run_gaps);
}

void add_phone(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<PhoneOptions>();
  CLI::App* verb = app.add_subcommand("phone", "Run any program under a phone's background rules");
  verb->add_option("--policy", options->policy, "ios, android14, droidian, or a policy's .toml file")
      ->type_name("POLICY")
      ->required();
  verb->add_option("--script", options->script,
                   "What the user does, and when; - for stdin. Without it the program stays in front")
      ->type_name("FILE");
  verb->add_option("--events", options->events, "Write what happened, one JSON object a line")->type_name("FILE");
  verb->add_option("--json", options->json, "Write the whole run as one JSON document")->type_name("FILE");
  verb->add_option("--svg", options->svg, "Write a picture of the run")->type_name("FILE");
  verb->add_flag("--timeline", options->timeline, "Draw the run on stderr at its end, even if that is no terminal");
  verb->add_option("--time-scale", options->time_scale, "Multiply the durations of the policy")
      ->type_name("X")
      ->check(above_zero);
  verb->add_option("--seed", options->seed,
                   "Of what the policy leaves to chance, 0 to 2^63 - 1; default: a random one, which is told")
      ->type_name("N");
  verb->add_option("--pulse-server", options->pulse_server,
                   "Use this sound server, as in PULSE_SERVER; default: a private one, which is started")
      ->type_name("ADDRESS");
  verb->add_flag("--clock", options->clock, "A script on stdin may move the program's clock");
  verb->add_flag("--quiet", options->quiet, "Nothing on stderr but what fails");
  verb->add_option("PROGRAM", options->program, "The program and its arguments, after --")->required();
  verb->footer(
      "Ends with the program's exit code, or 1 when an expectation of the script did not come true. The script is\n"
      "lines such as: wait 3s, background, inactive, foreground, lock, unlock, call 8s, alarm 3s, wait-call,\n"
      "route lost|back|moved|killed, media-services reset, low-power on, metered on, battery 20, airplane 10s, kill,\n"
      "launch, clock +1h, repeat 10 ... end, expect frozen|running|playing|ended within 10s,\n"
      "expect delivered NAME within 10s, expect no-locks, note TEXT, quit.\n\n"
      "Example:\n  fermata phone --policy ios --script day.phone -- fermata serve phone --connect desk.local:7411\n");
  on_chosen(verb, outcome, options, run_phone);
}

}  // namespace

void add_verbs(CLI::App& app, Outcome& outcome) {
  add_init(app, outcome);
  add_import(app, outcome);
  add_query(app, outcome);
  add_watch(app, outcome);
  add_export(app, outcome);
  add_backup(app, outcome);
  add_compact(app, outcome);
  add_check(app, outcome);
  add_attach(app, outcome);
  add_attachment(app, outcome);
  add_serve(app, outcome);
  add_status(app, outcome);
  add_gaps(app, outcome);
  add_phone(app, outcome);
}

}  // namespace fermata::cli
