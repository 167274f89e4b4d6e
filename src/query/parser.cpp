#include "query/parser.hpp"

#include <tao/pegtl.hpp>

#include "base/utf8.hpp"
#include "query/builder.hpp"
#include "query/grammar_control.hpp"
#include "query/syntax_error.hpp"

namespace fermata::query {
namespace {

namespace g = grammar;

// What limit_depth says; every other text of a parse error is one of `expected`.
constexpr std::string_view kTooDeep = "maximum parser rule nesting depth exceeded";

Error describe_error(std::string_view text, const tao::pegtl::parse_error& error) {
  const std::size_t offset = error.positions().front().byte;
  const std::string_view what = error.message();
  if (what == kTooDeep) {
    return {ErrorCode::LimitExceeded, "the statement is nested deeper than 64 levels" + mark_position(text, offset)};
  }
  return {ErrorCode::Syntax,
          "expected " + std::string(what) + suggest_keyword(text, offset) + mark_position(text, offset)};
}

}  // namespace

// The tree points into the text.
struct SyntaxTree::Parsed {
  std::string text;
  std::unique_ptr<Node> root;
};

Result<SyntaxTree> SyntaxTree::parse(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return fail(ErrorCode::LimitExceeded, "the statement has " + std::to_string(text.size()) + " bytes, more than " +
                                              std::to_string(max_bytes) + "; pass large values as parameters");
  }
  if (!is_utf8(text)) return fail(ErrorCode::Syntax, "the statement is not UTF-8 text");
  auto parsed = std::make_shared<Parsed>();
  parsed->text = text;
  tao::pegtl::memory_input<tao::pegtl::tracking_mode::lazy> input(parsed->text, "");
  try {
    parsed->root = tao::pegtl::parse_tree::parse<g::statement, g::selector, g::action, g::control>(input);
  } catch (const tao::pegtl::parse_error& error) {
    return fail(describe_error(text, error));
  }
  return SyntaxTree(std::move(parsed));
}

Result<Statement> SyntaxTree::bind(const Map& parameters) const {
  return Builder(parsed_->text, parameters).build(*parsed_->root->children.front());
}

Result<Statement> parse_statement(std::string_view text, const Map& parameters, std::size_t max_bytes) {
  const auto tree = SyntaxTree::parse(text, max_bytes);
  if (!tree) return fail(tree.error());
  return tree->bind(parameters);
}

bool is_plain_name(std::string_view name) {
  tao::pegtl::memory_input<tao::pegtl::tracking_mode::lazy> input(name.data(), name.size(), "");
  return tao::pegtl::parse<g::bare_name>(input);
}

}  // namespace fermata::query
