#include <algorithm>
#include <utility>

#include "query/builder.hpp"
#include "query/functions.hpp"
#include "query/grammar.hpp"
#include "query/literals.hpp"
#include "query/matcher.hpp"
#include "query/syntax_error.hpp"

namespace fermata::query {
namespace {

namespace g = grammar;

struct NamedAggregate {
  std::string_view name;
  AggregateKind kind;
};
constexpr NamedAggregate kAggregates[] = {
    {"count", AggregateKind::Count}, {"sum", AggregateKind::Sum},      {"avg", AggregateKind::Average},
    {"min", AggregateKind::Least},   {"max", AggregateKind::Greatest}, {"collect", AggregateKind::Collect},
};

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string suggest_function(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Function& each : functions()) {
    if (each.notation == Notation::Call) names.push_back(each.name);
  }
  for (const NamedAggregate& each : kAggregates) names.push_back(each.name);
  return did_you_mean(name, names);
}

std::string counted(const Function& function) {
  if (function.least == function.most) return std::to_string(function.least);
  return std::to_string(function.least) + " to " + std::to_string(function.most);
}

Operand ref(Expression expression) {
  return std::make_shared<const Expression>(std::move(expression));
}

}  // namespace

Operand Builder::operand(const Node& node) {
  if (++operands_ == kMaxOperands) {
    refuse(ErrorCode::LimitExceeded, "the statement has more than 10000 values; split it into several");
  }
  if (node.is_type<g::path>()) return field(node);
  if (node.is_type<g::postfix>()) return postfix(node);
  if (node.is_type<g::sum>() || node.is_type<g::product>()) return arithmetic(node);
  if (node.is_type<g::call>()) return call(node);
  if (node.is_type<g::negative>()) {
    Operand value = operand(*node.children.back());
    for (std::size_t signs = node.children.size() - 1; signs > 0 && status_; --signs) {
      value = apply(node, "negate", {std::move(value)});
    }
    return value;
  }
  const bool is_condition = node.is_type<g::condition>() || node.is_type<g::conjunction>() ||
                            node.is_type<g::expression>() || node.is_type<g::negation>() ||
                            node.is_type<g::quantified>();
  if (is_condition) {
    Expression made = condition(node);
    refuse_search(node, made);
    return ref(std::move(made));
  }
  return value(node);
}

void Builder::check_chain(const Node& node) {
  if (++chained_ > kMaxChain) refuse_chain(node);
}

void Builder::refuse_chain(const Node& node) {
  refuse_at(node, ErrorCode::LimitExceeded, "an expression has more than 200 operators; compute it in steps");
}

Operand Builder::apply(const Node& where, std::string_view function, std::vector<Operand> operands) {
  check_chain(where);
  Expression made{.kind = ExpressionKind::Call};
  made.function = find_function(function);
  made.operands = std::move(operands);
  // What depends on no document is computed once, and then an index can serve it.
  const auto is_literal = [](const Operand& each) { return std::holds_alternative<Value>(each); };
  const bool is_constant = std::all_of(made.operands.begin(), made.operands.end(), is_literal);
  Operand computed = ref(std::move(made));
  if (!is_constant) return computed;
  Budget budget;
  auto value = evaluate(computed, Scope{.budget = &budget});
  return value && !budget.is_spent() ? Operand(std::move(*value)) : computed;
}

Operand Builder::arithmetic(const Node& node) {
  Operand result = operand(*node.children[0]);
  for (std::size_t i = 1; i + 1 < node.children.size() && status_; i += 2) {
    const std::string sign = node.children[i]->string();
    result = apply(*node.children[i], sign, {std::move(result), operand(*node.children[i + 1])});
  }
  return result;
}

Operand Builder::postfix(const Node& node) {
  Operand result = operand(*node.children[0]);
  for (std::size_t i = 1; i < node.children.size() && status_; ++i) {
    const Node& tail = *node.children[i];
    if (tail.is_type<g::element>()) {
      result = apply(tail, "[]", {std::move(result), operand(*tail.children.front())});
    } else {
      result = apply(tail, ".", {std::move(result), Operand(Value(name(*tail.children.front())))});
    }
  }
  return result;
}

Operand Builder::call(const Node& node) {
  const Node& called = *node.children.front();
  const std::string written = called.string();
  const std::string lower = in_lower_case(written);
  for (const NamedAggregate& each : kAggregates) {
    if (each.name == lower) return aggregate(node, each.kind);
  }
  if (lower == "distinct") {
    refuse_at(called, ErrorCode::Syntax,
              "DISTINCT is no function: it stands behind SELECT, or first in an aggregate, as in count(DISTINCT x)");
    return Value(nullptr);
  }
  const Function* function = find_function(written);
  if (function == nullptr || function->notation != Notation::Call) {
    refuse_at(called, ErrorCode::Syntax, "there is no function " + written + suggest_function(lower));
    return Value(nullptr);
  }
  const std::size_t given = node.children.size() - 1;
  const bool is_plain = std::none_of(node.children.begin(), node.children.end(), [](const auto& child) {
    return child->template is_type<g::all_rows>() || child->template is_type<g::k_distinct>();
  });
  if (!is_plain || given < function->least || given > function->most) {
    refuse_at(called, ErrorCode::Syntax,
              std::string(function->name) + " takes " + counted(*function) + " argument" +
                  (function->most == 1 ? "" : "s") + ", not " +
                  (is_plain ? std::to_string(given) : "* or DISTINCT, which are for aggregates"));
    return Value(nullptr);
  }
  std::vector<Operand> arguments;
  for (std::size_t i = 1; i < node.children.size(); ++i) arguments.push_back(operand(*node.children[i]));
  return apply(node, function->name, std::move(arguments));
}

