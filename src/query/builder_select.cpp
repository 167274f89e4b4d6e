#include <algorithm>

#include "query/builder.hpp"
#include "query/grammar.hpp"
#include "query/literals.hpp"

namespace fermata::query {
namespace {

namespace g = grammar;

// As it was written, with white space made one blank.
std::string on_one_line(std::string_view text) {
  std::string line;
  bool blank = false;
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!is_space && blank && !line.empty()) line += ' ';
    if (!is_space) line += c;
    blank = is_space;
  }
  return line;
}

}  // namespace

SelectStatement Builder::select(const Node& node) {
  SelectStatement statement;
  names_ = {};
  sources(statement, node);
  for (const auto& child : node.children) {
    if (!child->is_type<g::grouping>()) continue;
    for (const auto& group : child->children) statement.groups.push_back(operand(*group));
  }
  names_.groups = statement.groups.size();
  names_.aggregates = &statement.aggregates;
  statement.projections = projections(node);
  names_.aggregates = nullptr;
  clauses(statement, node);
  if (status_ && is_grouped(statement)) settle_groups(statement);
  if (statement.projections.size() == 1 && statement.projections.front().kind == ProjectionKind::Everything) {
    statement.projections.clear();
  }
  return statement;
}

// First, for every other part may name them.
void Builder::sources(SelectStatement& statement, const Node& node) {
  for (const auto& child : node.children) {
    if (child->is_type<g::source>()) {
      statement.collection = collection(*child->children.front());
      if (child->children.size() > 1) statement.alias = name(*child->children.back()->children.front());
    }
    if (child->is_type<g::join>()) join(statement, *child);
  }
  if (statement.joins.size() > kMaxJoins) {
    refuse(ErrorCode::LimitExceeded, "a SELECT joins more than 8 collections; select in steps");
  }
  const bool is_joined = !statement.joins.empty();
  names_.aliases = {is_joined && statement.alias.empty() ? statement.collection : statement.alias};
  for (const Join& each : statement.joins) {
    if (std::find(names_.aliases.begin(), names_.aliases.end(), each.alias) != names_.aliases.end()) {
      refuse(ErrorCode::InvalidArgument,
             "two collections of the statement are called " + each.alias + "; give one another name with AS");
    }
    names_.aliases.push_back(each.alias);
  }
  if (is_joined) statement.alias = names_.aliases.front();
  // The conditions now that all names are known. Each may speak of what stands before it, and of its own.
  std::size_t next = 0;
  for (const auto& child : node.children) {
    if (child->is_type<g::join>()) statement.joins[next++].on = condition_tree(*child->children.back());
  }
}

void Builder::join(SelectStatement& statement, const Node& node) {
  Join made;
  for (const auto& child : node.children) {
    if (child->is_type<g::k_left>()) made.kind = JoinKind::Left;
    if (!child->is_type<g::source>()) continue;
    made.collection = collection(*child->children.front());
    const bool has_alias = child->children.size() > 1;
    made.alias = has_alias ? name(*child->children.back()->children.front()) : made.collection;
  }
  statement.joins.push_back(std::move(made));
}

void Builder::clauses(SelectStatement& statement, const Node& node) {
  for (const auto& child : node.children) {
    if (child->is_type<g::distinct>()) statement.repetition = Repetition::Distinct;
    if (child->is_type<g::where>()) statement.where = condition_tree(*child->children.front());
    if (child->is_type<g::limit>()) statement.limit = count(*child, "LIMIT");
    if (child->is_type<g::offset>()) statement.offset = count(*child, "OFFSET");
  }
  names_.projections = &statement.projections;
  names_.aggregates = &statement.aggregates;
  for (const auto& child : node.children) {
    if (child->is_type<g::having>()) {
      statement.having = condition_tree(*child->children.front());
      refuse_search(*child->children.front(), *statement.having);
    }
    if (child->is_type<g::order_term>()) statement.order.push_back(order_term(*child));
  }
  names_.projections = nullptr;
  names_.aggregates = nullptr;
  if (statement.having != nullptr && !is_grouped(statement)) {
    refuse(ErrorCode::InvalidArgument, "HAVING is about groups; add GROUP BY, or use WHERE");
  }
}

