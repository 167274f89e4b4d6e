#include "sync/repair_messages.hpp"

#include <algorithm>

#include "base/cbor.hpp"
#include "sync/limits.hpp"
#include "sync/reconcile.hpp"
#include "sync/repair_reader.hpp"

namespace fermata::sync {
namespace {

// Of a packed item. What is packed may take eight times as much unpacked, so its size is looked at before.
constexpr std::size_t kMaxItemBytes = 10;

CborWriter begin(MessageType type, std::size_t fields) {
  CborWriter out;
  out.array(fields + 1);
  out.uint(static_cast<std::uint64_t>(type));
  return out;
}

void write(const crdt::Digest& digest, CborWriter& out) {
  out.uint(digest.count);
  out.uint(digest.low);
  out.uint(digest.high);
}

void write(const RunHead& of, CborWriter& out) {
  out.uint(of.subscription);
  out.uint(of.run);
  out.uint(of.head);
  write(of.digest, out);
}

crdt::Digest read_digest(Fields& in) {
  crdt::Digest digest;
  digest.count = in.uint();
  digest.low = in.uint();
  digest.high = in.uint();
  return digest;
}

RunHead read_run(Fields& in) {
  RunHead of;
  of.subscription = in.uint();
  of.run = in.uint();
  of.head = in.uint();
  of.digest = read_digest(in);
  return of;
}

Bytes read_packed(Fields& in) {
  const ByteView view = in.bytes();
  return {view.begin(), view.end()};
}

}  // namespace

Bytes encode(const DigestOf& message) {
  CborWriter out = begin(MessageType::Digest, message.known.empty() ? 6 : 7);
  out.uint(message.subscription);
  out.uint(message.head);
  out.uint(message.received);
  write(message.digest, out);
  if (message.known.empty()) return out.take();
  const std::size_t count = std::min(message.known.size(), kMaxActorsPerDigest);
  out.array(2 * count);
  auto next = message.known.begin();
  for (std::size_t i = 0; i < count; ++i, ++next) {
    out.uint(next->first);
    out.uint(next->second);
  }
  return out.take();
}

Bytes encode(const Stand& message) {
  CborWriter out = begin(MessageType::Stand, message.digest ? 7 : 4);
  out.uint(message.subscription);
  out.boolean(message.behind);
  out.uint(message.head);
  out.uint(message.collection_size);
  if (message.digest) write(*message.digest, out);
  return out.take();
}

Bytes encode(const Match& message) {
  CborWriter out = begin(MessageType::Match, 5);
  out.uint(message.subscription);
  out.uint(message.run);
  out.uint(static_cast<std::uint64_t>(message.how));
  out.uint(message.from);
  out.uint(message.count);
  return out.take();
}

Bytes encode(const Symbols& message) {
  CborWriter out = begin(MessageType::Symbols, 8);
  write(message.of, out);
  out.uint(message.first);
  out.bytes(message.packed);
  return out.take();
}

Bytes encode(const Items& message) {
  CborWriter out = begin(MessageType::Items, 9);
  write(message.of, out);
  out.uint(message.above);
  out.uint(message.up_to);
  out.bytes(message.packed);
  return out.take();
}

Bytes encode(const Resolve& message) {
  CborWriter out = begin(MessageType::Resolve, 4);
  out.uint(message.subscription);
  out.uint(message.run);
  out.bytes(pack_items(message.items, 0));
  out.array(message.ids.size());
  for (const std::string& id : message.ids) out.text(id);
  return out.take();
}

Bytes encode(const Resolved& message) {
  CborWriter out = begin(MessageType::Resolved, 3);
  out.uint(message.subscription);
  out.uint(message.run);
  out.array(message.unknown.size());
  for (std::uint64_t place : message.unknown) out.uint(place);
  return out.take();
}

DigestOf read_digest_of(Fields& in, std::size_t fields) {
  if (fields != 7) in.exactly(fields, 6, "DIGEST");
  DigestOf message;
  message.subscription = in.uint();
  message.head = in.uint();
  message.received = in.uint();
  message.digest = read_digest(in);
  const std::size_t known = fields == 7 ? in.array(2 * kMaxActorsPerDigest, "numbers of known commits in DIGEST") : 0;
  if (in.ok() && known % 2 != 0) in.refuse(ErrorCode::Malformed, "DIGEST with an actor but no commit");
  for (std::size_t i = 0; i + 1 < known && in.ok(); i += 2) {
    const crdt::ActorId actor = in.uint();
    message.known[actor] = in.uint();
  }
  return message;
}

Stand read_stand(Fields& in, std::size_t fields) {
  if (fields != 7) in.exactly(fields, 4, "STAND");
  Stand message;
  message.subscription = in.uint();
  message.behind = in.boolean();
  message.head = in.uint();
  message.collection_size = in.uint();
  if (fields == 7) message.digest = read_digest(in);
  return message;
}

Match read_match(Fields& in, std::size_t fields) {
  in.exactly(fields, 5, "MATCH");
  Match message;
  message.subscription = in.uint();
  message.run = in.uint();
  const std::uint64_t how = in.uint();
  if (how > static_cast<std::uint64_t>(Match::How::Done))
    in.refuse(ErrorCode::Malformed, "MATCH asks for something that does not exist");
  message.how = static_cast<Match::How>(how);
  message.from = in.uint();
  message.count = in.uint();
  return message;
}

Symbols read_symbols(Fields& in, std::size_t fields) {
  in.exactly(fields, 8, "SYMBOLS");
  Symbols message;
  message.of = read_run(in);
  message.first = in.uint();
  message.packed = read_packed(in);
  return message;
}

Items read_items(Fields& in, std::size_t fields) {
  in.exactly(fields, 9, "ITEMS");
  Items message;
  message.of = read_run(in);
  message.above = in.uint();
  message.up_to = in.uint();
  message.packed = read_packed(in);
  in.limit(message.packed.size(), kItemsPerFrame * kMaxItemBytes, "ITEMS");
  if (message.up_to < message.above) in.refuse(ErrorCode::Malformed, "ITEMS that end before they begin");
  return message;
}

Resolve read_resolve(Fields& in, std::size_t fields) {
  in.exactly(fields, 4, "RESOLVE");
  Resolve message;
  message.subscription = in.uint();
  message.run = in.uint();
  const ByteView packed = in.bytes();
  in.limit(packed.size(), kMaxHashesPerFrame * kMaxItemBytes, "RESOLVE");
  message.items = in.take([&] { return unpack_items(packed, 0); });
  if (message.items.size() > kMaxHashesPerFrame) in.refuse(ErrorCode::LimitExceeded, "RESOLVE asks for too many items");
  const std::size_t count = in.array(kMaxSurplusPerFrame, "documents in RESOLVE");
  for (std::size_t i = 0; i < count && in.ok(); ++i) message.ids.push_back(in.text(kMaxIdBytes, "a document's id"));
  return message;
}

Resolved read_resolved(Fields& in, std::size_t fields) {
  in.exactly(fields, 3, "RESOLVED");
  Resolved message;
  message.subscription = in.uint();
  message.run = in.uint();
  const std::size_t count = in.array(kMaxSurplusPerFrame, "documents in RESOLVED");
  for (std::size_t i = 0; i < count && in.ok(); ++i) message.unknown.push_back(in.uint());
  return message;
}

}  // namespace fermata::sync
