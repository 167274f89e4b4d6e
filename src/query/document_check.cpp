#include "query/document_check.hpp"

#include <fmt/format.h>
#include <fermata/database.hpp>

#include "base/cbor.hpp"
#include "base/utf8.hpp"
#include "query/counts.hpp"
#include "store/store.hpp"

namespace fermata::query {
namespace {

Status check_text(std::string_view text) {
  if (is_utf8(text)) return {};
  return fail(ErrorCode::InvalidArgument, "a document holds text that is not UTF-8; store it as Bytes");
}

Status check_level(const Value& value, std::size_t depth, std::size_t& values_left);

Status check_fields(const Map& map, std::size_t depth, std::size_t& values_left) {
  for (const auto& [name, value] : map) {
    if (auto checked = check_text(name); !checked) return checked;
    if (auto checked = check_level(value, depth, values_left); !checked) return checked;
  }
  return {};
}

Status check_level(const Value& value, std::size_t depth, std::size_t& values_left) {
  if (values_left == 0)
    return fail(ErrorCode::LimitExceeded, fmt::format("a document holds more than {} values; divide it", kMaxValues));
  --values_left;
  if (depth > kMaxDepth) return fail(ErrorCode::LimitExceeded, "a value nests deeper than 64 levels; make it flatter");
  if (const auto* text = value.if_a<std::string>()) return check_text(*text);
  if (const auto* map = value.if_a<Map>()) return check_fields(*map, depth + 1, values_left);
  if (const auto* array = value.if_a<Array>()) {
    for (const Value& element : *array) {
      if (auto checked = check_level(element, depth + 1, values_left); !checked) return checked;
    }
  }
  return {};
}

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
  std::size_t values_left = kMaxValues;
  if (auto checked = check_fields(document, 1, values_left); !checked) return fail(checked.error());
  made.fields = std::move(document);
  return made;
}

Status check_value(const Value& value) {
  std::size_t values_left = kMaxValues;
  return check_level(value, 1, values_left);
}

}  // namespace fermata::query

namespace fermata {

Status check_record(const DocumentRecord& record) {
  DocumentRecord copy = record;
  if (auto counts = query::take_counts(copy); !counts) return fail(counts.error());
  const auto document = query::check_document(std::move(copy.fields), [] { return std::string(); });
  if (!document) return fail(document.error());
  if (encode_value(Value(record.fields)).size() <= store::kMaxDocumentBytes) return {};
  return fail(ErrorCode::LimitExceeded,
              fmt::format("a document would take more than {} MiB; split it", store::kMaxDocumentBytes >> 20));
}

}  // namespace fermata
