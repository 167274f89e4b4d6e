#include "query/sql.hpp"

#include <algorithm>

#include "query/literals.hpp"
#include "query/scalar.hpp"

namespace fermata::query {
namespace {

bool is_text(const Operand& operand) {
  const auto* value = std::get_if<Value>(&operand);
  return value != nullptr && value->if_a<std::string>() != nullptr;
}

// A field of one of the sources.
struct FieldOf {
  std::size_t source = 0;
  const crdt::Path* path = nullptr;
};
FieldOf field_of(const Operand& operand) {
  if (const auto* path = std::get_if<crdt::Path>(&operand)) return {0, path};
  if (const auto* joined = std::get_if<JoinedPath>(&operand)) return {joined->source, &joined->path};
  return {};
}

// Fields that are not missing in any document that satisfies the condition: compared, they would make it unknown.
bool is_present(const Where& where, const crdt::Path& path) {
  if (where == nullptr) return false;
  const auto is_it = [&](const Operand& operand) {
    const auto* compared = std::get_if<crdt::Path>(&operand);
    return compared != nullptr && *compared == path;
  };
  const auto compares = [&](const Expression& node) {
    if (node.kind == ExpressionKind::Compare) return is_it(node.operands[0]) || is_it(node.operands[1]);
    return node.kind == ExpressionKind::In && is_it(node.operands[0]);
  };
  if (where->kind != ExpressionKind::And) return compares(*where);
  return std::any_of(where->children.begin(), where->children.end(), compares);
}

class Compiler {
 public:
  Compiler(const SelectStatement& statement, Catalog& catalog) : statement_(statement), catalog_(catalog) {}

  Result<CompiledSelect> select(Columns columns) {
    compiled_.sources = statement_.joins.size() + 1;
    result_columns(columns);
    from();
    where();
    if (!is_grouped(statement_)) order();
    if (!is_grouped(statement_) && statement_.repetition == Repetition::All) limit();
    if (!status_) return fail(status_.error());
    return std::move(compiled_);
  }

 private:
  void add(std::string_view text) { compiled_.sql += text; }

  void bind(Binding binding) {
    compiled_.bindings.push_back(std::move(binding));
    add("?" + std::to_string(compiled_.bindings.size()));
  }

  static std::string source_name(std::size_t source) { return "d" + std::to_string(source); }

  void result_columns(Columns columns) {
    add("SELECT ");
    for (std::size_t i = 0; i < compiled_.sources; ++i) {
      const std::string name = source_name(i);
      add((i > 0 ? ", " : "") + name + ".id, " + (columns == Columns::Bodies ? name + ".body" : "NULL"));
    }
  }

  // A number as text, so that SQLite sees that an index on a part of the table will do.
  void is_living(std::size_t source, const std::string& collection) {
    const auto number = catalog_.number_of(collection);
    if (!number && status_) status_ = fail(number.error());
    const std::string name = source_name(source);
    add(name + ".collection = " + std::to_string(number.value_or(0)) + " AND " + name + ".life % 2 = 1");
  }

  void from() {
    add(" FROM documents AS d0");
    for (std::size_t i = 0; i < statement_.joins.size(); ++i) {
      const Join& join = statement_.joins[i];
      check_join(join, i + 1);
      // CROSS keeps SQLite from turning the loops round, which would leave the inner one without its index.
      add(join.kind == JoinKind::Left ? " LEFT JOIN documents AS " : " CROSS JOIN documents AS ");
      add(source_name(i + 1) + " ON ");
      is_living(i + 1, join.collection);
      add(" AND ");
      expression(*join.on);
    }
  }

  void where() {
    add(" WHERE ");
    is_living(0, statement_.collection);
    if (statement_.where == nullptr) return;
    add(" AND ");
    expression(*statement_.where);
  }

