#include <fermata/value.hpp>

#include <fmt/format.h>

#include <cmath>

#include "base/base64.hpp"
#include "base/bytes.hpp"

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
  if (!std::isfinite(value)) {
    out += fmt::format(R"({{"$double":"{}"}})", std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
    return;
  }
  const std::string text = fmt::format("{}", value);
  out += text;
  // "1" would be read back as an integer.
  if (text.find_first_of(".e") == std::string::npos) out += ".0";
}

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  void operator()(std::nullptr_t) const { out_ += "null"; }
  void operator()(bool v) const { out_ += v ? "true" : "false"; }
  void operator()(std::int64_t v) const { out_ += std::to_string(v); }
  void operator()(double v) const { append_real(out_, v); }
  void operator()(const std::string& v) const { append_string(out_, v); }
  void operator()(const Bytes& v) const { out_ += fmt::format(R"({{"$bytes":"{}"}})", to_base64(v)); }
  void operator()(const Array& v) const {
    out_.push_back('[');
    for (const Value& item : v) {
      if (&item != v.data()) out_.push_back(',');
      std::visit(*this, item.variant());
    }
    out_.push_back(']');
  }
  void operator()(Timestamp v) const { out_ += fmt::format(R"({{"$timestamp":"{}"}})", TimestampText(v).view()); }
  void operator()(const Attachment& v) const {
    out_ += fmt::format(R"({{"$attachment":{{"hash":"{}","size":{},"metadata":)", to_hex(v.hash()), v.size_bytes());
    (*this)(Map(v.metadata().begin(), v.metadata().end()));
    out_ += "}}";
  }
  void operator()(const Map& v) const {
    const bool looks_marked = v.size() == 1 && v.begin()->first.starts_with('$');
    if (looks_marked) out_ += R"({"$map":)";
    fields(v);
    if (looks_marked) out_.push_back('}');
  }

 private:
  void fields(const Map& v) const {
    out_.push_back('{');
    const char* separator = "";
    for (const auto& [key, item] : v) {
      out_ += separator;
      separator = ",";
      append_string(out_, key);
      out_.push_back(':');
      std::visit(*this, item.variant());
    }
    out_.push_back('}');
  }

  std::string& out_;
};

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  std::visit(JsonWriter{out}, value.variant());
  return out;
}

}  // namespace fermata
