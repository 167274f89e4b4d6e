#include "query/like.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace fermata::query {
namespace {

using std::size_t;

char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Not the first byte of a character.
bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

size_t end_of_character(std::string_view text, size_t at) {
  ++at;
  while (at < text.size() && continues(text[at])) ++at;
  return at;
}

// Where `part`, which has no %, ends if the text begins with it.
std::optional<size_t> end_of_prefix(std::string_view text, std::string_view part) {
  size_t at = 0;
  for (const char c : part) {
    if (at == text.size() || (c != '_' && fold(c) != fold(text[at]))) return std::nullopt;
    at = c == '_' ? end_of_character(text, at) : at + 1;
  }
  return at;
}

// Where `part` begins if the text ends with it.
std::optional<size_t> start_of_suffix(std::string_view text, std::string_view part) {
  size_t at = text.size();
  for (auto c = part.rbegin(); c != part.rend(); ++c) {
    if (at == 0) return std::nullopt;
    --at;
    if (*c != '_' && fold(*c) != fold(text[at])) return std::nullopt;
    while (*c == '_' && at > 0 && continues(text[at])) --at;
  }
  return at;
}

// Finds a part of a pattern that stands between two %. Every place where it may have begun is followed at once, a bit
// for each byte of the part that the text up to here may end with: no text makes it go back.
class Search {
 public:
  explicit Search(std::string_view part)
      : ends_with_any_(part.back() == '_'),
        last_(part.size() - 1),
        words_(part.size() / kBits + 1),
        any_(words_),
        masks_(kFirstOwnRow * words_) {
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '_') any_[i / kBits] |= bit(i);
    }
    std::copy(any_.begin(), any_.end(), masks_.begin());
    for (int c = 0x80; c < 0xc0; ++c) rows_[static_cast<size_t>(c)] = kContinuation;
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] != '_') masks_[row_of(part[i]) * words_ + i / kBits] |= bit(i);
    }
  }

  // Where the first occurrence to end ends.
  [[nodiscard]] std::optional<size_t> first_end(std::string_view text) const {
    if (words_ == 1) return first_end_of_few(text);
    std::vector<std::uint64_t> state(words_);
    size_t active = 1;  // words of it that may hold a bit
    for (size_t at = 0; at < text.size(); ++at) {
      step(state, active, text[at]);
      if ((state[last_ / kBits] & bit(last_)) != 0) return ends_with_any_ ? end_of_character(text, at) : at + 1;
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t kBits = 64;
  // Rows of masks: which bytes of the part a byte of the text fits. Two are of bytes that the part does not name.
  static constexpr std::uint8_t kContinuation = 1, kFirstOwnRow = 2;

  static std::uint64_t bit(size_t place) { return std::uint64_t{1} << (place % kBits); }

  // The same with a single word, as most have.
  [[nodiscard]] std::optional<size_t> first_end_of_few(std::string_view text) const {
    std::uint64_t state = 0;
    for (size_t at = 0; at < text.size(); ++at) {
      const std::uint64_t stays = continues(text[at]) ? state & any_[0] : 0;
      state = ((state << 1 | 1) & masks_[rows_[static_cast<unsigned char>(text[at])]]) | stays;
      if ((state & bit(last_)) != 0) return ends_with_any_ ? end_of_character(text, at) : at + 1;
    }
    return std::nullopt;
  }

  // Made when first asked for. Folding leaves fewer bytes than a row's number can tell apart.
  size_t row_of(char c) {
    const auto byte = static_cast<unsigned char>(fold(c));
    if (rows_[byte] >= kFirstOwnRow) return rows_[byte];
    const auto row = static_cast<std::uint8_t>(++rows_made_);
    masks_.resize((size_t{row} + 1) * words_);
    if (!continues(c)) std::copy(any_.begin(), any_.end(), masks_.end() - static_cast<std::ptrdiff_t>(words_));
    rows_[byte] = row;
    if (byte >= 'a' && byte <= 'z') rows_[byte - 'a' + 'A'] = row;
    return row;
  }

  void step(std::vector<std::uint64_t>& state, size_t& active, char c) const {
    const std::uint64_t* fits = masks_.data() + rows_[static_cast<unsigned char>(c)] * words_;
    const bool stays = continues(c);  // a character that _ took in goes on
    std::uint64_t carry = 1;          // it may begin anywhere
    for (size_t i = 0; i < active; ++i) {
      const std::uint64_t before = state[i];
      state[i] = ((before << 1 | carry) & fits[i]) | (stays ? before & any_[i] : 0);
      carry = before >> (kBits - 1);
    }
    if (carry != 0 && active < words_) {
      state[active] = carry & fits[active];
      ++active;
    }
    while (active > 1 && state[active - 1] == 0) --active;
  }

  bool ends_with_any_;
  size_t last_, words_, rows_made_ = kFirstOwnRow - 1;
  std::vector<std::uint64_t> any_, masks_;
  std::array<std::uint8_t, 256> rows_{};
};

std::optional<size_t> first_end_tried(std::string_view text, std::string_view part) {
  const char first = fold(part[0]);
  for (size_t at = 0; at < text.size(); ++at) {
    if (first == '_' ? continues(text[at]) : first != fold(text[at])) continue;
    if (const auto end = end_of_prefix(text.substr(at), part)) return at + *end;
  }
  return std::nullopt;
}

}  // namespace

// What stands before the first % and after the last is bound to its place; each part between them may as well be where
// it comes first, which leaves the others the most room.
bool like_text(std::string_view text, std::string_view pattern, size_t little) {
  const size_t first = pattern.find('%');
  const auto start = end_of_prefix(text, pattern.substr(0, first));
  if (!start || first == std::string_view::npos) return start && *start == text.size();
  text.remove_prefix(*start);
  const size_t last = pattern.rfind('%');
  const auto end = start_of_suffix(text, pattern.substr(last + 1));
  if (!end) return false;
  text = text.substr(0, *end);
  for (size_t percent = first; percent < last;) {
    const size_t next = pattern.find('%', percent + 1);
    const std::string_view part = pattern.substr(percent + 1, next - percent - 1);
    percent = next;
    if (part.empty()) continue;
    const bool is_little = text.size() <= little / part.size();
    const auto found = is_little ? first_end_tried(text, part) : Search(part).first_end(text);
    if (!found) return false;
    text.remove_prefix(*found);
  }
  return true;
}

}  // namespace fermata::query
