#include "query/literals.hpp"

#include <charconv>
#include <cmath>

#include "base/utf8.hpp"
#include "query/functions.hpp"
#include "query/parser.hpp"

namespace fermata::query {
namespace {

void write_quoted(std::string& out, std::string_view content, char quote) {
  out += quote;
  for (const char c : content) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
}

Status write_text(std::string& out, std::string_view text) {
  if (!is_utf8(text)) return fail(ErrorCode::InvalidArgument, "a text value is not UTF-8; pass bytes as Bytes");
  write_quoted(out, text, '\'');
  return {};
}

Status write_real(std::string& out, double real) {
  if (!std::isfinite(real)) {
    return fail(ErrorCode::InvalidArgument, "a subscription cannot compare with NaN or infinity: they have no literal");
  }
  char digits[40];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), real).ptr;
  const std::string_view shortest(digits, static_cast<std::size_t>(end - digits));
  out += shortest;
  if (shortest.find_first_of(".e") == std::string_view::npos) out += ".0";  // or it would read back as an integer
  return {};
}

Status write_array(std::string& out, const Array& array) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ", ";
    if (auto written = write_literal(out, array[i]); !written) return written;
  }
  out += ']';
  return {};
}

Status write_map(std::string& out, const Map& map) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : map) {
    if (!first) out += ", ";
    first = false;
    if (auto written = write_text(out, key); !written) return written;
    out += ": ";
    if (auto written = write_literal(out, value); !written) return written;
  }
  out += '}';
  return {};
}

// What becomes of values that have no literal.
enum class Unwritable : std::uint8_t { Refused, Described };

// Writes one statement's text.
class Writer {
 public:
  explicit Writer(Unwritable unwritable = Unwritable::Refused, std::span<const std::string> aliases = {},
                  std::size_t quantifiers = 0)
      : unwritable_(unwritable), aliases_(aliases), outer_(quantifiers), variables_(quantifiers) {}
  std::string take() { return std::move(out_); }
  [[nodiscard]] const Status& status() const { return status_; }
  void append(std::string_view text) { out_ += text; }
  void name(std::string_view text) { write_name(out_, text); }

  void expression(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::And:
        return joined(node, " AND ");
      case ExpressionKind::Or:
        return joined(node, " OR ");
      case ExpressionKind::Not:
        return negated(node.children.front());
      case ExpressionKind::Compare:
        return compared(node);
      case ExpressionKind::Any:
      case ExpressionKind::Every:
        return quantified(node);
      case ExpressionKind::Call:
        return call(node);
      default:
        return suffixed(node, "");
    }
  }

  void operand(const Operand& operand) {
    if (const auto* path = std::get_if<crdt::Path>(&operand)) return write_path(out_, *path);
    if (const auto* value = std::get_if<Value>(&operand)) return literal(*value);
    if (const auto* joined = std::get_if<JoinedPath>(&operand)) {
      if (joined->source < aliases_.size()) write_name(out_, aliases_[joined->source]);
      out_ += '.';
      return write_path(out_, joined->path);
    }
    if (const auto* variable = std::get_if<Variable>(&operand)) {
      if (variable->depth >= outer_) return write_name(out_, variables_[variable->depth]);
      out_ += "?" + std::to_string(variable->depth);  // nothing else is called so
      return;
    }
    if (const auto* slot = std::get_if<Slot>(&operand)) {
      out_ += "$" + std::to_string(slot->number);
      return;
    }
    computed(*std::get<ExpressionRef>(operand));
  }

 private:
  void literal(const Value& value) {
    if (const auto* timestamp = value.if_a<Timestamp>()) {
      out_ += "timestamp('" + timestamp->to_text() + "')";
      return;
    }
    const auto written = write_literal(out_, value);
    if (written) return;
    if (unwritable_ == Unwritable::Described) {
      out_ += to_json(value);
    } else if (status_) {
      status_ = written;
    }
  }

  // In parentheses where something around it could bind more tightly.
  void computed(const Expression& node) {
    const bool bare = node.kind == ExpressionKind::Call && node.function->notation != Notation::Infix &&
                      node.function->notation != Notation::Prefix;
    if (!bare) out_ += '(';
    if (node.kind == ExpressionKind::Truth) out_ += "NOT NOT ";  // else it would be read as the value itself
    expression(node);
    if (!bare) out_ += ')';
  }

  void quantified(const Expression& node) {
    out_ += node.kind == ExpressionKind::Any ? "ANY " : "EVERY ";
    write_name(out_, node.name);
    out_ += " IN ";
    operand(node.operands.front());
    out_ += " SATISFIES ";
    variables_.push_back(node.name);
    expression(node.children.front());
    variables_.pop_back();
    out_ += " END";
  }

  void call(const Expression& node) {
    const Function& function = *node.function;
    switch (function.notation) {
      case Notation::Infix:
        operand(node.operands[0]);
        out_ += " " + std::string(function.name) + " ";
        return operand(node.operands[1]);
      case Notation::Prefix:
        out_ += "- ";  // the space keeps it from becoming part of a number
        return operand(node.operands[0]);
      case Notation::Element:
        operand(node.operands[0]);
        out_ += '[';
        operand(node.operands[1]);
        out_ += ']';
        return;
      case Notation::Member:
        operand(node.operands[0]);
        out_ += '.';
        return write_name(out_, *std::get<Value>(node.operands[1]).if_a<std::string>());
      case Notation::Call:
        break;
    }
    out_ += function.name;
    out_ += '(';
    list(node, 0);
  }

  void joined(const Expression& node, std::string_view word) {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) out_ += word;
      const bool grouped = node.kind == ExpressionKind::And && node.children[i].kind == ExpressionKind::Or;
      if (grouped) out_ += '(';
      expression(node.children[i]);
      if (grouped) out_ += ')';
    }
  }

  void negated(const Expression& child) {
    switch (child.kind) {
      case ExpressionKind::In:
      case ExpressionKind::Like:
      case ExpressionKind::IsNull:
      case ExpressionKind::IsMissing:
        return suffixed(child, "NOT ");
      case ExpressionKind::And:
      case ExpressionKind::Or:
        out_ += "NOT (";
        expression(child);
        out_ += ')';
        return;
      default:
        out_ += "NOT ";
        return expression(child);
    }
  }

  void compared(const Expression& node) {
    operand(node.operands[0]);
    out_ += sign_of(node.comparison);
    operand(node.operands[1]);
  }

  // A value, then `not_word` at the place that the grammar has for it.
  void suffixed(const Expression& node, std::string_view not_word) {
    if (node.kind == ExpressionKind::Match) {
      out_ += node.name;
    } else {
      operand(node.operands[0]);
    }
    const std::string negation(not_word);
    switch (node.kind) {
      case ExpressionKind::In:
        out_ += " " + negation + "IN (";
        return in_list(node);
      case ExpressionKind::Match:
        out_ += " MATCH ";
        return operand(node.operands[0]);
      case ExpressionKind::Like:
        out_ += " " + negation + "LIKE ";
        return operand(node.operands[1]);
      case ExpressionKind::IsNull:
        out_ += " IS " + negation + "NULL";
        return;
      case ExpressionKind::IsMissing:
        out_ += " IS " + negation + "MISSING";
        return;
      default:
        return;
    }
  }

  // One array alone would be the list itself.
  void in_list(const Expression& node) {
    const auto* only = node.operands.size() == 2 ? std::get_if<Value>(&node.operands[1]) : nullptr;
    const bool is_wrapped = only != nullptr && only->if_a<Array>() != nullptr;
    if (!is_wrapped) return list(node, 1);
    out_ += '[';
    literal(*only);
    out_ += "])";
  }

  void list(const Expression& node, std::size_t from) {
    for (std::size_t i = from; i < node.operands.size(); ++i) {
      if (i > from) out_ += ", ";
      operand(node.operands[i]);
    }
    out_ += ')';
  }

  Unwritable unwritable_;
  std::span<const std::string> aliases_;  // of the collections of the statement
  std::size_t outer_;                     // so many quantifiers stand around what is written
  std::vector<std::string> variables_;    // of those, and of those within
  std::string out_;
  Status status_;
};

}  // namespace

