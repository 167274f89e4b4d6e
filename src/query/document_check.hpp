// What a document must be before it is written.
#pragma once

#include "query/mutation.hpp"

namespace fermata::query {

struct NewDocument {
  std::string id;
  Map fields;  // without "_id"
};

// Takes "_id" off the fields, or makes one. Errors: InvalidArgument, LimitExceeded.
[[nodiscard]] Result<NewDocument> check_document(Map document, const MakeId& make_id);

// An upper bound of the value's encoded size. Errors: InvalidArgument for text that is not UTF-8, LimitExceeded deeper
// than kMaxDepth.
[[nodiscard]] Result<std::size_t> check_value(const Value& value);

// Error: LimitExceeded.
[[nodiscard]] Status check_encoded_size(std::string_view id, Map fields);

}  // namespace fermata::query
