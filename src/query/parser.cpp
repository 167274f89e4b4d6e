#include "query/parser.hpp"

#include "base/utf8.hpp"
#include "query/grammar.hpp"
#include "query/literals.hpp"
#include "query/syntax_error.hpp"

namespace fermata::query {
namespace {

namespace g = grammar;
using Node = tao::pegtl::parse_tree::node;

// What limit_depth says; every other text of a parse error is one of `expected`.
constexpr std::string_view kTooDeep = "maximum parser rule nesting depth exceeded";

// Turns the parse tree into a statement. The first error wins; after it the result is void.
class Builder {
 public:
  explicit Builder(const Map& parameters) : parameters_(parameters) {}

  Result<Statement> build(const Node& node) {
    Statement statement = any_statement(node);
    if (!status_) return fail(status_.error());
    return statement;
  }

 private:
  Statement any_statement(const Node& node) {
    if (node.is_type<g::select>()) return select(node);
    if (node.is_type<g::insert>()) return insert(node);
    if (node.is_type<g::update>()) return update(node);
    return erase(node);
  }

  SelectStatement select(const Node& node) {
    SelectStatement statement;
    for (const auto& child : node.children) {
      if (child->is_type<g::collection>()) statement.collection = collection(*child);
      if (child->is_type<g::where>()) statement.where = where(*child);
      if (child->is_type<g::order_term>()) statement.order.push_back(order_term(*child));
      if (child->is_type<g::limit>()) statement.limit = limit(*child);
    }
    return statement;
  }

  InsertStatement insert(const Node& node) {
    InsertStatement statement;
    for (const auto& child : node.children) {
      if (child->is_type<g::collection>()) {
        statement.collection = collection(*child);
      } else if (child->is_type<g::do_nothing>()) {
        statement.on_conflict = OnConflict::DoNothing;
      } else if (child->is_type<g::do_update>()) {
        statement.on_conflict = OnConflict::DoUpdate;
      } else {
        document(*child, statement.documents);
      }
    }
    return statement;
  }

  void document(const Node& node, std::vector<Map>& documents) {
    Value document = value(node);
    if (Map* map = document.if_a<Map>()) return documents.push_back(std::move(*map));
    refuse(ErrorCode::InvalidArgument,
           std::string(node.string_view().substr(0, 60)) + " is not a document: a document is a map of fields");
  }

  UpdateStatement update(const Node& node) {
    UpdateStatement statement;
    for (const auto& child : node.children) {
      if (child->is_type<g::collection>()) statement.collection = collection(*child);
      if (child->is_type<g::where>()) statement.where = where(*child);
      if (child->is_type<g::increase>()) statement.kind = AssignmentKind::Increment;
      if (child->is_type<g::assignment>() || child->is_type<g::increase>()) assign(statement, *child);
    }
    return statement;
  }

  void assign(UpdateStatement& statement, const Node& node) {
    const std::string verb = statement.kind == AssignmentKind::Set ? "SET " : "INCREMENT ";
    Assignment made{path(*node.children[0]), operand(*node.children[1])};
    if (made.path.front() == kIdField) {
      refuse(ErrorCode::InvalidArgument,
             verb + "_id: the id of a document cannot change; insert another document instead");
    }
    for (const Assignment& other : statement.assignments) {
      const std::size_t shared = std::min(made.path.size(), other.path.size());
      if (!std::equal(made.path.begin(), made.path.begin() + static_cast<std::ptrdiff_t>(shared), other.path.begin())) {
        continue;
      }
      std::string name;
      write_path(name, made.path);
      refuse(ErrorCode::InvalidArgument, verb + name +
                                             ": another assignment of the statement names the same field, or "
                                             "one around or inside it; name each field once");
    }
    statement.assignments.push_back(std::move(made));
  }

  DeleteStatement erase(const Node& node) {
    DeleteStatement statement;
    for (const auto& child : node.children) {
      if (child->is_type<g::collection>()) statement.collection = collection(*child);
      if (child->is_type<g::where>()) statement.where = where(*child);
    }
    return statement;
  }