Operand Builder::aggregate(const Node& node, AggregateKind kind) {
  const Node& called = *node.children.front();
  if (names_.aggregates == nullptr) {
    refuse_at(called, ErrorCode::Syntax,
              called.string() + " is about many documents; it can stand in SELECT, HAVING and ORDER BY only");
    return Value(nullptr);
  }
  Aggregate made{.kind = kind, .value = Value(nullptr)};
  std::size_t first = 1;
  if (node.children.size() > 1 && node.children[1]->is_type<g::k_distinct>()) {
    made.repetition = Repetition::Distinct;
    first = 2;
  }
  const bool of_rows = node.children.size() == 2 && node.children[1]->is_type<g::all_rows>();
  if (node.children.size() != first + 1 || (of_rows && kind != AggregateKind::Count)) {
    refuse_at(called, ErrorCode::Syntax,
              called.string() + " takes one value" + (kind == AggregateKind::Count ? ", or *" : "") +
                  (kind == AggregateKind::Least || kind == AggregateKind::Greatest
                       ? "; least(…) and greatest(…) compare values of one document"
                       : ""));
    return Value(nullptr);
  }
  std::vector<Aggregate>* const aggregates = std::exchange(names_.aggregates, nullptr);  // none within another
  // Names given with AS are for what stands outside: max(price) AS price is about the field.
  const std::vector<Projection>* const projections = std::exchange(names_.projections, nullptr);
  if (of_rows) {
    made.kind = AggregateKind::CountRows;
  } else {
    made.value = operand(*node.children[first]);
  }
  names_.aggregates = aggregates;
  names_.projections = projections;
  aggregates->push_back(std::move(made));
  return Slot{names_.groups + aggregates->size() - 1};
}

// What a name means: the variable of an ANY around it, what was selected AS it, a collection's field, or a field.
Operand Builder::field(const Node& node) {
  crdt::Path names = path(node);
  for (std::size_t i = names_.variables.size(); i-- > 0;) {
    if (names_.variables[i] == names.front()) return member_of(node, Variable{i}, names);
  }
  const auto alias = std::find(names_.aliases.begin(), names_.aliases.end(), names.front());
  // The collection of a statement without AS is called nothing here, and so may a field be.
  const bool is_qualified = alias != names_.aliases.end() && !alias->empty() && names.size() > 1;
  const auto projected = std::find(names_.projected_as.begin(), names_.projected_as.end(), names.front());
  if (names_.projections != nullptr && !is_qualified && projected != names_.projected_as.end()) {
    return member_of(
        node, (*names_.projections)[static_cast<std::size_t>(projected - names_.projected_as.begin())].value, names);
  }
  if (names_.aliases.size() > 1 && !is_qualified) {
    refuse_at(node, ErrorCode::Syntax,
              "the statement joins collections: say whose field this is, as in " + names_.aliases.front() + "." +
                  path_text(names));
  }
  if (!is_qualified) return names;
  names.erase(names.begin());
  const auto source = static_cast<std::size_t>(alias - names_.aliases.begin());
  return source == 0 ? Operand(std::move(names)) : Operand(JoinedPath{source, std::move(names)});
}

// The member that the names behind the first lead to.
Operand Builder::member_of(const Node& node, Operand value, const crdt::Path& names) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    value = apply(node, ".", {std::move(value), Operand(Value(names[i]))});
  }
  return value;
}

crdt::Path Builder::path(const Node& node) {
  crdt::Path path;
  for (const auto& part : node.children) path.push_back(name(*part));
  if (path.size() > kMaxNesting) refuse(ErrorCode::LimitExceeded, "a field is named deeper than 64 levels");
  return path;
}

std::string Builder::name(const Node& node) {
  return node.is_type<g::quoted_name>() ? unquote(node.string_view()) : node.string();
}

Value Builder::value(const Node& node) {
  if (node.is_type<g::parameter>()) return parameter(node.string().substr(1));
  if (node.is_type<g::text>()) return unquote(node.string_view());
  if (node.is_type<g::number>()) return kept(parse_number(node.string_view()));
  if (node.is_type<g::json_text>()) return kept(from_json(node.string_view()));
  if (node.is_type<g::object>()) return object(node);
  if (node.is_type<g::array>()) return array(node);
  if (node.is_type<g::k_true>()) return true;
  if (node.is_type<g::k_false>()) return false;
  return nullptr;
}

Value Builder::object(const Node& node) {
  Map map;
  for (const auto& member : node.children) {
    const Node& key = *member->children.front();
    const Value named = key.is_type<g::any_word>() ? Value(key.string()) : value(key);
    const std::string* text = named.if_a<std::string>();
    if (text == nullptr) return nullptr;  // the key did not read, and that has been noted
    if (!map.emplace(*text, value(*member->children.back())).second) {
      refuse(ErrorCode::InvalidArgument, "a document has the field \"" + *text + "\" twice");
    }
  }
  return map;
}

Value Builder::array(const Node& node) {
  Array array;
  for (const auto& element : node.children) array.push_back(value(*element));
  return array;
}

Value Builder::parameter(const std::string& name) {
  const auto found = parameters_.find(name);
  if (found != parameters_.end()) return found->second;
  refuse(ErrorCode::InvalidArgument, "the statement uses :" + name + ", and no parameter \"" + name + "\" was given");
  return nullptr;
}

Value Builder::kept(Result<Value> value) {
  if (value) return std::move(*value);
  refuse(value.error().code, value.error().message);
  return nullptr;
}

// By the node's own pointer into the text: its position counts from its own beginning.
void Builder::refuse_at(const Node& node, ErrorCode code, const std::string& message) {
  if (status_)
    status_ = fail(code, message + mark_position(text_, static_cast<std::size_t>(node.m_begin.data - text_.data())));
}

}  // namespace fermata::query
