#include "base/utf8.hpp"
#include "query/parser.hpp"

namespace fermata::query {

Status check_collection_name(std::string_view name) {
  constexpr std::size_t kMaxBytes = 128;
  if (name.empty() || name.size() > kMaxBytes || !is_utf8(name)) {
    return fail(ErrorCode::InvalidArgument, "the name of a collection is 1 to 128 bytes of UTF-8 text; this one has " +
                                                std::to_string(name.size()) + " bytes");
  }
  if (name.starts_with("__")) {
    return fail(ErrorCode::InvalidArgument,
                "collection \"" + std::string(name) + "\": names that start with __ are reserved; choose another");
  }
  return {};
}

std::string_view sign_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::Equal:
      return " = ";
    case Comparison::NotEqual:
      return " != ";
    case Comparison::Less:
      return " < ";
    case Comparison::LessOrEqual:
      return " <= ";
    case Comparison::Greater:
      return " > ";
    case Comparison::GreaterOrEqual:
      return " >= ";
  }
  return " = ";
}

}  // namespace fermata::query