  // Without an index the work would be the product of two collections.
  void check_join(const Join& join, std::size_t source) {
    const auto indexes = catalog_.indexes_of(join.collection);
    if (!indexes && status_) status_ = fail(indexes.error());
    if (!status_) return;
    std::string wanted;
    const auto serves = [&](const Expression& node) {
      if (node.kind != ExpressionKind::Compare || node.comparison != Comparison::Equal) return false;
      return std::any_of(node.operands.begin(), node.operands.end(), [&](const Operand& operand) {
        const auto* field = std::get_if<JoinedPath>(&operand);
        if (field == nullptr || field->source != source) return false;
        wanted = field->path.back();
        return is_id(field->path) || std::any_of(indexes->begin(), indexes->end(), [&](const Index& index) {
                 return index.kind == IndexKind::Ordered && index.fields.front().path == field->path;
               });
      });
    };
    const bool is_and = join.on->kind == ExpressionKind::And;
    if (is_and ? std::any_of(join.on->children.begin(), join.on->children.end(), serves) : serves(*join.on)) return;
    status_ =
        fail(ErrorCode::InvalidArgument,
             "JOIN " + join.collection + ": ON must compare the _id or an indexed field of " + join.alias +
                 " with =" + (wanted.empty() ? "" : "; CREATE INDEX on " + join.collection + " (" + wanted + ")"));
  }

  void call(std::string_view function, const FieldOf& field) {
    add(std::string(function) + "(" + source_name(field.source) + ".body, " + store::sql_path(*field.path) + ")");
  }

  // What only we can compute, with all that it may speak of.
  void computed(std::string_view function, Binding what) {
    add(std::string(function) + "(");
    bind(std::move(what));
    for (std::size_t i = 0; i < compiled_.sources; ++i) {
      add(", " + source_name(i) + ".id, " + source_name(i) + ".body");
    }
    add(")");
  }

  void order() {
    add(" ORDER BY ");
    for (const OrderTerm& term : statement_.order) order(term);
    for (std::size_t i = 0; i < compiled_.sources; ++i) add((i > 0 ? ", " : "") + source_name(i) + ".id");
  }

  // Missing last, whichever the direction.
  void order(const OrderTerm& term) {
    const std::string_view direction = term.direction == Direction::Descending ? " DESC, " : ", ";
    const FieldOf field = field_of(term.value);
    if (field.path != nullptr && field.path->front() == kIdField) {
      if (is_id(*field.path)) add(source_name(field.source) + ".id" + std::string(direction));
      return;
    }
    // What the condition compares is not missing, and an index gives the order then.
    if (field.path == nullptr || field.source > 0 || !is_present(statement_.where, *field.path)) {
      kind(term.value);
      add(" = 0, ");
    }
    operand(term.value);
    add(direction);
  }

  void limit() {
    if (!statement_.limit && !statement_.offset) return;
    add(" LIMIT ");
    bind(Value(static_cast<long long>(statement_.limit.value_or(-1))));
    if (!statement_.offset) return;
    add(" OFFSET ");
    bind(Value(static_cast<long long>(*statement_.offset)));
  }

  void operand(const Operand& operand) {
    if (const auto* value = std::get_if<Value>(&operand)) return bind(*value);
    const FieldOf field = field_of(operand);
    if (field.path == nullptr) return computed("fermata_value", &operand);
    if (is_id(*field.path)) {
      add("+" + source_name(field.source) + ".id");  // the plus takes the column's affinity away, so that 5 is not '5'
    } else if (field.path->front() == kIdField) {
      add("NULL");
    } else {
      call("fermata_get", field);
    }
  }

  // Against text alone the affinity has no effect, and the bare column can use the primary key.
  void needle(const Expression& node) {
    const FieldOf field = field_of(node.operands[0]);
    if (field.path != nullptr && is_id(*field.path) &&
        std::all_of(node.operands.begin() + 1, node.operands.end(), is_text)) {
      add(source_name(field.source) + ".id");
    } else {
      operand(node.operands[0]);
    }
  }