std::string describe(const Operand& operand, std::span<const std::string> aliases, std::size_t quantifiers) {
  Writer writer(Unwritable::Described, aliases, quantifiers);
  writer.operand(operand);
  return writer.take();
}

std::string path_text(const crdt::Path& path) {
  std::string text;
  write_path(text, path);
  return text;
}

std::string unquote(std::string_view quoted) {
  const char quote = quoted.front();
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    out += quoted[i];
    if (quoted[i] == quote) ++i;
  }
  return out;
}

Result<Value> parse_number(std::string_view digits) {
  const char* const end = digits.data() + digits.size();
  if (std::int64_t integer = 0; digits.find_first_of(".eE") == std::string_view::npos) {
    if (std::from_chars(digits.data(), end, integer).ec == std::errc{}) return Value(static_cast<long long>(integer));
  }
  double real = 0;
  if (std::from_chars(digits.data(), end, real).ec == std::errc{}) return Value(real);
  return fail(ErrorCode::InvalidArgument, "the number " + std::string(digits.substr(0, 40)) +
                                              " is beyond what a 64-bit floating point number holds");
}

void write_name(std::string& out, std::string_view name) {
  if (is_plain_name(name)) {
    out += name;
  } else {
    write_quoted(out, name, '"');
  }
}

void write_path(std::string& out, const crdt::Path& path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (i > 0) out += '.';
    write_name(out, path[i]);
  }
}

Status write_literal(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "null";
  } else if (const auto* boolean = value.if_a<bool>()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* integer = value.if_a<std::int64_t>()) {
    out += std::to_string(*integer);
  } else if (const auto* real = value.if_a<double>()) {
    return write_real(out, *real);
  } else if (const auto* text = value.if_a<std::string>()) {
    return write_text(out, *text);
  } else if (const auto* array = value.if_a<Array>()) {
    return write_array(out, *array);
  } else if (const auto* map = value.if_a<Map>()) {
    return write_map(out, *map);
  } else {
    return fail(ErrorCode::InvalidArgument,
                "a subscription cannot compare with bytes or attachments, nor with timestamps inside arrays and maps: "
                "they have no literal there");
  }
  return {};
}

Result<std::string> write_select(std::string_view collection, const Where& where) {
  Writer writer;
  writer.append("SELECT * FROM ");
  writer.name(collection);
  if (where != nullptr) {
    writer.append(" WHERE ");
    writer.expression(*where);
  }
  if (!writer.status()) return fail(writer.status().error());
  return writer.take();
}

}  // namespace fermata::query
