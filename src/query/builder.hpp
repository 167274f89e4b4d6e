// Turns the parse tree of the grammar into a statement, with the parameters put in place. Used by parser.cpp.
#pragma once

#include <tao/pegtl/contrib/parse_tree.hpp>

#include "query/ast.hpp"

namespace fermata::query {

using Node = tao::pegtl::parse_tree::node;

// The names that an expression may use, beside the fields of documents.
struct Names {
  std::vector<std::string> aliases;                      // of the collections; empty text: has none
  std::vector<std::string> variables;                    // of ANY and EVERY around it
  const std::vector<Projection>* projections = nullptr;  // what was selected AS, where it may be meant
  std::vector<std::optional<std::string>> projected_as;  // their names, nothing for those without AS
  std::vector<Aggregate>* aggregates = nullptr;          // null: this is no place for an aggregate
  std::size_t groups = 0;                                // slots before those of the aggregates
};

// Operators in a row make a tree as deep, and nothing that walks a tree may exhaust the stack.
inline constexpr std::size_t kMaxChain = 200;

// The first error wins; after it the result is void.
class Builder {
 public:
  Builder(std::string_view text, const Map& parameters) : text_(text), parameters_(parameters) {}

  [[nodiscard]] Result<Statement> build(const Node& node);

 private:
  // Statements (builder_statements.cpp)
  Statement any_statement(const Node& node);
  InsertStatement insert(const Node& node);
  void document(const Node& node, std::vector<Map>& documents);
  UpdateStatement update(const Node& node);
  void assign(UpdateStatement& statement, const Node& node);
  DeleteStatement remove(const Node& node, RemovalKind kind);
  CreateIndexStatement create_index(const Node& node);
  DropIndexStatement drop_index(const Node& node);
  std::string collection(const Node& node);

  // SELECT (builder_select.cpp)
  SelectStatement select(const Node& node);
  void sources(SelectStatement& statement, const Node& node);
  void join(SelectStatement& statement, const Node& node);
  void clauses(SelectStatement& statement, const Node& node);
  std::vector<Projection> projections(const Node& node);
  std::vector<Projection> returning(const Node& node);
  Projection projection(const Node& node);
  std::string name_of_value(const Node& projection, const Operand& value);
  OrderTerm order_term(const Node& node);
  std::int64_t count(const Node& node, std::string_view clause);
  void settle_groups(SelectStatement& statement);
  // Within so many ANY and EVERY.
  Operand settled(const Operand& operand, const std::vector<std::string>& groups, std::size_t quantifiers = 0);
  Expression settled(const Expression& node, const std::vector<std::string>& groups, std::size_t quantifiers = 0);

  // Expressions (builder_expressions.cpp)
  Where condition_tree(const Node& node);
  Expression condition(const Node& node);
  Expression chain(ExpressionKind kind, const Node& node);
  Expression compared(const Node& node);
  Expression negation(const Node& node);
  Expression listed(const Node& needle, const Node& tail);
  Expression between(const Node& value, const Node& tail);
  Expression match(const Node& field, const Node& tail);
  Expression quantified(const Node& node);
  void check_pattern(const Operand& pattern);
  void refuse_search(const Node& node, const Expression& condition);

  // Values (builder_values.cpp)
  Operand operand(const Node& node);
  Operand postfix(const Node& node);
  Operand arithmetic(const Node& node);
  Operand call(const Node& node);
  Operand aggregate(const Node& node, AggregateKind kind);
  Operand field(const Node& node);
  Operand member_of(const Node& node, Operand value, const crdt::Path& names);
  Operand apply(const Node& where, std::string_view function, std::vector<Operand> operands);
  void check_chain(const Node& node);
  void refuse_chain(const Node& node);
  crdt::Path path(const Node& node);
  static std::string name(const Node& node);
  Value value(const Node& node);
  Value object(const Node& node);
  Value array(const Node& node);
  Value parameter(const std::string& name);
  Value kept(Result<Value> value);

  void refuse(ErrorCode code, std::string message) {
    if (status_) status_ = fail(code, std::move(message));
  }
  // Shows the place.
  void refuse_at(const Node& node, ErrorCode code, const std::string& message);

  std::string_view text_;
  const Map& parameters_;
  Names names_;
  std::size_t operands_ = 0;
  std::size_t chained_ = 0;  // operators of the expression that is being built
  Status status_;
};

}  // namespace fermata::query
