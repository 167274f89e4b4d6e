#include "query/document_check.hpp"

#include "base/utf8.hpp"

namespace fermata::query {
namespace {

constexpr std::size_t kHeadBytes = 9;  // the longest head of a CBOR item

// Adds up the bound of a tree and stops at its first fault.
class Walk {
 public:
  Status value(const Value& value, std::size_t depth) {
    if (depth > kMaxDepth)
      return fail(ErrorCode::LimitExceeded, "a document nests deeper than 64 levels; make it flatter");
    bound_ += kHeadBytes;
    if (const auto* text = value.if_a<std::string>()) return string(*text);
    if (const auto* bytes = value.if_a<Bytes>()) bound_ += bytes->size();
    if (const auto* array = value.if_a<Array>()) {
      for (const Value& element : *array) {
        if (auto checked = this->value(element, depth + 1); !checked) return checked;
      }
    }
    if (const auto* inner = value.if_a<Map>()) return map(*inner, depth);
    return {};
  }

  Status map(const Map& map, std::size_t depth) {
    for (const auto& [key, inner] : map) {
      bound_ += kHeadBytes;
      if (auto checked = string(key); !checked) return checked;
      if (auto checked = value(inner, depth + 1); !checked) return checked;
    }
    return {};
  }

  [[nodiscard]] std::size_t bound() const { return bound_; }

 private:
  Status string(std::string_view text) {
    bound_ += text.size();
    if (is_utf8(text)) return {};
    return fail(ErrorCode::InvalidArgument, "a document holds text that is not UTF-8; store it as Bytes");
  }

  std::size_t bound_ = 0;
};

Status check_id(const Value& id) {
  const auto* text = id.if_a<std::string>();
  if (text == nullptr) return fail(ErrorCode::InvalidArgument, "_id must be text, not " + to_json(id).substr(0, 60));
  if (text->empty() || text->size() > kMaxIdBytes) {
    return fail(ErrorCode::InvalidArgument,
                "_id must have 1 to 512 bytes; this one has " + std::to_string(text->size()));
  }
  if (!is_utf8(*text)) return fail(ErrorCode::InvalidArgument, "_id must be UTF-8 text");
  return {};
}

}  // namespace

Result<NewDocument> check_document(Map document, const MakeId& make_id) {
  NewDocument made;
  if (auto id = document.extract(std::string(kIdField)); !id.empty()) {
    if (auto checked = check_id(id.mapped()); !checked) return fail(checked.error());
    made.id = std::move(*id.mapped().if_a<std::string>());
  } else {
    made.id = make_id();
  }
  Walk walk;
  if (auto checked = walk.map(document, 1); !checked) return fail(checked.error());
  if (walk.bound() > kMaxDocumentBytes) {
    if (auto checked = check_encoded_size(made.id, document); !checked) return fail(checked.error());
  }
  made.fields = std::move(document);
  return made;
}

Result<std::size_t> check_value(const Value& value) {
  Walk walk;
  if (auto checked = walk.value(value, 1); !checked) return fail(checked.error());
  return walk.bound();
}

Status check_encoded_size(std::string_view id, Map fields) {
  const std::size_t size = encode_value(Value(std::move(fields))).size();
  if (size <= kMaxDocumentBytes) return {};
  return fail(ErrorCode::LimitExceeded, "document \"" + std::string(id) + "\" would have " + std::to_string(size) +
                                            " bytes, more than 16 MiB; split it");
}

}  // namespace fermata::query
