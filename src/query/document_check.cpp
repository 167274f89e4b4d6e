#include "query/document_check.hpp"

#include <fmt/format.h>

#include <fermata/database.hpp>
#include <limits>

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

// So much an item of the encoding takes at most, without what is in it.
constexpr std::size_t kItemBytes = 16;

// Looks through a document, or through a value that one shall have, and weighs it meanwhile.
class Examination {
 public:
  Status document(const Map& map) {
    for (const auto& [name, value] : map) {
      if (auto examined = name == kIdField ? check_id(value) : field(name, value, 1); !examined) return examined;
    }
    return {};
  }

  Status value(const Value& value, std::size_t depth) {
    if (values_left_ == 0)
      return fail(ErrorCode::LimitExceeded, fmt::format("a document holds more than {} values; divide it", kMaxValues));
    --values_left_;
    if (depth > kMaxDepth)
      return fail(ErrorCode::LimitExceeded, "a value nests deeper than 64 levels; make it flatter");
    bytes_ += kItemBytes;
    if (const auto* map = value.if_a<Map>()) return fields(*map, depth + 1);
    if (const auto* array = value.if_a<Array>()) return elements(*array, depth + 1);
    if (const auto* text = value.if_a<std::string>()) {
      bytes_ += text->size();
      return check_text(*text);
    }
    if (const auto* bytes = value.if_a<Bytes>()) bytes_ += bytes->size();
    if (value.if_a<Attachment>() != nullptr) bytes_ += kAttachmentBytes;
    return {};
  }

  // What it takes at most, encoded.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kAttachmentBytes = kMaxMetadataBytes + (2 * kMaxMetadataEntries + 8) * kItemBytes;

  Status fields(const Map& map, std::size_t depth) {
    if (map.empty()) bytes_ += kItemBytes + path_bytes_;  // among the metadata, with its path
    for (const auto& [name, value] : map) {
      if (auto examined = field(name, value, depth); !examined) return examined;
    }
    return {};
  }

  Status field(const std::string& name, const Value& value, std::size_t depth) {
    if (auto checked = check_text(name); !checked) return checked;
    const std::size_t name_bytes = kItemBytes + name.size();
    bytes_ += name_bytes;
    path_bytes_ += name_bytes;
    auto examined = this->value(value, depth);
    path_bytes_ -= name_bytes;
    return examined;
  }

  Status elements(const Array& array, std::size_t depth) {
    for (const Value& element : array) {
      if (auto examined = value(element, depth); !examined) return examined;
    }
    return {};
  }

  std::size_t values_left_ = kMaxValues;
  std::size_t bytes_ = 0, path_bytes_ = 0;
};

// Of the metadata: of each counter its path and what was counted, and what is there once.
std::size_t most_metadata_bytes(const Counts& counts) {
  std::size_t bytes = 16 * kItemBytes;
  for (const auto& [path, number] : counts) {
    bytes += 4 * kItemBytes;
    for (const std::string& name : path) bytes += kItemBytes + name.size();
  }
  return bytes;
}

// As it would be inserted by the largest commit that can be.
Result<std::size_t> stored_bytes(Map fields, const Counts& counts) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const crdt::Commit commit{.dot = {kLargest, kLargest}, .stamp = {crdt::kMaxStamp.value / 2}, .local_seq = kLargest};
  fields.erase(std::string(kIdField));
  take_counts(fields, counts);
  crdt::Document document;
  if (auto inserted = document.insert(fields, commit); !inserted) return fail(inserted.error());
  for (const auto& [path, number] : counts) {
    if (auto counted = document.increment(path, number, commit); !counted) return fail(counted.error());
  }
  return document.encode_body().size() + document.encode_metadata().size();
}

}  // namespace

Result<NewDocument> check_document(Map document, const MakeId& make_id) {
  if (auto examined = Examination().document(document); !examined) return fail(examined.error());
  NewDocument made;
  if (auto id = document.extract(std::string(kIdField)); !id.empty()) {
    made.id = std::move(*id.mapped().if_a<std::string>());
  } else {
    made.id = make_id();
  }
  made.fields = std::move(document);
  return made;
}

Status check_value(const Value& value) {
  return Examination().value(value, 1);
}

}  // namespace fermata::query

namespace fermata {

Status check_record(const DocumentRecord& record) {
  const auto counts = query::counts_in(record);
  if (!counts) return fail(counts.error());
  query::Examination examination;
  if (auto examined = examination.document(record.fields); !examined) return examined;
  if (examination.bytes() + query::most_metadata_bytes(*counts) <= store::kMaxDocumentBytes) return {};
  const auto bytes = query::stored_bytes(record.fields, *counts);
  if (!bytes) return fail(bytes.error());
  if (*bytes <= store::kMaxDocumentBytes) return {};
  return fail(ErrorCode::LimitExceeded,
              fmt::format("a document would take more than {} MiB; split it", store::kMaxDocumentBytes >> 20));
}

}  // namespace fermata
