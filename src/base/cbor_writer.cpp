#include <cbor.h>

#include "base/cbor.hpp"

namespace fermata {
namespace {

constexpr std::size_t kMaxHead = 9;

template <class Encode>
void append_head(Bytes& out, Encode encode) {
  unsigned char head[kMaxHead];
  const std::size_t size = encode(head, sizeof head);
  out.insert(out.end(), head, head + size);
}

struct ValueWriter {
  CborWriter& out;
  void operator()(std::nullptr_t) const { out.null(); }
  void operator()(bool v) const { out.boolean(v); }
  void operator()(std::int64_t v) const { out.integer(v); }
  void operator()(double v) const { out.real(v); }
  void operator()(const std::string& v) const { out.text(v); }
  void operator()(const Bytes& v) const { out.bytes(v); }
  void operator()(const Array& v) const {
    out.array(v.size());
    for (const Value& item : v) out.value(item);
  }
  void operator()(const Map& v) const {
    out.map(v.size());
    for (const auto& [key, item] : v) {
      out.text(key);
      out.value(item);
    }
  }
};

}  // namespace

void CborWriter::null() {
  append_head(out_, cbor_encode_null);
}

void CborWriter::boolean(bool value) {
  append_head(out_, [value](unsigned char* at, std::size_t room) { return cbor_encode_bool(value, at, room); });
}

void CborWriter::uint(std::uint64_t value) {
  append_head(out_, [value](unsigned char* at, std::size_t room) { return cbor_encode_uint(value, at, room); });
}

void CborWriter::integer(std::int64_t value) {
  if (value >= 0) return uint(static_cast<std::uint64_t>(value));
  // RFC 8949 §3.1: a negative integer n is carried as -1 - n.
  const auto magnitude = static_cast<std::uint64_t>(-(value + 1));
  append_head(out_,
              [magnitude](unsigned char* at, std::size_t room) { return cbor_encode_negint(magnitude, at, room); });
}

void CborWriter::real(double value) {
  append_head(out_, [value](unsigned char* at, std::size_t room) { return cbor_encode_double(value, at, room); });
}

void CborWriter::text(std::string_view value) {
  append_head(out_,
              [&](unsigned char* at, std::size_t room) { return cbor_encode_string_start(value.size(), at, room); });
  raw(as_bytes(value));
}

void CborWriter::bytes(ByteView value) {
  append_head(
      out_, [&](unsigned char* at, std::size_t room) { return cbor_encode_bytestring_start(value.size(), at, room); });
  raw(value);
}

void CborWriter::array(std::size_t count) {
  append_head(out_, [count](unsigned char* at, std::size_t room) { return cbor_encode_array_start(count, at, room); });
}

void CborWriter::map(std::size_t count) {
  append_head(out_, [count](unsigned char* at, std::size_t room) { return cbor_encode_map_start(count, at, room); });
}

void CborWriter::value(const Value& value) {
  std::visit(ValueWriter{*this}, value.variant());
}

void CborWriter::raw(ByteView encoded) {
  out_.insert(out_.end(), encoded.begin(), encoded.end());
}

Bytes encode_value(const Value& value) {
  CborWriter writer;
  writer.value(value);
  return writer.take();
}

}  // namespace fermata
