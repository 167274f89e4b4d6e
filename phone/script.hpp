// The script language: one command a line, what a user does with the phone.
//   wait 3s | wait 500ms     background     foreground     call 8s     wait-call     quit     note TEXT
//   expect frozen|running|playing|ended within 3s
// Empty lines and everything after a '#' at the start of a word are ignored.
#pragma once

#include <fermata/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "phone/policy.hpp"

namespace fermata::phone {

enum class Command : std::uint8_t { Wait, Background, Foreground, Call, WaitCall, Quit, Note, Expect };
enum class Expected : std::uint8_t { Frozen, Running, Playing, Ended };

struct Step {
  Command command = Command::Note;
  Millis duration{0};                     // Wait, Call, Expect
  Expected expected = Expected::Running;  // Expect
  std::string text;                       // Note; for the others the line as written
  int line = 0;                           // counted from 1
};

// One line; nothing for an empty one or a comment. Errors: Syntax, naming the line and what would be right.
[[nodiscard]] Result<std::optional<Step>> parse_script_line(std::string_view text, int line);
// A whole script. Errors: NotFound, Syntax.
[[nodiscard]] Result<std::vector<Step>> load_script(const std::string& path);
// "3s", "500ms", "1.5s", "2min". Errors: Syntax.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text);

}  // namespace fermata::phone
