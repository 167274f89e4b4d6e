#include <algorithm>
#include <vector>

#include "query/syntax_error.hpp"

namespace fermata::query {
namespace {

constexpr std::string_view kWords[] = {"select",  "from",      "where",
                                       "order",   "group",     "having",
                                       "limit",   "offset",    "insert",
                                       "into",    "documents", "conflict",
                                       "nothing", "update",    "increment",
                                       "unset",   "delete",    "evict",
                                       "between", "like",      "contains",
                                       "match",   "missing",   "distinct",
                                       "inner",   "left",      "join",
                                       "every",   "satisfies", "returning",
                                       "create",  "drop",      "show",
                                       "explain", "fulltext",  "index",
                                       "indexes", "exists",    "update_local_diff",
                                       "true",    "false",     "null"};

// Longer words are nobody's slip.
constexpr std::size_t kLongest = 32;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// How many letters to insert, leave out, replace, or exchange with their neighbour (restricted Damerau-Levenshtein).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> best(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) {
    for (std::size_t k = 0; k <= to.size(); ++k) {
      if (i == 0 || k == 0) {
        best[i][k] = i + k;
        continue;
      }
      const std::size_t change = from[i - 1] == to[k - 1] ? 0 : 1;
      best[i][k] = std::min({best[i - 1][k] + 1, best[i][k - 1] + 1, best[i - 1][k - 1] + change});
      const bool swapped = i > 1 && k > 1 && from[i - 1] == to[k - 2] && from[i - 2] == to[k - 1];
      if (swapped) best[i][k] = std::min(best[i][k], best[i - 2][k - 2] + 1);
    }
  }
  return best[from.size()][to.size()];
}

// One slip in a short word, two in a longer one.
std::size_t allowed(std::string_view word) {
  return word.size() < 3 ? 0 : word.size() < 6 ? 1 : 2;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t least = allowed(word) + 1;
  if (word.size() > kLongest) return best;
  for (const std::string_view candidate : candidates) {
    const std::size_t slips = distance(word, candidate);
    if (slips >= least) continue;
    least = slips;
    best = candidate;
  }
  return least == 0 ? std::string_view() : best;
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view meant = nearest(word, candidates);
  return meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?";
}

std::string suggest_keyword(std::string_view text, std::size_t offset) {
  std::string word;
  for (std::size_t i = offset; i < text.size() && is_word(text[i]); ++i) word += lower(text[i]);
  std::string meant(nearest(word, kWords));
  for (char& c : meant) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return meant.empty() ? std::string() : "; did you mean " + meant + "?";
}

}  // namespace fermata::query
