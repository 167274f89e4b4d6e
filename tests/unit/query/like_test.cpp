#include "query/like.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace fermata::query {
namespace {

char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t character_size(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

// What LIKE means, by trying everything.
bool plainly_like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (std::size_t at = 0; at < text.size(); at += character_size(text, at)) {
      if (plainly_like(text.substr(at), pattern.substr(1))) return true;
    }
    return plainly_like({}, pattern.substr(1));
  }
  if (text.empty()) return false;
  if (pattern[0] == '_') return plainly_like(text.substr(character_size(text, 0)), pattern.substr(1));
  return fold(pattern[0]) == fold(text[0]) && plainly_like(text.substr(1), pattern.substr(1));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

// Few letters, so that much matches in part; characters of one to four bytes.
rc::Gen<std::string> letters(const std::vector<std::string>& more, int most) {
  std::vector<std::string> alphabet{"a", "A", "b", "a", "ab", "\u00e9", "\u20ac", "\U0001f3b5", "[", "{"};
  alphabet.insert(alphabet.end(), more.begin(), more.end());
  return rc::gen::map(rc::gen::mapcat(rc::gen::inRange(0, most),
                                      [alphabet](int size) {
                                        return rc::gen::container<std::vector<std::string>>(
                                            static_cast<std::size_t>(size), rc::gen::elementOf(alphabet));
                                      }),
                      joined);
}

RC_GTEST_PROP(Like, IsWhatTryingEverythingFinds, ()) {
  const std::string text = *letters({"%", "_"}, 16);
  const std::string pattern = *letters({"%", "%", "%", "_", "_", "_"}, 8);
  RC_TAG(plainly_like(text, pattern));
  RC_ASSERT(like_text(text, pattern) == plainly_like(text, pattern));
  RC_ASSERT(like_text(text, pattern, 0) == plainly_like(text, pattern));
}

// Made from the text, so that they match, across the words of 64 bits that are followed at once.
RC_GTEST_PROP(Like, FindsWhatIsThere, ()) {
  const std::string part = *letters({}, 150);
  const std::string text = *letters({}, 100) + part + *letters({}, 100);
  std::string pattern;
  for (std::size_t at = 0; at < part.size(); at += character_size(part, at)) {
    pattern += *rc::gen::inRange(0, 4) == 0 ? "_" : part.substr(at, character_size(part, at));
  }
  RC_ASSERT(like_text(text, "%" + pattern + "%"));
  RC_ASSERT(like_text(text, "%" + pattern + "%", 0));
  RC_ASSERT(like_text(part, pattern));
  RC_ASSERT(like_text(part + text, "%" + pattern + "%_%") == (text.size() > 0));
}

TEST(Like, LeavesNoRoomToPartsThatOverlap) {
  EXPECT_FALSE(like_text("ab", "ab%b"));
  EXPECT_FALSE(like_text("aba", "%ab%ba%"));
  EXPECT_TRUE(like_text("abab", "ab%ab"));
  EXPECT_TRUE(like_text("\u00e9\u00e9", "_%_"));
  EXPECT_FALSE(like_text("\u00e9", "_%_"));
  EXPECT_FALSE(like_text("\u00e9", "__"));
}

// Going back to each place of the text where the part may begin, and along all of the part from there, took minutes.
TEST(Like, GoesThroughALongTextOnce) {
  const std::string text(1u << 20, 'a');
  const std::string half(500, 'a');
  EXPECT_FALSE(like_text(text, "%" + half + half + "b%"));
  EXPECT_FALSE(like_text(text, "%" + half + "_" + half + "b%"));
  EXPECT_FALSE(like_text(text, "%" + half + "b%" + half));
  EXPECT_TRUE(like_text(text + "b", "%" + half + "_" + half + "b%"));
}

}  // namespace
}  // namespace fermata::query
