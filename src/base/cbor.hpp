// CBOR (RFC 8949) written and read as a stream, on libcbor. The writer cannot fail; the reader trusts nothing:
// every call is an Error of code Malformed or LimitExceeded on bytes that are not what was asked for.
// Only definite lengths are accepted, and nesting at most kMaxDepth levels, so hostile input costs what it weighs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace fermata {

inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::uint64_t kTimestampTag = 1;            // RFC 8949 §3.4.2
inline constexpr std::uint64_t kAttachmentTag = 0x4645524D;  // of the range that is free to take; docs/FORMAT.md

class CborWriter {
 public:
  CborWriter() { out_.reserve(kRoom); }
  void null();
  void boolean(bool value);
  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void real(double value);
  void text(std::string_view value);
  void bytes(ByteView value);
  void array(std::size_t count);             // the next `count` items belong to it
  void map(std::size_t count);               // the next 2 × `count` items belong to it
  void timestamp(Timestamp value);           // tag 1: seconds, an integer if they are whole, else 64 bits of real
  void attachment(const Attachment& value);  // its tag and [hash, size, metadata]
  void value(const Value& value);
  void raw(ByteView encoded);  // an already encoded item

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] Bytes take() { return std::move(out_); }
  [[nodiscard]] ByteView view() const { return out_; }

 private:
  static constexpr std::size_t kRoom = 512;  // most documents fit
  Bytes out_;
};

// Reads items in order. A cursor: keeps a view of the caller's bytes, which must outlive it.
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] Result<bool> boolean();
  [[nodiscard]] Result<std::uint64_t> uint();
  [[nodiscard]] Result<std::int64_t> integer();
  [[nodiscard]] Result<std::string_view> text();  // valid UTF-8; a view into the input
  [[nodiscard]] Result<ByteView> bytes();         // a view into the input
  [[nodiscard]] Result<std::size_t> array();      // count of items; never more than the bytes left
  [[nodiscard]] Result<std::size_t> map();        // count of pairs; never more than half the bytes left
  [[nodiscard]] Result<Value> value();  // any item, as deep as kMaxDepth; duplicate keys are Malformed, and so
                                        // is a timestamp or attachment that is not as the writer writes it
  // The same of at most so many items, containers included; takes them off. LimitExceeded beyond.
  [[nodiscard]] Result<Value> value(std::size_t& items_left);
  [[nodiscard]] bool next_is_null() const;  // does not consume; nor does the next
  [[nodiscard]] bool next_is_boolean() const;
  [[nodiscard]] bool next_is_uint() const;
  [[nodiscard]] Status null();
  [[nodiscard]] Status skip();  // passes over one item of any kind
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

[[nodiscard]] Bytes encode_value(const Value& value);
[[nodiscard]] Result<Value> decode_value(ByteView bytes);  // exactly one item

}  // namespace fermata
