#include <cbor.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/cbor.hpp"
#include "base/utf8.hpp"

namespace fermata {
namespace {

enum class Kind : std::uint8_t {
  Nothing,
  Null,
  Boolean,
  Unsigned,
  Negative,
  Real,
  Text,
  Bytes,
  Array,
  Map,
  Tag,
  Foreign
};

// One item's head as libcbor's callbacks told it; for strings the content, for containers the count.
struct Item {
  Kind kind = Kind::Nothing;
  bool boolean = false;
  std::uint64_t number = 0;
  double real = 0;
  ByteView content;
};

template <class Int>
void on_unsigned(void* item, Int value) {
  *static_cast<Item*>(item) = {.kind = Kind::Unsigned, .number = value};
}
template <class Int>
void on_negative(void* item, Int value) {
  *static_cast<Item*>(item) = {.kind = Kind::Negative, .number = value};
}
template <class Float>
void on_real(void* item, Float value) {
  *static_cast<Item*>(item) = {.kind = Kind::Real, .real = static_cast<double>(value)};
}
template <Kind kKind>
void on_string(void* item, cbor_data data, std::size_t size) {
  *static_cast<Item*>(item) = {.kind = kKind, .content = ByteView(data, size)};
}
template <Kind kKind>
void on_container(void* item, std::size_t count) {
  *static_cast<Item*>(item) = {.kind = kKind, .number = count};
}
template <Kind kKind>
void on_simple(void* item) {
  *static_cast<Item*>(item) = {.kind = kKind};
}

cbor_callbacks make_callbacks() {
  cbor_callbacks callbacks = cbor_empty_callbacks;
  callbacks.uint8 = on_unsigned<std::uint8_t>;
  callbacks.uint16 = on_unsigned<std::uint16_t>;
  callbacks.uint32 = on_unsigned<std::uint32_t>;
  callbacks.uint64 = on_unsigned<std::uint64_t>;
  callbacks.negint8 = on_negative<std::uint8_t>;
  callbacks.negint16 = on_negative<std::uint16_t>;
  callbacks.negint32 = on_negative<std::uint32_t>;
  callbacks.negint64 = on_negative<std::uint64_t>;
  callbacks.float2 = on_real<float>;
  callbacks.float4 = on_real<float>;
  callbacks.float8 = on_real<double>;
  callbacks.string = on_string<Kind::Text>;
  callbacks.byte_string = on_string<Kind::Bytes>;
  callbacks.array_start = on_container<Kind::Array>;
  callbacks.map_start = on_container<Kind::Map>;
  callbacks.null = on_simple<Kind::Null>;
  callbacks.boolean = [](void* item, bool value) {
    *static_cast<Item*>(item) = {.kind = Kind::Boolean, .boolean = value};
  };
  callbacks.undefined = on_simple<Kind::Foreign>;
  callbacks.byte_string_start = on_simple<Kind::Foreign>;
  callbacks.string_start = on_simple<Kind::Foreign>;
  callbacks.indef_array_start = on_simple<Kind::Foreign>;
  callbacks.indef_map_start = on_simple<Kind::Foreign>;
  callbacks.indef_break = on_simple<Kind::Foreign>;
  callbacks.tag = [](void* item, std::uint64_t tag) {
    const bool known = tag == kTimestampTag || tag == kAttachmentTag;
    *static_cast<Item*>(item) = {.kind = known ? Kind::Tag : Kind::Foreign, .number = tag};
  };
  return callbacks;
}

tl::unexpected<Error> malformed(const char* what) {
  return fail(ErrorCode::Malformed, std::string("CBOR: ") + what);
}

Result<Item> next_item(ByteView& rest) {
  static const cbor_callbacks callbacks = make_callbacks();
  Item item;
  const cbor_decoder_result decoded = cbor_stream_decode(rest.data(), rest.size(), &callbacks, &item);
  if (decoded.status != CBOR_DECODER_FINISHED) return malformed("the bytes end inside an item, or are none");
  if (item.kind == Kind::Nothing || item.kind == Kind::Foreign) {
    return malformed("an item of a kind that is not used here (another tag, indefinite length, undefined)");
  }
  rest = rest.subspan(decoded.read);
  // Each promised item takes at least one byte, so a count can never ask for more memory than was sent.
  if (item.kind == Kind::Array && item.number > rest.size()) return malformed("an array longer than its bytes");
  if (item.kind == Kind::Map && item.number > rest.size() / 2) return malformed("a map longer than its bytes");
  return item;
}

Result<Item> expect(ByteView& rest, Kind kind, const char* what) {
  ByteView ahead = rest;
  auto item = next_item(ahead);
  if (!item) return item;
  if (item->kind != kind) return malformed(what);
  rest = ahead;
  return item;
}

Result<std::int64_t> to_signed(const Item& item) {
  if (item.number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return malformed("an integer beyond 64 bits");
  }
  const auto magnitude = static_cast<std::int64_t>(item.number);
  return item.kind == Kind::Negative ? -1 - magnitude : magnitude;
}

Result<std::string_view> to_text(const Item& item) {
  const std::string_view text(reinterpret_cast<const char*>(item.content.data()), item.content.size());
  if (!is_utf8(text)) return malformed("text that is not UTF-8");
  return text;
}

Result<Timestamp> read_timestamp(ByteView& rest) {
  constexpr double kPerSecond = 1000;
  constexpr double kTooMany = 1e12;  // seconds; twice as many as the year 9999 has
  auto item = next_item(rest);
  if (!item) return fail(item.error());
  double since_1970 = item->real;
  if (item->kind == Kind::Unsigned) since_1970 = static_cast<double>(item->number);
  if (item->kind == Kind::Negative) since_1970 = -1 - static_cast<double>(item->number);
  if (!(std::abs(since_1970) < kTooMany)) return malformed("a timestamp that is no time");
  return Timestamp::from_time(Timestamp::Time(std::chrono::milliseconds(std::llround(since_1970 * kPerSecond))));
}

Result<AttachmentMetadata> read_metadata(ByteView& rest) {
  auto entries = expect(rest, Kind::Map, "an attachment's metadata that is no map");
  if (!entries) return fail(entries.error());
  if (entries->number > kMaxMetadataEntries) return malformed("an attachment with too many entries of metadata");
  AttachmentMetadata metadata;
  for (std::uint64_t i = 0; i < entries->number; ++i) {
    auto key = expect(rest, Kind::Text, "a metadata key that is not text").and_then(to_text);
    if (!key) return fail(key.error());
    auto entry = expect(rest, Kind::Text, "metadata that is not text").and_then(to_text);
    if (!entry) return fail(entry.error());
    metadata.insert_or_assign(std::string(*key), *entry);
  }
  return metadata;
}

Result<Attachment> read_attachment(ByteView& rest) {
  constexpr std::uint64_t kFields = 3;
  auto fields = expect(rest, Kind::Array, "an attachment that is no array");
  if (!fields) return fail(fields.error());
  if (fields->number != kFields) return malformed("an attachment of other than three fields");
  auto hash = expect(rest, Kind::Bytes, "an attachment whose hash is not bytes");
  if (!hash) return fail(hash.error());
  ContentHash content{};
  if (hash->content.size() != content.size()) return malformed("an attachment whose hash has not 32 bytes");
  std::copy(hash->content.begin(), hash->content.end(), content.begin());
  auto size = expect(rest, Kind::Unsigned, "an attachment whose size is no number");
  if (!size) return fail(size.error());
  auto metadata = read_metadata(rest);
  if (!metadata) return fail(metadata.error());
  return Attachment::make(content, size->number, std::move(*metadata));
}

// What follows a tag. Equal values must have equal bytes, or peers would hold different documents for the same: so the
// only encoding is the one that the writer chooses. `tagged` begins at the tag.
Result<Value> read_tagged(ByteView tagged, ByteView& rest, std::uint64_t tag) {
  const bool is_timestamp = tag == kTimestampTag;
  auto value = is_timestamp ? read_timestamp(rest).map([](Timestamp v) { return Value(v); })
                            : read_attachment(rest).map([](Attachment v) { return Value(std::move(v)); });
  if (!value) return fail(ErrorCode::Malformed, value.error().message);
  const Bytes again = encode_value(*value);
  if (!std::ranges::equal(tagged.first(tagged.size() - rest.size()), again)) {
    return malformed(is_timestamp ? "a timestamp in another than its one encoding"
                                  : "an attachment in another than its one encoding");
  }
  return value;
}

Result<Value> read_value(ByteView& rest, std::size_t depth, std::size_t& items_left);

Result<Value> read_array(ByteView& rest, std::size_t count, std::size_t depth, std::size_t& items_left) {
  Array array;
  for (std::size_t i = 0; i < count; ++i) {
    auto item = read_value(rest, depth + 1, items_left);
    if (!item) return item;
    array.push_back(std::move(*item));
  }
  return Value(std::move(array));
}

Result<Value> read_map(ByteView& rest, std::size_t count, std::size_t depth, std::size_t& items_left) {
  Map map;
  for (std::size_t i = 0; i < count; ++i) {
    auto key_item = expect(rest, Kind::Text, "a map key that is not text");
    if (!key_item) return fail(key_item.error());
    auto key = to_text(*key_item);
    if (!key) return fail(key.error());
    auto item = read_value(rest, depth + 1, items_left);
    if (!item) return item;
    // Our own maps come in order, so the hint makes this linear.
    const std::size_t before = map.size();
    map.emplace_hint(map.end(), std::string(*key), std::move(*item));
    if (map.size() == before) return malformed("a map with one key twice");
  }
  return Value(std::move(map));
}

Result<Value> read_value(ByteView& rest, std::size_t depth, std::size_t& items_left) {
  if (items_left == 0) return fail(ErrorCode::LimitExceeded, "CBOR: more values than may be here");
  --items_left;
  if (depth > kMaxDepth) return fail(ErrorCode::LimitExceeded, "CBOR: nested deeper than 64 levels");
  const ByteView start = rest;
  auto item = next_item(rest);
  if (!item) return fail(item.error());
  switch (item->kind) {
    case Kind::Null:
      return Value(nullptr);
    case Kind::Boolean:
      return Value(item->boolean);
    case Kind::Unsigned:
    case Kind::Negative:
      return to_signed(*item).map([](std::int64_t v) { return Value(v); });
    case Kind::Real:
      return Value(item->real);
    case Kind::Text:
      return to_text(*item).map([](std::string_view v) { return Value(v); });
    case Kind::Bytes:
      return Value(Bytes(item->content.begin(), item->content.end()));
    case Kind::Array:
      return read_array(rest, item->number, depth, items_left);
    case Kind::Map:
      return read_map(rest, item->number, depth, items_left);
    case Kind::Tag:
      return read_tagged(start, rest, item->number);
    case Kind::Nothing:
    case Kind::Foreign:
      break;
  }
  return malformed("an item of a kind that is not used here");
}

}  // namespace

Result<bool> CborReader::boolean() {
  return expect(rest_, Kind::Boolean, "a boolean was expected").map([](const Item& item) { return item.boolean; });
}

Result<std::uint64_t> CborReader::uint() {
  // Most numbers are small, and such a one is its head's byte.
  constexpr std::uint8_t kFirstLongHead = 24;
  if (!rest_.empty() && rest_.front() < kFirstLongHead) {
    const std::uint64_t number = rest_.front();
    rest_ = rest_.subspan(1);
    return number;
  }
  return expect(rest_, Kind::Unsigned, "an unsigned integer was expected").map([](const Item& item) {
    return item.number;
  });
}

Result<std::int64_t> CborReader::integer() {
  ByteView ahead = rest_;
  auto item = next_item(ahead);
  if (!item) return fail(item.error());
  if (item->kind != Kind::Unsigned && item->kind != Kind::Negative) return malformed("an integer was expected");
  rest_ = ahead;
  return to_signed(*item);
}

Result<std::string_view> CborReader::text() {
  return expect(rest_, Kind::Text, "text was expected").and_then(to_text);
}

Result<ByteView> CborReader::bytes() {
  return expect(rest_, Kind::Bytes, "bytes were expected").map([](const Item& item) { return item.content; });
}

Result<std::size_t> CborReader::array() {
  return expect(rest_, Kind::Array, "an array was expected").map([](const Item& item) -> std::size_t {
    return item.number;
  });
}

Result<std::size_t> CborReader::map() {
  return expect(rest_, Kind::Map, "a map was expected").map([](const Item& item) -> std::size_t {
    return item.number;
  });
}

Result<Value> CborReader::value() {
  std::size_t unlimited = SIZE_MAX;
  return value(unlimited);
}

Result<Value> CborReader::value(std::size_t& items_left) {
  return read_value(rest_, 0, items_left);
}

bool CborReader::next_is_null() const {
  ByteView ahead = rest_;
  const auto item = next_item(ahead);
  return item && item->kind == Kind::Null;
}

bool CborReader::next_is_boolean() const {
  ByteView ahead = rest_;
  const auto item = next_item(ahead);
  return item && item->kind == Kind::Boolean;
}

bool CborReader::next_is_uint() const {
  ByteView ahead = rest_;
  const auto item = next_item(ahead);
  return item && item->kind == Kind::Unsigned;
}

Status CborReader::null() {
  auto item = expect(rest_, Kind::Null, "null was expected");
  if (!item) return fail(item.error());
  return {};
}

Status CborReader::skip() {
  // Depth needs no bound here: the count of open items is all the state there is.
  std::uint64_t open = 1;
  while (open > 0) {
    auto item = next_item(rest_);
    if (!item) return fail(item.error());
    --open;
    if (item->kind == Kind::Array) open += item->number;
    if (item->kind == Kind::Map) open += 2 * item->number;
    if (item->kind == Kind::Tag) ++open;
  }
  return {};
}

Result<Value> decode_value(ByteView bytes) {
  CborReader reader(bytes);
  auto value = reader.value();
  if (value && !reader.at_end()) return malformed("bytes after the end of the item");
  return value;
}

}  // namespace fermata
