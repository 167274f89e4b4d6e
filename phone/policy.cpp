#include "phone/policy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace fermata::phone {
namespace {

namespace fs = std::filesystem;

// Reads one table and remembers the first thing that is wrong with it, so that a typo never becomes a default.
class Reader {
 public:
  Reader(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}

  void duration(std::string_view key, Millis& out) {
    const toml::node* node = find(key);
    if (!node) return;
    if (const auto value = millis(*node))
      out = *value;
    else
      complain(key, kWanted);
  }

  void duration(std::string_view key, std::optional<Millis>& out) {
    const toml::node* node = find(key);
    if (!node) return;
    out = millis(*node);
    if (!out && node->value<std::string_view>() != "unlimited")
      complain(key, fmt::format("{}, or \"unlimited\"", kWanted));
  }

  void durations(std::string_view key, std::vector<Millis>& out) {
    const toml::node* node = find(key);
    if (!node) return;
    const toml::array* values = node->as_array();
    if (!values) return complain(key, "a list of whole milliseconds");
    for (const toml::node& value : *values) {
      const auto duration = millis(value);
      if (!duration || *duration == Millis(0)) return complain(key, "a list of whole milliseconds from 1 to 7 days");
      out.push_back(*duration);
    }
  }

  void percent(std::string_view key, double& out) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto value = node->value<double>();
    if (!value || !(*value > 0 && *value <= 100'000)) return complain(key, "a number above 0");
    out = *value;
  }

  template <class T>
  void choice(std::string_view key, std::initializer_list<std::pair<std::string_view, T>> choices, T& out) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto value = node->value<std::string_view>();
    std::vector<std::string_view> names;
    for (const auto& [name, meaning] : choices) {
      names.push_back(name);
      if (value && *value == name) {
        out = meaning;
        return;
      }
    }
    complain(key, fmt::format("one of {}", fmt::join(names, ", ")));
  }

  void text(std::string_view key, std::string& out) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto value = node->value<std::string>();
    if (!value) return complain(key, "a string");
    out = *value;
  }

  // A table below this one; nothing if it is not there.
  [[nodiscard]] const toml::table* table(std::string_view key) {
    const toml::node* node = find(key);
    if (node && !node->as_table()) complain(key, fmt::format("a table: [{}{}]", where_, key));
    return node ? node->as_table() : nullptr;
  }

  [[nodiscard]] std::optional<std::string> problem() {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end() && !problem_)
        problem_ = fmt::format("line {}: {}{} is no key of a policy", node.source().begin.line, where_, key.str());
    }
    return problem_;
  }

 private:
  static constexpr std::string_view kWanted = "whole milliseconds from 0 to 7 days";

  const toml::node* find(std::string_view key) {
    known_.push_back(key);
    return table_.get(key);
  }

  static std::optional<Millis> millis(const toml::node& node) {
    const auto value = node.value_exact<std::int64_t>();
    constexpr std::int64_t kLongest = 7LL * 24 * 3600 * 1000;
    if (!value || *value < 0 || *value > kLongest) return std::nullopt;
    return Millis(*value);
  }

  void complain(std::string_view key, std::string_view wanted) {
    if (!problem_)
      problem_ = fmt::format("line {}: {}{} must be {}", table_.get(key)->source().begin.line, where_, key, wanted);
  }

  const toml::table& table_;
  std::string where_;
  std::vector<std::string_view> known_;
  std::optional<std::string> problem_;
};

using Problem = std::optional<std::string>;

Problem read_budget(const toml::table& table, const std::string& where, BudgetRule& budget) {
  Reader reader(table, where + ".");
  reader.duration("duration_ms", budget.duration);
  reader.duration("early_ms", budget.early);
  reader.duration("notice_ms", budget.notice);
  reader.duration("overrun_ms", budget.overrun);
  if (table.contains("per_ms")) reader.duration("per_ms", budget.per.emplace());
  if (Problem problem = reader.problem()) return problem;
  if (budget.duration && budget.notice + budget.early > *budget.duration)
    return fmt::format("{0}.notice_ms and {0}.early_ms together are longer than {0}.duration_ms", where);
  return std::nullopt;
}

Problem read_services(const toml::table& table, Policy& policy) {
  for (const auto& [type, node] : table) {
    const std::string where = fmt::format("service.{}", type.str());
    if (!node.as_table()) return fmt::format("line {}: {} must be a table", node.source().begin.line, where);
    // Tasks name their type as the part of one word before the colon: another one could never be asked for.
    if (type.str().empty() || type.str().find_first_of(" :\t\r\n") != std::string_view::npos)
      return fmt::format("line {}: \"{}\" is no name of a service; write one word without a colon",
                         node.source().begin.line, type.str());
    BudgetRule& budget = policy.services[std::string(type.str())];
    if (Problem problem = read_budget(*node.as_table(), where, budget)) return problem;
    if (budget.duration == Millis(0)) return fmt::format("{}.duration_ms is missing", where);
  }
  return std::nullopt;
}

