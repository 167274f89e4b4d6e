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
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (!node) return;
    const auto value = node->value_exact<std::int64_t>();
    constexpr std::int64_t kLongest = 7LL * 24 * 3600 * 1000;
    if (!value || *value < 0 || *value > kLongest) return complain(key, "whole milliseconds from 0 to 7 days");
    out = Millis(*value);
  }

  template <class T>
  void choice(std::string_view key, std::initializer_list<std::pair<std::string_view, T>> choices, T& out) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
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
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (!node) return;
    const auto value = node->value<std::string>();
    if (!value) return complain(key, "a string");
    out = *value;
  }

  void table(std::string_view key) { known_.push_back(key); }

  [[nodiscard]] std::optional<std::string> problem() {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end() && !problem_)
        problem_ = fmt::format("line {}: {}{} is no key of a policy", node.source().begin.line, where_, key.str());
    }
    return problem_;
  }

 private:
  void complain(std::string_view key, std::string_view wanted) {
    if (!problem_)
      problem_ = fmt::format("line {}: {}{} must be {}", table_.get(key)->source().begin.line, where_, key, wanted);
  }

  const toml::table& table_;
  std::string where_;
  std::vector<std::string_view> known_;
  std::optional<std::string> problem_;
};

std::optional<std::string> read_table(const toml::table& root, Policy& policy) {
  Reader reader(root, "");
  reader.text("name", policy.name);
  reader.duration("grace_ms", policy.grace);
  reader.choice<AudioRule>("audio", {{"exempts", AudioRule::Exempts}, {"ignored", AudioRule::Ignored}}, policy.audio);
  reader.choice<SocketRule>("sockets", {{"reclaim", SocketRule::Reclaim}, {"keep", SocketRule::Keep}}, policy.sockets);
  reader.choice<LockRule>(
      "locks", {{"kill", LockRule::Kill}, {"report", LockRule::Report}, {"ignore", LockRule::Ignore}}, policy.locks);
  reader.table("task");
  if (auto problem = reader.problem()) return problem;
  const toml::node* task = root.get("task");
  if (!task) return std::nullopt;
  if (!task->as_table()) return "task must be a table: [task]";
  Reader tasks(*task->as_table(), "task.");
  tasks.duration("duration_ms", policy.task_duration);
  tasks.duration("notice_ms", policy.task_notice);
  tasks.duration("overrun_ms", policy.task_overrun);
  if (auto problem = tasks.problem()) return problem;
  if (policy.task_notice > policy.task_duration) return "task.notice_ms is longer than task.duration_ms";
  return std::nullopt;
}

Result<Policy> parse_file(const fs::path& path) {
  toml::parse_result parsed = toml::parse_file(path.string());
  if (!parsed) {
    return fail(ErrorCode::Malformed, fmt::format("policy {}: line {}: {}", path.string(),
                                                  parsed.error().source().begin.line, parsed.error().description()));
  }
  Policy policy;
  policy.name = path.stem().string();
  if (auto problem = read_table(parsed.table(), policy))
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
  const auto scale = [factor](Millis duration) {
    return Millis(std::llround(static_cast<double>(duration.count()) * factor));
  };
  Policy result = *this;
  result.grace = scale(grace);
  result.task_duration = scale(task_duration);
  result.task_notice = scale(task_notice);
  result.task_overrun = scale(task_overrun);
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
                          "android, linux) or the path of a TOML file",
                          name_or_path, fmt::join(looked, ", ")));
}

}  // namespace fermata::phone
