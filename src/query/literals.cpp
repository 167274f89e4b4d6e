#include "query/literals.hpp"

#include <charconv>
#include <cmath>

#include "base/utf8.hpp"
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

// Writes one statement's text; the first value without a literal stops it.
class Writer {
 public:
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
      default:
        return suffixed(node, "");
    }
  }

 private:
  void operand(const Operand& operand) {
    if (const auto* path = std::get_if<crdt::Path>(&operand)) return write_path(out_, *path);
    if (auto written = write_literal(out_, std::get<Value>(operand)); !written && status_) status_ = written;
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
    operand(node.operands[0]);
    const std::string negation(not_word);
    switch (node.kind) {
      case ExpressionKind::In:
        out_ += " " + negation + "IN (";
        return list(node);
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

  void list(const Expression& node) {
    for (std::size_t i = 1; i < node.operands.size(); ++i) {
      if (i > 1) out_ += ", ";
      operand(node.operands[i]);
    }
    out_ += ')';
  }

  std::string out_;
  Status status_;
};

}  // namespace

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
    const bool is_timestamp = value.if_a<Timestamp>() != nullptr;
    return fail(ErrorCode::InvalidArgument,
                is_timestamp ? "a timestamp has no literal; compare with its text, such as '2026-11-23T19:40:26.000Z'"
                             : "a subscription cannot compare with bytes or attachments: they have no literal");
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
