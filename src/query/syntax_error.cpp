#include "query/syntax_error.hpp"

#include <algorithm>

namespace fermata::query {
namespace {

constexpr std::size_t kShownBefore = 60;
constexpr std::size_t kShownAfter = 40;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

std::size_t characters(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

// Tabs stay tabs, so that the caret stands right whatever their width; other control characters would move it.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = ' ';
  }
  return out;
}

std::string padding(std::string_view before) {
  std::string out;
  for (const char c : before) {
    if (c == '\t') {
      out += '\t';
    } else if (!continues_character(c)) {
      out += ' ';
    }
  }
  return out;
}

}  // namespace

std::string mark_position(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view head = text.substr(0, offset);
  const std::size_t break_before = head.rfind('\n');
  const std::size_t begin = break_before == std::string_view::npos ? 0 : break_before + 1;
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  const auto line_number = std::count(head.begin(), head.end(), '\n') + 1;

  std::size_t from = offset - begin > kShownBefore ? offset - kShownBefore : begin;
  while (from > begin && continues_character(text[from])) --from;
  std::size_t to = end - offset > kShownAfter ? offset + kShownAfter : end;
  while (to < end && continues_character(text[to])) ++to;
  const std::string lead = from > begin ? "…" : "";

  return " at line " + std::to_string(line_number) + ", column " +
         std::to_string(characters(text.substr(begin, offset - begin)) + 1) + ":\n  " + lead +
         printable(text.substr(from, to - from)) + (to < end ? "…" : "") + "\n  " + padding(lead) +
         padding(text.substr(from, offset - from)) + "^";
}

}  // namespace fermata::query
