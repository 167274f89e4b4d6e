// The demo's result: a table for people, JSON for machines, a picture for a web page.
#pragma once

#include <string>

#include "cli/demo_record.hpp"

namespace fermata::cli {

[[nodiscard]] std::string demo_table(const DemoRecord& record);
// One object; its shape is documented in docs/DEMO.md.
[[nodiscard]] std::string demo_json(const DemoRecord& record);
[[nodiscard]] std::string demo_svg(const DemoRecord& record);

}  // namespace fermata::cli
