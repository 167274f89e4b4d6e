// Text to statements, as an app writes them and a peer's subscription brings them: what parses as a condition has one
// normal text, which means the same.
#include "check.hpp"
#include "query/literals.hpp"
#include "query/matcher.hpp"
#include "query/parser.hpp"

namespace fermata::query {
namespace {

const Map& parameters() {
  static const Map all{{"a", 1}, {"b", "text"}, {"c", Array{1, "x", nullptr}}, {"d", Map{{"_id", "1"}, {"n", 2.5}}}};
  return all;
}

const Map& document() {
  static const Map fields{{"a", 1}, {"b", "ab"}, {"c", Array{1, Map{{"x", 2}}}}, {"m", Map{{"p", nullptr}}}};
  return fields;
}

void normalise(const SelectStatement& select) {
  if (!is_plain(select)) return;
  const auto text = write_select(select.collection, select.where);
  if (!text) return;  // bytes and the like have none
  const auto again = parse_statement(*text, {});
  if (!again) {
    // Written out it may be larger than what may be read; nothing else.
    FUZZ_EXPECT(again.error().code == ErrorCode::LimitExceeded);
    return;
  }
  const auto* same = std::get_if<SelectStatement>(&*again);
  FUZZ_EXPECT(same != nullptr && same->collection == select.collection);
  FUZZ_EXPECT(write_select(same->collection, same->where).value() == *text);
  FUZZ_EXPECT(matches(same->where, {"1", document()}) == matches(select.where, {"1", document()}));
}

}  // namespace
}  // namespace fermata::query

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fermata;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto statement = query::parse_statement(text, query::parameters());
  if (!statement) {
    FUZZ_EXPECT(!statement.error().message.empty());
    return 0;
  }
  if (const auto* select = std::get_if<query::SelectStatement>(&*statement)) query::normalise(*select);
  return 0;
}
