#include <fmt/format.h>

#include "sync/engine.hpp"
#include "sync/messages.hpp"
#include "sync/wire.hpp"

namespace fermata::sync {
namespace {

// Reads item after item and keeps the first error, so that each message reads as a list of its fields; after an error
// every further read gives an empty value. The caller asks once, at the end.
class Fields {
 public:
  explicit Fields(ByteView frame) : in_(frame) {}

  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] Error error() const { return *error_; }
  [[nodiscard]] bool at_end() const { return in_.at_end(); }
  void refuse(ErrorCode code, std::string message) {
    if (ok()) error_ = Error{code, std::move(message)};
  }

  std::uint64_t uint() {
    return take([this] { return in_.uint(); });
  }
  bool boolean() {
    return take([this] { return in_.boolean(); });
  }
  std::string text(std::size_t most, std::string_view what) {
    const std::string_view view = take([this] { return in_.text(); });
    limit(view.size(), most, what);
    return ok() ? std::string(view) : std::string();
  }
  void limit(std::size_t size, std::size_t most, std::string_view what) {
    if (size > most) refuse(ErrorCode::LimitExceeded, fmt::format("{} of {} bytes, more than {}", what, size, most));
  }
  std::size_t array(std::size_t most, std::string_view what) {
    const std::size_t count = take([this] { return in_.array(); });
    if (count <= most) return count;
    refuse(ErrorCode::LimitExceeded, fmt::format("{} {}, more than {}", count, what, most));
    return 0;
  }
  void exactly(std::size_t count, std::size_t expected, std::string_view what) {
    if (ok() && count != expected)
      refuse(ErrorCode::Malformed, fmt::format("{} with {} fields instead of {}", what, count, expected));
  }
  bool null() {
    if (!ok() || !in_.next_is_null()) return false;
    return in_.null().has_value();
  }
  void skip() {
    if (!ok()) return;
    if (auto done = in_.skip(); !done) error_ = done.error();
  }
  crdt::Delta delta() {
    crdt::Delta delta = take([this] { return crdt::decode_delta(in_); });
    limit(delta.collection.size(), kMaxCollectionBytes, "a collection's name");
    limit(delta.id.size(), kMaxIdBytes, "a document's id");
    return delta;
  }

 private:
  template <class Read>
  auto take(Read read) -> typename decltype(read())::value_type {
    if (!ok()) return {};
    auto result = read();
    if (result) return std::move(*result);
    error_ = std::move(result.error());
    return {};
  }

  CborReader in_;
  std::optional<Error> error_;
};

Wanted read_wanted(Fields& in) {
  in.exactly(in.array(16, "fields"), 5, "a subscription");
  Wanted wanted;
  wanted.id = in.uint();
  wanted.query = in.text(kMaxQueryText, "a subscription's query");
  wanted.epoch = in.text(kMaxEpochBytes, "a store epoch");
  wanted.position.base = in.uint();
  wanted.position.seq = in.uint();
  if (wanted.position.base > wanted.position.seq) in.refuse(ErrorCode::Malformed, "a cursor that lies before its base");
  return wanted;
}

std::vector<Range> read_ranges(Fields& in) {
  const std::size_t count = in.array(kMaxRangesPerFrame, "ranges in a frame");
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    in.exactly(in.array(16, "fields"), 4, "a range");
    Range range;
    range.subscription = in.uint();
    range.from = in.uint();
    range.to = in.uint();
    range.complete = in.boolean();
    if (range.from > range.to) in.refuse(ErrorCode::Malformed, "a range that ends before it begins");
    ranges.push_back(range);
  }
  return ranges;
}

std::vector<DocumentName> read_names(Fields& in) {
  const std::size_t groups = in.array(kMaxNamesPerFrame, "groups of names in a frame");
  std::vector<DocumentName> names;
  for (std::size_t g = 0; g < groups && in.ok(); ++g) {
    const std::size_t count = in.array(kMaxNamesPerFrame - names.size() + 1, "names in a frame");
    if (in.ok() && count == 0) in.refuse(ErrorCode::Malformed, "a group of names without a collection");
    const std::string collection = in.text(kMaxCollectionBytes, "a collection's name");
    for (std::size_t i = 1; i < count && in.ok(); ++i)
      names.push_back({collection, in.text(kMaxIdBytes, "a document's id")});
  }
  return names;
}

