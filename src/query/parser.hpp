// Text to trees. Safe on hostile text: length, nesting and the number of values are limited.
#pragma once

#include "query/ast.hpp"

namespace fermata::query {

inline constexpr std::size_t kMaxStatementBytes = 1u << 20;   // what an app may write
inline constexpr std::size_t kMaxPredicateBytes = 64u << 10;  // what a peer may send

// A statement that has been read, with places for its parameters. Immutable and cheap to copy.
class SyntaxTree {
 public:
  // Errors: Syntax (line, column, the source line and a caret), LimitExceeded.
  [[nodiscard]] static Result<SyntaxTree> parse(std::string_view text, std::size_t max_bytes = kMaxStatementBytes);
  // The statement with these parameters. Errors: Syntax (an unknown function), InvalidArgument (a missing or unsuitable
  // parameter, a reserved name, what can never work), LimitExceeded.
  [[nodiscard]] Result<Statement> bind(const Map& parameters) const;

 private:
  struct Parsed;
  explicit SyntaxTree(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
  std::shared_ptr<const Parsed> parsed_;
};

// One statement with its parameters put in place. Errors: Syntax (line, column, the source line and a caret),
// InvalidArgument (a missing or unsuitable parameter, a reserved name), LimitExceeded.
[[nodiscard]] Result<Statement> parse_statement(std::string_view text, const Map& parameters,
                                                std::size_t max_bytes = kMaxStatementBytes);

// Whether a name can stand in a statement without double quotes.
[[nodiscard]] bool is_plain_name(std::string_view name);

// A collection that apps may use: 1 to 128 bytes of UTF-8, not starting with "__".
[[nodiscard]] Status check_collection_name(std::string_view name);

}  // namespace fermata::query