  std::string collection(const Node& node) {
    std::string text = name(*node.children.front());
    if (auto checked = check_collection_name(text); !checked && status_) status_ = checked;
    return text;
  }

  OrderTerm order_term(const Node& node) {
    const bool descends = node.children.size() > 1;  // only DESC leaves a node behind the path
    return {path(*node.children.front()), descends ? Direction::Descending : Direction::Ascending};
  }

  std::int64_t limit(const Node& node) {
    const Value count = value(*node.children.front());
    const auto* integer = count.if_a<std::int64_t>();
    if (integer != nullptr && *integer >= 0) return *integer;
    refuse(ErrorCode::InvalidArgument, "LIMIT needs a whole number that is not negative");
    return 0;
  }

  Where where(const Node& node) { return std::make_shared<const Expression>(expression(*node.children.front())); }

  Expression expression(const Node& node) {
    if (node.is_type<g::expression>()) return chain(ExpressionKind::Or, node);
    if (node.is_type<g::conjunction>()) return chain(ExpressionKind::And, node);
    if (node.is_type<g::negation>()) return negation(node);
    return condition(node);
  }

  // Chains inside chains of their own kind are flattened, so that parentheses without effect do not count.
  Expression chain(ExpressionKind kind, const Node& node) {
    if (node.children.size() == 1) return expression(*node.children.front());
    Expression joined{.kind = kind, .children = {}, .operands = {}};
    for (const auto& child : node.children) {
      Expression part = expression(*child);
      if (part.kind != kind) {
        joined.children.push_back(std::move(part));
        continue;
      }
      for (Expression& inner : part.children) joined.children.push_back(std::move(inner));
    }
    return joined;
  }

  Expression negation(const Node& node) {
    Expression inner = expression(*node.children.back());
    return node.children.size() % 2 == 1 ? std::move(inner) : negate(std::move(inner));
  }

  // Not of Not is the same in three-valued logic too.
  static Expression negate(Expression inner) {
    if (inner.kind == ExpressionKind::Not) {
      Expression child = std::move(inner.children.front());
      return child;
    }
    Expression negated{.kind = ExpressionKind::Not, .children = {}, .operands = {}};
    negated.children.push_back(std::move(inner));
    return negated;
  }

  Expression condition(const Node& node) {
    Expression made;
    made.operands.push_back(operand(*node.children.front()));
    if (node.children.size() == 1) return made;
    const Node& tail = *node.children[1];
    if (tail.is_type<g::compare>()) {
      made.kind = ExpressionKind::Compare;
      made.comparison = comparison(tail.children[0]->string_view());
      made.operands.push_back(operand(*tail.children[1]));
      return made;
    }
    const bool negated = tail.children.front()->is_type<g::k_not>();
    if (tail.is_type<g::is>()) {
      made.kind = tail.children.back()->is_type<g::k_null>() ? ExpressionKind::IsNull : ExpressionKind::IsMissing;
    } else {
      made.kind = tail.is_type<g::in>() ? ExpressionKind::In : ExpressionKind::Like;
      for (std::size_t i = negated ? 1 : 0; i < tail.children.size(); ++i) {
        made.operands.push_back(operand(*tail.children[i]));
      }
    }
    if (made.kind == ExpressionKind::Like) check_pattern(made.operands.back());
    return negated ? negate(std::move(made)) : made;
  }

  static Comparison comparison(std::string_view sign) {
    if (sign == "!=" || sign == "<>") return Comparison::NotEqual;
    if (sign == "<") return Comparison::Less;
    if (sign == "<=") return Comparison::LessOrEqual;
    if (sign == ">") return Comparison::Greater;
    if (sign == ">=") return Comparison::GreaterOrEqual;
    return Comparison::Equal;
  }