Message read_hello(Fields& in, std::size_t fields) {
  const std::uint64_t version = in.uint();
  if (in.ok() && version != kProtocolVersion)
    in.refuse(ErrorCode::VersionMismatch,
              fmt::format("the peer speaks sync protocol {}, we speak {}: update the older of the two", version,
                          kProtocolVersion));
  in.exactly(fields, 5, "HELLO");
  Hello hello;
  hello.epoch = in.text(kMaxEpochBytes, "a store epoch");
  hello.name = in.text(kMaxNameBytes, "a peer's name");
  hello.head = in.uint();
  const std::size_t count = in.array(kMaxRangesPerFrame, "subscriptions in HELLO");
  for (std::size_t i = 0; i < count && in.ok(); ++i) hello.subscriptions.push_back(read_wanted(in));
  if (in.ok() && hello.epoch.empty()) in.refuse(ErrorCode::Malformed, "HELLO without a store epoch");
  return hello;
}

Message read_changes(Fields& in, std::size_t fields) {
  in.exactly(fields, 6, "CHANGES");
  Changes changes;
  changes.head = in.uint();
  if (!in.null()) changes.assumed_epoch = in.text(kMaxEpochBytes, "a store epoch");
  changes.ranges = read_ranges(in);
  const std::size_t documents = in.array(kMaxDocumentsPerFrame, "documents in a frame");
  for (std::size_t i = 0; i < documents && in.ok(); ++i) changes.documents.push_back({in.delta(), std::nullopt});
  const std::size_t fingerprints = in.array(kMaxDocumentsPerFrame, "fingerprints in a frame");
  if (fingerprints != 0) in.exactly(fingerprints, documents, "the list of fingerprints");
  for (std::size_t i = 0; i < fingerprints && in.ok(); ++i) {
    if (!in.null()) changes.documents[i].fingerprint = in.uint();
  }
  changes.named = read_names(in);
  return changes;
}

Message read_want(Fields& in, std::size_t fields) {
  in.exactly(fields, 2, "WANT");
  Want want;
  want.ranges = read_ranges(in);
  want.names = read_names(in);
  return want;
}

Message read_ack(Fields& in, std::size_t fields) {
  in.exactly(fields, 2, "ACK");
  Ack ack;
  ack.frames = in.uint();
  const std::size_t count = in.array(kMaxRangesPerFrame, "cursors in ACK");
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    in.exactly(in.array(16, "fields"), 3, "a cursor");
    const std::uint64_t id = in.uint();
    Position position;
    position.base = in.uint();
    position.seq = in.uint();
    if (position.base > position.seq) in.refuse(ErrorCode::Malformed, "a cursor that lies before its base");
    ack.cursors.emplace_back(id, position);
  }
  return ack;
}

Message read_goodbye(Fields& in, std::size_t fields) {
  in.exactly(fields, 2, "GOODBYE");
  Goodbye goodbye;
  goodbye.reason = in.text(kMaxNameBytes, "a goodbye's reason");
  if (!in.null()) goodbye.expected_return_ms = in.uint();
  return goodbye;
}

Message read_skipped(Fields& in, std::uint64_t type, std::size_t fields) {
  if (in.ok() && type < kFirstSkippableType)
    in.refuse(ErrorCode::Protocol, fmt::format("a message of unknown type {}", type));
  for (std::size_t i = 0; i < fields && in.ok(); ++i) in.skip();
  return Skipped{};
}

Message read_message(Fields& in, std::uint64_t type, std::size_t fields) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::Hello:
      return read_hello(in, fields);
    case MessageType::Subscribe:
      in.exactly(fields, 1, "SUBSCRIBE");
      return Subscribe{read_wanted(in)};
    case MessageType::Unsubscribe:
      in.exactly(fields, 1, "UNSUBSCRIBE");
      return Unsubscribe{in.uint()};
    case MessageType::Changes:
      return read_changes(in, fields);
    case MessageType::Want:
      return read_want(in, fields);
    case MessageType::Ack:
      return read_ack(in, fields);
    case MessageType::Ping:
      in.exactly(fields, 1, "PING");
      return Ping{in.uint()};
    case MessageType::Pong:
      in.exactly(fields, 1, "PONG");
      return Pong{in.uint()};
    case MessageType::Goodbye:
      return read_goodbye(in, fields);
  }
  return read_skipped(in, type, fields);
}

}  // namespace

Result<Message> decode(ByteView frame) {
  Fields in(frame);
  const std::size_t items = in.array(1024, "fields in a message");
  if (in.ok() && items == 0) in.refuse(ErrorCode::Malformed, "a message without a type");
  const std::uint64_t type = in.uint();
  if (!in.ok()) return fail(in.error());
  Message message = read_message(in, type, items - 1);
  if (in.ok() && !in.at_end()) in.refuse(ErrorCode::Malformed, "bytes behind the end of a message");
  if (!in.ok()) return fail(in.error());
  return message;
}

}  // namespace fermata::sync
