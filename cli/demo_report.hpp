// The demo's result: a table for people, JSON for machines, a picture for a web page.
#pragma once

#include <string>

#include "cli/demo_record.hpp"

namespace fermata::cli {

[[nodiscard]] std::string demo_table(const DemoRecord& record);
// One object:
//   {"initial":{"documents","seconds"},
//    "acts":[{"name","written","delivered_during","lost","p50_ms","p99_ms"}…],  delays null when nothing was delivered
//    "catch_up":{"ms","round_trips"}, "interruptions":{"seen","recovered"},
//    "wakeups_per_s":{"client","server"}, "means":{"suspend","reclaim","audio"}}
[[nodiscard]] std::string demo_json(const DemoRecord& record);
[[nodiscard]] std::string demo_svg(const DemoRecord& record);

}  // namespace fermata::cli
