#include "cli/access.hpp"
#include "cli/options.hpp"
#include "cli/parameters.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

// How a watch that has printed enough ends itself; never shown.
const Error kEnough{ErrorCode::Closed, ""};

}  // namespace

Result<int> run_watch(const WatchOptions& options) {
  auto parameters = parse_parameters(options.parameters);
  if (!parameters) return fail(parameters.error());
  remark_unused(*parameters, options.select);
  const Signals signals;
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  Output output;
  std::uint64_t printed = 0;
  const auto print = [&](const Map& change) -> Status {
    Status status = output.json(change);
    if (status) status = output.flush();
    if (status && ++printed == options.count) return fail(kEnough);
    return status;
  };
  const auto ready = [] { say("watching; end with Ctrl-C"); };
  auto status = (*access)->watch(options.select, *parameters, {ready, print, signals.fd()});
  if (!status) return fail(status.error());
  return 0;
}

}  // namespace fermata::cli
