#include <algorithm>

#include "query/builder.hpp"
#include "query/grammar.hpp"
#include "query/literals.hpp"
#include "query/parser.hpp"

namespace fermata::query {
namespace {

namespace g = grammar;

bool begins_with(const crdt::Path& path, const crdt::Path& start) {
  return start.size() <= path.size() && std::equal(start.begin(), start.end(), path.begin());
}

}  // namespace

Result<Statement> Builder::build(const Node& node) {
  Statement statement = any_statement(node);
  if (!status_) return fail(status_.error());
  return statement;
}

Statement Builder::any_statement(const Node& node) {
  if (node.is_type<g::select>()) return select(node);
  if (node.is_type<g::insert>()) return insert(node);
  if (node.is_type<g::update>()) return update(node);
  if (node.is_type<g::erase>()) return remove(node, RemovalKind::Delete);
  if (node.is_type<g::evict>()) return remove(node, RemovalKind::Evict);
  if (node.is_type<g::create_index>()) return create_index(node);
  if (node.is_type<g::drop_index>()) return drop_index(node);
  if (node.is_type<g::explain>()) return ExplainStatement{select(*node.children.front())};
  return ShowIndexesStatement{};
}

std::vector<Projection> Builder::returning(const Node& node) {
  const bool returns = !node.children.empty() && node.children.back()->is_type<g::returning>();
  return returns ? projections(*node.children.back()) : std::vector<Projection>();
}

InsertStatement Builder::insert(const Node& node) {
  InsertStatement statement;
  for (const auto& child : node.children) {
    if (child->is_type<g::collection>()) {
      statement.collection = collection(*child);
    } else if (child->is_type<g::do_nothing>()) {
      statement.on_conflict = OnConflict::DoNothing;
    } else if (child->is_type<g::do_update>()) {
      statement.on_conflict = OnConflict::DoUpdate;
    } else if (child->is_type<g::do_update_local_diff>()) {
      statement.on_conflict = OnConflict::DoUpdateLocalDiff;
    } else if (child->is_type<g::object>() || child->is_type<g::parameter>()) {
      document(*child, statement.documents);
    }
  }
  statement.returning = returning(node);
  return statement;
}

void Builder::document(const Node& node, std::vector<Map>& documents) {
  Value document = value(node);
  if (Map* map = document.if_a<Map>()) return documents.push_back(std::move(*map));
  refuse(ErrorCode::InvalidArgument,
         std::string(node.string_view().substr(0, 60)) + " is not a document: a document is a map of fields");
}

UpdateStatement Builder::update(const Node& node) {
  UpdateStatement statement;
  for (const auto& child : node.children) {
    if (child->is_type<g::collection>()) statement.collection = collection(*child);
    if (child->is_type<g::where>()) statement.where = condition_tree(*child->children.front());
    const bool assigns =
        child->is_type<g::assignment>() || child->is_type<g::removal>() || child->is_type<g::increase>();
    if (assigns) assign(statement, *child);
  }
  statement.returning = returning(node);
  return statement;
}

void Builder::assign(UpdateStatement& statement, const Node& node) {
  chained_ = 0;
  Assignment made{.path = path(*node.children[0]), .value = Value(nullptr)};
  std::string verb = "SET ";
  if (node.is_type<g::removal>()) {
    made.kind = AssignmentKind::Unset;
    verb = "UNSET ";
  } else {
    made.value = operand(*node.children[1]);
  }
  if (node.is_type<g::increase>()) {
    made.kind = AssignmentKind::Increment;
    verb = "INCREMENT ";
  }
  if (made.path.front() == kIdField) {
    refuse(ErrorCode::InvalidArgument,
           verb + "_id: the id of a document cannot change; insert another document instead");
  }
  const bool is_double =
      std::any_of(statement.assignments.begin(), statement.assignments.end(), [&](const Assignment& other) {
        return begins_with(made.path, other.path) || begins_with(other.path, made.path);
      });
  if (is_double) {
    refuse(ErrorCode::InvalidArgument, verb + path_text(made.path) +
                                           ": another assignment of the statement names the same field, or "
                                           "one around or inside it; name each field once");
  }
  statement.assignments.push_back(std::move(made));
}

DeleteStatement Builder::remove(const Node& node, RemovalKind kind) {
  DeleteStatement statement;
  statement.kind = kind;
  for (const auto& child : node.children) {
    if (child->is_type<g::collection>()) statement.collection = collection(*child);
    if (child->is_type<g::where>()) statement.where = condition_tree(*child->children.front());
  }
  statement.returning = returning(node);
  return statement;
}

CreateIndexStatement Builder::create_index(const Node& node) {
  CreateIndexStatement statement;
  for (const auto& child : node.children) {
    if (child->is_type<g::k_fulltext>()) statement.kind = IndexKind::FullText;
    if (child->is_type<g::if_not_exists>()) statement.if_there = IfThere::Accept;
    if (child->is_type<g::index_name>()) statement.name = name(*child->children.front());
    if (child->is_type<g::collection>()) statement.collection = collection(*child);
    if (!child->is_type<g::indexed>()) continue;
    const bool descends = child->children.size() > 1;
    statement.fields.push_back(
        {path(*child->children.front()), descends ? Direction::Descending : Direction::Ascending});
    if (statement.fields.back().path.front() == kIdField) {
      refuse_at(*child, ErrorCode::InvalidArgument, "_id needs no index: documents are found by it anyway");
    }
  }
  return statement;
}

DropIndexStatement Builder::drop_index(const Node& node) {
  DropIndexStatement statement;
  for (const auto& child : node.children) {
    if (child->is_type<g::if_exists>()) statement.if_there = IfThere::Accept;
    if (child->is_type<g::index_name>()) statement.name = name(*child->children.front());
  }
  return statement;
}

std::string Builder::collection(const Node& node) {
  std::string text = name(*node.children.front());
  if (auto checked = check_collection_name(text); !checked && status_) status_ = checked;
  return text;
}

}  // namespace fermata::query
