#include "cli/options.hpp"
#include "phone/phone.hpp"

namespace fermata::cli {

Result<int> run_phone(const PhoneOptions& options) {
  auto policy = phone::load_policy(options.policy);
  if (!policy) return fail(policy.error());
  return phone::run_phone({.policy = std::move(*policy),
                           .script_path = options.script,
                           .program = options.program,
                           .events_path = options.events,
                           .time_scale = options.time_scale,
                           .seed = options.seed,
                           .clock = options.clock,
                           .pulse_server = options.pulse_server,
                           .json_path = options.json,
                           .svg_path = options.svg,
                           .timeline = options.timeline,
                           .quiet = options.quiet});
}

}  // namespace fermata::cli
