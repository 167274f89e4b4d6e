#include <fermata/value.hpp>

#include <fmt/format.h>

#include <cmath>

#include "base/base64.hpp"

namespace fermata {
namespace {

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void append_real(std::string& out, double value) {
  // JSON has no NaN and no infinity.
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const std::string text = fmt::format("{}", value);
  out += text;
  // "1" would be read back as an integer.
  if (text.find_first_of(".e") == std::string::npos) out += ".0";
}

struct JsonWriter {
  std::string& out;
  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(std::int64_t v) const { out += std::to_string(v); }
  void operator()(double v) const { append_real(out, v); }
  void operator()(const std::string& v) const { append_string(out, v); }
  void operator()(const Bytes& v) const { out += fmt::format(R"({{"$bytes":"{}"}})", to_base64(v)); }
  void operator()(const Array& v) const {
    out.push_back('[');
    for (const Value& item : v) {
      if (&item != v.data()) out.push_back(',');
      std::visit(*this, item.variant());
    }
    out.push_back(']');
  }
  void operator()(const Map& v) const {
    out.push_back('{');
    const char* separator = "";
    for (const auto& [key, item] : v) {
      out += separator;
      separator = ",";
      append_string(out, key);
      out.push_back(':');
      std::visit(*this, item.variant());
    }
    out.push_back('}');
  }
};

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  std::visit(JsonWriter{out}, value.variant());
  return out;
}

}  // namespace fermata
