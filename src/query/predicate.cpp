#include "query/predicate.hpp"

#include "base/hash.hpp"
#include "query/literals.hpp"
#include "query/matcher.hpp"
#include "query/parser.hpp"

namespace fermata::query {

Result<Predicate> Predicate::parse(std::string_view select, const Map& parameters) {
  auto statement = parse_statement(select, parameters, kMaxPredicateBytes);
  if (!statement) return fail(statement.error());
  auto* parsed = std::get_if<SelectStatement>(&*statement);
  if (parsed == nullptr) return fail(ErrorCode::InvalidArgument, "a subscription is a SELECT, not another statement");
  if (!parsed->order.empty() || parsed->limit || parsed->offset) {
    return fail(ErrorCode::InvalidArgument,
                "a subscription cannot have ORDER BY or LIMIT: what a peer should send must not depend on what it does "
                "not have; subscribe without them and use them in your own SELECT");
  }
  if (!is_plain(*parsed)) {
    return fail(
        ErrorCode::InvalidArgument,
        "a subscription is SELECT * FROM c [WHERE …] without MATCH: whole documents travel, each for itself; use "
        "the rest of the language in your own SELECT");
  }
  auto text = write_select(parsed->collection, parsed->where);
  if (!text) return fail(text.error());
  // Parameters may be too long or too deep to stand in the text, and the text is what travels.
  if (!parameters.empty()) {
    if (auto again = parse_statement(*text, {}, kMaxPredicateBytes); !again) return fail(again.error());
  } else if (text->size() > kMaxPredicateBytes) {
    return fail(ErrorCode::LimitExceeded, "the subscription is longer than 65536 bytes");
  }
  Predicate predicate;
  predicate.collection_ = std::move(parsed->collection);
  predicate.where_ = std::move(parsed->where);
  predicate.text_ = std::move(*text);
  predicate.key_ = hash64(as_bytes(predicate.text_));
  return predicate;
}

bool Predicate::matches(std::string_view id, const Map& view) const {
  return query::matches(where_, {id, view});
}

}  // namespace fermata::query
