// The script language: one command a line, what a user does with the phone and what is expected of the program.
// phone/README.md lists the commands. Empty lines and everything after a '#' at the start of a word are ignored.
#pragma once

#include <fermata/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "phone/policy.hpp"

namespace fermata::phone {

enum class Command : std::uint8_t {
  Wait,
  Background,
  Inactive,
  Foreground,
  Lock,
  Unlock,
  Call,
  Alarm,
  WaitCall,
  Route,
  MediaServicesReset,
  Condition,
  Airplane,
  Kill,
  Launch,
  Clock,
  Quit,
  Note,
  Expect,
  Repeat,
  End,
};
enum class Expected : std::uint8_t { Frozen, Running, Playing, Ended, Delivered, NoLocks };

struct Step {
  Command command = Command::Note;
  Millis duration{0};                     // Wait, Call, Alarm, Airplane, Expect; Clock: signed
  Expected expected = Expected::Running;  // Expect
  std::string name;                       // Route: lost, back, moved, killed; Condition: low_power and so on; Delivered
  std::string value;                      // Condition: as in the protocol line
  int times = 1;                          // Repeat
  std::string text;                       // Note; for the others the line as written
  int line = 0;                           // counted from 1
};

// One line; nothing for an empty one or a comment. Errors: Syntax, naming the line and what would be right.
[[nodiscard]] Result<std::optional<Step>> parse_script_line(std::string_view text, int line);

// Reads a script line by line and unrolls its repeat blocks, so that it never hands out Repeat or End.
class ScriptReader {
 public:
  // The steps that can be done now: none inside a block. Errors: Syntax.
  [[nodiscard]] Result<std::vector<Step>> read(std::string_view line);
  // At the end of the script. Errors: Syntax, when a block is still open.
  [[nodiscard]] Status finish() const;

 private:
  struct Block {
    Step repeat;
    std::vector<Step> steps;
  };
  [[nodiscard]] Result<std::vector<Step>> close_block(const Step& end);

  int line_ = 0;
  std::vector<Block> open_;
};

// A whole script. Errors: NotFound, Syntax, Io.
[[nodiscard]] Result<std::vector<Step>> load_script(const std::string& path);
[[nodiscard]] bool has_command(const std::vector<Step>& steps, Command command);
// "3s", "500ms", "1.5s", "2min", "1h". Errors: Syntax.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text);

}  // namespace fermata::phone