  // 0 missing, 1 null, 2 anything else, as fermata_kind().
  void kind(const Operand& operand) {
    if (const auto* value = std::get_if<Value>(&operand)) return add(counts_as_null(*value) ? "1" : "2");
    const FieldOf field = field_of(operand);
    if (field.path == nullptr) return computed("fermata_value_kind", &operand);
    if (field.path->front() != kIdField) {
      add("coalesce(");  // nothing was joined: no body
      call("fermata_kind", field);
      return add(", 0)");
    }
    add(!is_id(*field.path) ? "0"
        : field.source == 0 ? "2"
                            : "iif(" + source_name(field.source) + ".id IS NULL, 0, 2)");
  }

  // Halving keeps SQLite's own tree shallow; it refuses chains of a thousand.
  void joined(const std::vector<Expression>& children, std::size_t from, std::size_t to, std::string_view word) {
    if (to - from == 1) return expression(children[from]);
    const std::size_t middle = from + (to - from) / 2;
    add("(");
    joined(children, from, middle, word);
    add(word);
    joined(children, middle, to, word);
    add(")");
  }

  void expression(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::And:
        return joined(node.children, 0, node.children.size(), " AND ");
      case ExpressionKind::Or:
        return joined(node.children, 0, node.children.size(), " OR ");
      case ExpressionKind::Any:
      case ExpressionKind::Every:
        return computed("fermata_condition", &node);
      case ExpressionKind::Match:
        return match(node);
      default:
        add("(");
        leaf(node);
        add(")");
    }
  }

  void leaf(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::Not:
        add("NOT ");
        return expression(node.children.front());
      case ExpressionKind::Compare:
        return compare(node);
      case ExpressionKind::In:
        needle(node);
        return list(" IN (", node, 1);
      case ExpressionKind::Like:
        return list("fermata_like(", node, 0);
      case ExpressionKind::IsNull:
        kind(node.operands[0]);
        return add(" = 1");
      case ExpressionKind::IsMissing:
        kind(node.operands[0]);
        return add(" = 0");
      default:
        return list("fermata_truth(", node, 0);
    }
  }

  void list(std::string_view before, const Expression& node, std::size_t from) {
    add(before);
    for (std::size_t i = from; i < node.operands.size(); ++i) {
      if (i > from) add(", ");
      operand(node.operands[i]);
    }
    add(")");
  }

  void compare(const Expression& node) {
    needle(node);
    add(sign_of(node.comparison));
    operand(node.operands[1]);
    if (node.comparison != Comparison::Equal) return;
    // An id that is joined on: once bare for the index, which takes 5 for '5', and above as it is meant.
    for (std::size_t i = 0; i < 2; ++i) {
      const auto* id = std::get_if<JoinedPath>(&node.operands[i]);
      if (id == nullptr || !is_id(id->path)) continue;
      add(" AND " + source_name(id->source) + ".id = ");
      operand(node.operands[1 - i]);
    }
  }

  void match(const Expression& node) {
    auto index = catalog_.full_text_index(statement_.collection, node.name);
    if (!index) {
      if (status_) status_ = fail(index.error());
      return;
    }
    const std::string table = store::table_of(*index);
    add("d0.rowid IN (SELECT rowid FROM " + table + " WHERE " + table + " MATCH ");
    bind(Value(search_in(*index, node)));
    add(")");
  }

  // FTS5 takes the columns to look in with the text to look for.
  static std::string search_in(const Index& index, const Expression& node) {
    const auto* text = std::get<Value>(node.operands.front()).if_a<std::string>();
    for (std::size_t i = 0; i < index.fields.size() && index.name != node.name; ++i) {
      if (path_text(index.fields[i].path) == node.name) return "f" + std::to_string(i) + " : (" + *text + ")";
    }
    return *text;
  }

  const SelectStatement& statement_;
  Catalog& catalog_;
  CompiledSelect compiled_;
  Status status_;
};

}  // namespace

Result<CompiledSelect> compile(const SelectStatement& statement, Columns columns, Catalog& catalog) {
  return Compiler(statement, catalog).select(columns);
}

}  // namespace fermata::query
