#include <cbor.h>

#include "base/cbor.hpp"

namespace fermata {
namespace {

constexpr std::size_t kMaxHead = 9;
constexpr std::uint64_t kFirstLong = 24;  // smaller numbers and counts stand in the head's own byte, and most are

enum class Major : std::uint8_t { Uint = 0, Negative = 1, Bytes = 2, Text = 3, Array = 4, Map = 5, Tag = 6 };

template <class Encode>
void append_head(Bytes& out, Encode encode) {
  unsigned char head[kMaxHead];
  const std::size_t size = encode(head, sizeof head);
  out.insert(out.end(), head, head + size);
}

void append_head(Bytes& out, Major major, std::uint64_t number,
                 std::size_t (*encode)(std::uint64_t, unsigned char*, std::size_t)) {
  if (number < kFirstLong) return out.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(major) << 5U | number));
  append_head(out, [=](unsigned char* at, std::size_t room) { return encode(number, at, room); });
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
  void operator()(Timestamp v) const { out.timestamp(v); }
  void operator()(const Attachment& v) const { out.attachment(v); }
};

}  // namespace

void CborWriter::null() {
  append_head(out_, cbor_encode_null);
}

void CborWriter::boolean(bool value) {
  append_head(out_, [value](unsigned char* at, std::size_t room) { return cbor_encode_bool(value, at, room); });
}

void CborWriter::uint(std::uint64_t value) {
  append_head(out_, Major::Uint, value, cbor_encode_uint);
}

void CborWriter::integer(std::int64_t value) {
  if (value >= 0) return uint(static_cast<std::uint64_t>(value));
  // RFC 8949 §3.1: a negative integer n is carried as -1 - n.
  append_head(out_, Major::Negative, static_cast<std::uint64_t>(-(value + 1)), cbor_encode_negint);
}

void CborWriter::real(double value) {
  append_head(out_, [value](unsigned char* at, std::size_t room) { return cbor_encode_double(value, at, room); });
}

void CborWriter::text(std::string_view value) {
  append_head(out_, Major::Text, value.size(), cbor_encode_string_start);
  raw(as_bytes(value));
}

void CborWriter::bytes(ByteView value) {
  append_head(out_, Major::Bytes, value.size(), cbor_encode_bytestring_start);
  raw(value);
}

void CborWriter::array(std::size_t count) {
  append_head(out_, Major::Array, count, cbor_encode_array_start);
}

void CborWriter::map(std::size_t count) {
  append_head(out_, Major::Map, count, cbor_encode_map_start);
}

void CborWriter::timestamp(Timestamp value) {
  constexpr std::int64_t kPerSecond = 1000;
  append_head(out_, Major::Tag, kTimestampTag, cbor_encode_tag);
  const std::int64_t since_1970 = value.time().time_since_epoch().count();
  if (since_1970 % kPerSecond == 0) return integer(since_1970 / kPerSecond);
  real(static_cast<double>(since_1970) / kPerSecond);
}

void CborWriter::attachment(const Attachment& value) {
  append_head(out_, Major::Tag, kAttachmentTag, cbor_encode_tag);
  array(3);
  bytes(value.hash());
  uint(value.size_bytes());
  map(value.metadata().size());
  for (const auto& [key, entry] : value.metadata()) {
    text(key);
    text(entry);
  }
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
