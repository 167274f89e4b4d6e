#include "cli/statement.hpp"

#include <algorithm>
#include <cctype>

namespace fermata::cli {
namespace {

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

bool take_keyword(std::string_view& text, std::string_view keyword) {
  skip_space(text);
  if (!equal_ignoring_case(text.substr(0, keyword.size()), keyword)) return false;
  text.remove_prefix(keyword.size());
  return true;
}

// A name in double quotes writes a quote inside it twice.
std::string take_quoted(std::string_view text) {
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"' && (i + 1 == text.size() || text[++i] != '"')) break;
    name += text[i];
  }
  return name;
}

}  // namespace

std::optional<std::string> selected_collection(std::string_view statement) {
  const bool is_select =
      take_keyword(statement, "select") && take_keyword(statement, "*") && take_keyword(statement, "from");
  if (!is_select) return std::nullopt;
  skip_space(statement);
  if (statement.starts_with('"')) return take_quoted(statement);
  const auto end = std::find_if_not(statement.begin(), statement.end(), is_word);
  return std::string(statement.begin(), end);
}

bool writes(std::string_view statement) {
  constexpr std::string_view kWriting[] = {"insert", "update", "delete", "evict", "create", "drop"};
  return std::any_of(std::begin(kWriting), std::end(kWriting),
                     [&](std::string_view word) { return take_keyword(statement, word); });
}

bool mentions_parameter(std::string_view statement, std::string_view name) {
  const std::string wanted = ":" + std::string(name);
  for (auto at = statement.find(wanted); at != std::string_view::npos; at = statement.find(wanted, at + 1)) {
    const auto end = at + wanted.size();
    if (end == statement.size() || !is_word(statement[end])) return true;
  }
  return false;
}

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace fermata::cli