Problem read_cpu(const toml::table& table, CpuRule& cpu) {
  Reader reader(table, "cpu.");
  reader.percent("percent", cpu.percent);
  reader.duration("over_ms", cpu.over);
  if (Problem problem = reader.problem()) return problem;
  if (cpu.percent == 0 || cpu.over == Millis(0)) return "[cpu] needs percent and an over_ms above 0";
  return std::nullopt;
}

Problem read_maintenance(const toml::table& table, MaintenanceRule& maintenance) {
  Reader reader(table, "maintenance.");
  reader.durations("every_ms", maintenance.every);
  reader.durations("for_ms", maintenance.length);
  if (Problem problem = reader.problem()) return problem;
  if (maintenance.every.size() != maintenance.length.size() || maintenance.every.empty())
    return "maintenance.every_ms and maintenance.for_ms must have the same number of entries, at least one";
  return std::nullopt;
}

Problem read_policy(const toml::table& root, Policy& policy) {
  Reader reader(root, "");
  reader.text("name", policy.name);
  reader.duration("grace_ms", policy.grace);
  reader.choice<AudioRule>("audio", {{"exempts", AudioRule::Exempts}, {"ignored", AudioRule::Ignored}}, policy.audio);
  reader.choice<PlayerRule>("mpris", {{"exempts", PlayerRule::Exempts}, {"ignored", PlayerRule::Ignored}},
                            policy.player);
  reader.choice<SocketRule>("sockets", {{"reclaim", SocketRule::Reclaim}, {"keep", SocketRule::Keep}}, policy.sockets);
  reader.choice<LockRule>(
      "locks", {{"kill", LockRule::Kill}, {"report", LockRule::Report}, {"ignore", LockRule::Ignore}}, policy.locks);
  const toml::table* task = reader.table("task");
  const toml::table* services = reader.table("service");
  const toml::table* cpu = reader.table("cpu");
  const toml::table* maintenance = reader.table("maintenance");
  Problem problem = reader.problem();
  if (!problem && task) problem = read_budget(*task, "task", policy.task);
  if (!problem && services) problem = read_services(*services, policy);
  if (!problem && cpu) problem = read_cpu(*cpu, policy.cpu);
  if (!problem && maintenance) problem = read_maintenance(*maintenance, policy.maintenance);
  return problem;
}

Result<Policy> parse_file(const fs::path& path) {
  toml::parse_result parsed = toml::parse_file(path.string());
  if (!parsed) {
    return fail(ErrorCode::Malformed, fmt::format("policy {}: line {}: {}", path.string(),
                                                  parsed.error().source().begin.line, parsed.error().description()));
  }
  Policy policy;
  policy.name = path.stem().string();
  if (const Problem problem = read_policy(parsed.table(), policy))
    return fail(ErrorCode::InvalidArgument, fmt::format("policy {}: {}", path.string(), *problem));
  return policy;
}

std::vector<fs::path> policy_folders() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    folders.push_back(self.parent_path() / "policies");
    folders.push_back(self.parent_path().parent_path() / "share/fermata/policies");
  }
  folders.emplace_back(FERMATA_POLICIES_INSTALLED);
  folders.emplace_back(FERMATA_POLICIES_SOURCE);
  return folders;
}

}  // namespace

Policy Policy::scaled(double factor) const {
  const auto scale = [factor](Millis& duration) {
    duration = Millis(std::llround(static_cast<double>(duration.count()) * factor));
  };
  const auto scale_budget = [&scale](BudgetRule& budget) {
    if (budget.duration) scale(*budget.duration);
    if (budget.per) scale(*budget.per);
    for (Millis* duration : {&budget.early, &budget.notice, &budget.overrun}) scale(*duration);
  };
  Policy result = *this;
  scale(result.grace);
  scale_budget(result.task);
  for (auto& [type, budget] : result.services) scale_budget(budget);
  scale(result.cpu.over);
  for (auto* durations : {&result.maintenance.every, &result.maintenance.length})
    for (Millis& duration : *durations) scale(duration);
  return result;
}

Result<Policy> load_policy(std::string_view name_or_path) {
  std::error_code error;
  if (name_or_path.find('/') != std::string_view::npos || name_or_path.ends_with(".toml")) {
    if (!fs::is_regular_file(name_or_path, error))
      return fail(ErrorCode::NotFound, fmt::format("there is no policy file {}", name_or_path));
    return parse_file(name_or_path);
  }
  std::vector<std::string> looked;
  for (const fs::path& folder : policy_folders()) {
    const fs::path file = folder / fmt::format("{}.toml", name_or_path);
    if (fs::is_regular_file(file, error)) return parse_file(file);
    looked.push_back(file.string());
  }
  return fail(ErrorCode::NotFound,
              fmt::format("there is no policy named {}; looked for {}. Name a built-in policy (ios, "
                          "android14, droidian) or the path of a TOML file",
                          name_or_path, fmt::join(looked, ", ")));
}

}  // namespace fermata::phone