  // Matching costs the product of both lengths, and a peer chooses both.
  void check_pattern(const Operand& pattern) {
    const auto& value = std::get<Value>(pattern);
    const auto* text = value.if_a<std::string>();
    if (text == nullptr && !value.is_null()) refuse(ErrorCode::InvalidArgument, "LIKE needs a pattern that is text");
    if (text != nullptr && text->size() > kMaxPatternBytes) {
      refuse(ErrorCode::LimitExceeded, "a LIKE pattern is longer than 1024 bytes");
    }
  }

  Operand operand(const Node& node) {
    if (++operands_ == kMaxOperands) {
      refuse(ErrorCode::LimitExceeded, "the statement has more than 10000 values; split it into several");
    }
    if (node.is_type<g::path>()) return path(node);
    return value(node);
  }

  crdt::Path path(const Node& node) {
    crdt::Path path;
    for (const auto& part : node.children) path.push_back(name(*part));
    if (path.size() > kMaxNesting) refuse(ErrorCode::LimitExceeded, "a field is named deeper than 64 levels");
    return path;
  }

  static std::string name(const Node& node) {
    return node.is_type<g::quoted_name>() ? unquote(node.string_view()) : node.string();
  }

  Value value(const Node& node) {
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

  Value object(const Node& node) {
    Map map;
    for (const auto& member : node.children) {
      const Node& key = *member->children.front();
      std::string text = key.is_type<g::any_word>() ? key.string() : kept_text(value(key));
      if (!map.emplace(text, value(*member->children.back())).second) {
        refuse(ErrorCode::InvalidArgument, "a document has the field \"" + text + "\" twice");
      }
    }
    return map;
  }

  Value array(const Node& node) {
    Array array;
    for (const auto& element : node.children) array.push_back(value(*element));
    return array;
  }

  Value parameter(const std::string& name) {
    const auto found = parameters_.find(name);
    if (found != parameters_.end()) return found->second;
    refuse(ErrorCode::InvalidArgument, "the statement uses :" + name + ", and no parameter \"" + name + "\" was given");
    return nullptr;
  }

  Value kept(Result<Value> value) {
    if (value) return std::move(*value);
    refuse(value.error().code, value.error().message);
    return nullptr;
  }
  static std::string kept_text(Value value) {
    std::string* text = value.if_a<std::string>();
    return text != nullptr ? std::move(*text) : std::string();
  }

  void refuse(ErrorCode code, std::string message) {
    if (status_) status_ = fail(code, std::move(message));
  }

  const Map& parameters_;
  std::size_t operands_ = 0;
  Status status_;
};

Error describe(std::string_view text, const tao::pegtl::parse_error& error) {
  const std::size_t offset = error.positions().front().byte;
  const std::string_view what = error.message();
  if (what == kTooDeep) {
    return {ErrorCode::LimitExceeded, "the statement is nested deeper than 64 levels" + mark_position(text, offset)};
  }
  return {ErrorCode::Syntax, "expected " + std::string(what) + mark_position(text, offset)};
}

}  // namespace

Result<Statement> parse_statement(std::string_view text, const Map& parameters, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return fail(ErrorCode::LimitExceeded, "the statement has " + std::to_string(text.size()) + " bytes, more than " +
                                              std::to_string(max_bytes) + "; pass large values as parameters");
  }
  if (!is_utf8(text)) return fail(ErrorCode::Syntax, "the statement is not UTF-8 text");
  tao::pegtl::memory_input<tao::pegtl::tracking_mode::lazy> input(text.data(), text.size(), "");
  try {
    const auto tree = tao::pegtl::parse_tree::parse<g::statement, g::selector, g::action, g::control>(input);
    return Builder(parameters).build(*tree->children.front());
  } catch (const tao::pegtl::parse_error& error) {
    return fail(describe(text, error));
  }
}

bool is_plain_name(std::string_view name) {
  tao::pegtl::memory_input<tao::pegtl::tracking_mode::lazy> input(name.data(), name.size(), "");
  return tao::pegtl::parse<g::bare_name>(input);
}

}  // namespace fermata::query
