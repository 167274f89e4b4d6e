// What expressions are in documents, and whether a document satisfies a condition. Pure.
#pragma once

#include <span>

#include "query/ast.hpp"
#include "query/budget.hpp"
#include "query/scalar.hpp"

namespace fermata::query {

// A document under test: its id, and its fields without "_id". A view; both must outlive it.
struct DocumentView {
  std::string_view id;
  const Map& fields;
};

// Where the fields of one document are looked up.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  // Nothing if there is no such field. {"_id"} is the id. The pointer lives as long as the source.
  [[nodiscard]] virtual const Value* find(const crdt::Path& path) const = 0;
};

// All that an expression may speak of. A view.
struct Scope {
  std::span<const FieldSource* const> sources;       // the document, then those that are joined to it; null: none
  std::span<const std::optional<Value>> slots = {};  // of a group
  Budget* budget = nullptr;                          // what may be computed; null: a whole one each time
};

// The value at a path below `fields`, or nullptr. "_id" is not among them.
[[nodiscard]] const Value* value_at(const Map& fields, const crdt::Path& path);

// The value of an operand; nothing if it is missing, null if the budget does not reach.
[[nodiscard]] std::optional<Value> evaluate(const Operand& operand, const Scope& scope);
[[nodiscard]] std::optional<Value> evaluate(const Operand& operand, const DocumentView& document);

// Unknown, whatever it is about, if the budget does not reach.
[[nodiscard]] Truth evaluate(const Expression& expression, const Scope& scope);
[[nodiscard]] Truth evaluate(const Expression& expression, const DocumentView& document);

// Unknown is not a match. A full-text search is true for every document: only the index can tell.
[[nodiscard]] bool matches(const Where& where, const DocumentView& document);

// A document as a map, without "_id".
class MapSource : public FieldSource {
 public:
  explicit MapSource(const DocumentView& document) : document_(document) {}
  [[nodiscard]] const Value* find(const crdt::Path& path) const override;

 private:
  DocumentView document_;
  mutable std::optional<Value> id_;
};

// A stored body, of which only the fields that are asked for are decoded, once each. The paths must outlive it.
class BodySource : public FieldSource {
 public:
  BodySource(std::string_view id, ByteView body) : id_(id), body_(body) {}
  [[nodiscard]] const Value* find(const crdt::Path& path) const override;
  // The first field that did not decode; it was taken for missing.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  struct Decoded {
    const crdt::Path* path;
    std::unique_ptr<const Value> value;
  };
  [[nodiscard]] std::unique_ptr<const Value> decode(const crdt::Path& path) const;

  std::string_view id_;
  ByteView body_;
  mutable std::vector<Decoded> decoded_;
  mutable Status status_;
};

}  // namespace fermata::query