std::vector<Projection> Builder::projections(const Node& node) {
  std::vector<Projection> made;
  names_.projected_as.clear();
  for (const auto& child : node.children) {
    if (child->is_type<g::everything>()) {
      made.push_back({.kind = ProjectionKind::Everything, .value = Value(nullptr)});
      names_.projected_as.emplace_back();
    }
    if (!child->is_type<g::projection>()) continue;
    Projection next = projection(*child);
    const bool is_taken = std::any_of(made.begin(), made.end(), [&](const Projection& each) {
      return each.kind == ProjectionKind::Value && each.name == next.name;
    });
    if (is_taken) {
      refuse_at(*child, ErrorCode::InvalidArgument,
                "two of the selected values are called \"" + next.name + "\"; name one with AS");
    }
    names_.projected_as.push_back(child->children.size() > 1 ? std::optional(next.name) : std::nullopt);
    made.push_back(std::move(next));
  }
  return made;
}

Projection Builder::projection(const Node& node) {
  chained_ = 0;
  const Node& value = *node.children.front();
  Projection made{.value = operand(value)};
  const bool has_name = node.children.size() > 1;
  made.name = has_name ? name(*node.children.back()->children.front()) : name_of_value(node, made.value);
  return made;
}

// A field is called by the last part of its name, all else as it is written. The text is that of the whole projection:
// a node that joins others has none.
std::string Builder::name_of_value(const Node& projection, const Operand& value) {
  const Node& node = *projection.children.front();
  if (const auto* path = std::get_if<crdt::Path>(&value)) return path->back();
  if (const auto* joined = std::get_if<JoinedPath>(&value)) return joined->path.back();
  const bool is_member = node.is_type<g::postfix>() && node.children.back()->is_type<g::member_of>();
  return is_member ? name(*node.children.back()->children.front()) : on_one_line(projection.string_view());
}

OrderTerm Builder::order_term(const Node& node) {
  chained_ = 0;
  const bool descends = node.children.size() > 1;  // only DESC leaves a node behind the value
  return {operand(*node.children.front()), descends ? Direction::Descending : Direction::Ascending};
}

std::int64_t Builder::count(const Node& node, std::string_view clause) {
  const Value count = value(*node.children.front());
  const auto* integer = count.if_a<std::int64_t>();
  if (integer != nullptr && *integer >= 0) return *integer;
  refuse(ErrorCode::InvalidArgument, std::string(clause) + " needs a whole number that is not negative");
  return 0;
}

// Of a group there is nothing but what it was grouped by, and the aggregates.
void Builder::settle_groups(SelectStatement& statement) {
  std::vector<std::string> groups;
  for (const Operand& group : statement.groups) groups.push_back(describe(group, names_.aliases));
  for (Projection& each : statement.projections) {
    if (each.kind == ProjectionKind::Everything) {
      refuse(ErrorCode::InvalidArgument, "* is a document, and a group has many; select what it is grouped by");
    }
    each.value = settled(each.value, groups);
  }
  for (OrderTerm& term : statement.order) term.value = settled(term.value, groups);
  if (statement.having != nullptr) {
    statement.having = std::make_shared<const Expression>(settled(*statement.having, groups));
  }
}

Operand Builder::settled(const Operand& operand, const std::vector<std::string>& groups, std::size_t quantifiers) {
  if (std::holds_alternative<Slot>(operand)) return operand;
  const std::string text = describe(operand, names_.aliases, quantifiers);
  const auto group = std::find(groups.begin(), groups.end(), text);
  if (group != groups.end()) return Slot{static_cast<std::size_t>(group - groups.begin())};
  if (const auto* computed = std::get_if<ExpressionRef>(&operand)) {
    return std::make_shared<const Expression>(settled(**computed, groups, quantifiers));
  }
  if (std::holds_alternative<crdt::Path>(operand) || std::holds_alternative<JoinedPath>(operand)) {
    refuse(ErrorCode::InvalidArgument, text +
                                           " differs within a group; add it to GROUP BY, or use an aggregate such "
                                           "as max(" +
                                           text + ")");
  }
  return operand;
}

Expression Builder::settled(const Expression& node, const std::vector<std::string>& groups, std::size_t quantifiers) {
  Expression made = node;
  for (Operand& operand : made.operands) operand = settled(operand, groups, quantifiers);
  const bool is_quantifier = node.kind == ExpressionKind::Any || node.kind == ExpressionKind::Every;
  for (Expression& child : made.children) child = settled(child, groups, quantifiers + (is_quantifier ? 1 : 0));
  return made;
}

}  // namespace fermata::query
