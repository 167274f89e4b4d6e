// A compiled statement of the query language, and the matcher that decides whether one document satisfies its WHERE.
// The same predicate also becomes SQL; a property test holds the two together. Pure; immutable once parsed, so shared
// freely.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "query/equality.hpp"

namespace fermata::query {

struct Expression;  // the syntax tree, in query/ast.hpp

// The part of a SELECT that subscriptions use: a collection and a predicate.
class Predicate {
 public:
  // Accepts `SELECT * FROM c [WHERE …]` only: ORDER BY and LIMIT are refused with InvalidArgument, because what a peer
  // should send must not depend on what it does not have. Errors: Syntax with a caret, InvalidArgument for a missing
  // parameter.
  [[nodiscard]] static Result<Predicate> parse(std::string_view select, const Map& parameters);

  [[nodiscard]] const std::string& collection() const { return collection_; }
  [[nodiscard]] bool matches_everything() const { return where_ == nullptr; }  // collection-wide
  // `view` without "_id". NULL and missing are not a match.
  [[nodiscard]] bool matches(std::string_view id, const Map& view) const;
  // A `path = constant` that stands alone or in an AND at the top: what does not satisfy it does not match. Nothing if
  // there is none.
  [[nodiscard]] std::optional<Equality> equality() const;
  // Equal for queries that differ only in spaces, keyword case or how parameters were bound.
  [[nodiscard]] std::uint64_t key() const { return key_; }
  // The normalised statement with its parameters in place; parse(text(), {}) gives an equal predicate.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string collection_;
  std::shared_ptr<const Expression> where_;
  std::string text_;
  std::uint64_t key_ = 0;
};

}  // namespace fermata::query
