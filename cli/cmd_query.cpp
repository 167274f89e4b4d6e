#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/access.hpp"
#include "cli/options.hpp"
#include "cli/parameters.hpp"
#include "cli/statement.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

// A collection needs no declaration, so a mistyped name looks like an empty result. Say so.
Status remark_if_unknown(Access& access, const std::string& collection) {
  auto collections = access.collections();
  if (!collections) return fail(collections.error());
  std::vector<std::string> names;
  for (const auto& [name, count] : *collections) {
    if (name == collection) return {};
    names.push_back(name);
  }
  const std::string others =
      names.empty() ? "the database is empty" : "there is " + fmt::format("{}", fmt::join(names, ", "));
  say(fmt::format("remark: the collection {} holds no documents; {}", collection, others));
  return {};
}

Status print_lines(Output& output, const QueryResult& result) {
  Status status;
  for (const Map& item : result.items) {
    if (status) status = output.json(item);
  }
  if (!result.items.empty()) return status;  // RETURNING has said what was written
  for (const std::string& id : result.mutated_ids) {
    if (status) status = output.json(Map{{"_id", id}});
  }
  return status;
}

Status print_json(Output& output, QueryResult result, const std::string& statement) {
  Array items(std::make_move_iterator(result.items.begin()), std::make_move_iterator(result.items.end()));
  if (!writes(statement)) return output.json(items);
  Array ids(std::make_move_iterator(result.mutated_ids.begin()), std::make_move_iterator(result.mutated_ids.end()));
  Map written{{"mutated_ids", std::move(ids)}};
  if (!items.empty()) written.emplace("items", std::move(items));
  return output.json(written);
}

}  // namespace

Result<int> run_query(const QueryOptions& options) {
  auto parameters = parse_parameters(options.parameters);
  if (!parameters) return fail(parameters.error());
  remark_unused(*parameters, options.statement);
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  auto result = (*access)->execute(options.statement, *parameters);
  if (!result) return fail(result.error());
  for (const std::string& warning : result->warnings) say("warning: " + warning);
  const auto selected = selected_collection(options.statement);
  if (selected && result->items.empty()) {
    if (auto status = remark_if_unknown(**access, *selected); !status) return fail(status.error());
  }
  Output output;
  Status printed =
      options.json ? print_json(output, std::move(*result), options.statement) : print_lines(output, *result);
  if (printed) printed = output.flush();
  if (!printed) return fail(printed.error());
  return 0;
}

}  // namespace fermata::cli
