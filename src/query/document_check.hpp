// What a document must be before it is written.
#pragma once

#include "crdt/document.hpp"
#include "query/mutation.hpp"

namespace fermata::query {

struct NewDocument {
  std::string id;
  Map fields;  // without "_id"
};

// Of a document that is inserted, and of a value that is set.
inline constexpr std::size_t kMaxValues = crdt::kMaxValues;

// Takes "_id" off the fields, or makes one. Errors: InvalidArgument, LimitExceeded.
[[nodiscard]] Result<NewDocument> check_document(Map document, const MakeId& make_id);

// Errors: InvalidArgument for text that is not UTF-8, LimitExceeded deeper than kMaxDepth or beyond kMaxValues.
[[nodiscard]] Status check_value(const Value& value);

}  // namespace fermata::query
