#include "sync/message_reader.hpp"

#include "sync/attachment_reader.hpp"
#include "sync/compression.hpp"
#include "sync/fields.hpp"
#include "sync/repair_reader.hpp"
#include "sync/wire.hpp"

namespace fermata::sync {
namespace {

Wanted read_wanted(Fields& in) {
  in.exactly(in.array(16, "fields"), 8, "a subscription");
  Wanted wanted;
  wanted.id = in.uint();
  wanted.query = in.text(kMaxQueryText, "a subscription's query");
  wanted.epoch = in.text(kMaxEpochBytes, "a store epoch");
  wanted.position.base = in.uint();
  wanted.position.seq = in.uint();
  if (wanted.position.base > wanted.position.seq) in.refuse(ErrorCode::Malformed, "a cursor that lies before its base");
  wanted.held = in.uint();
  wanted.brought = in.boolean();
  wanted.purged_life = in.uint();
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

std::string read_id(Fields& in) {
  std::string id = in.take([&] { return crdt::read_id(in.in()); });
  in.limit(id.size(), kMaxIdBytes, "a document's id");
  if (in.ok() && id.empty()) in.refuse(ErrorCode::Malformed, "a document without an id");
  return id;
}

template <class ReadCollection>
std::vector<DocumentName> read_names(Fields& in, ReadCollection read_collection) {
  const std::size_t groups = in.array(kMaxNamesPerFrame, "groups of names in a frame");
  std::vector<DocumentName> names;
  for (std::size_t g = 0; g < groups && in.ok(); ++g) {
    const std::size_t count = in.array(kMaxNamesPerFrame - names.size() + 1, "names in a frame");
    if (in.ok() && count == 0) in.refuse(ErrorCode::Malformed, "a group of names without a collection");
    const std::string collection = read_collection();
    in.limit(collection.size(), kMaxCollectionBytes, "a collection's name");
    if (in.ok() && collection.empty()) in.refuse(ErrorCode::Malformed, "a collection without a name");
    for (std::size_t i = 1; i < count && in.ok(); ++i) names.push_back({collection, read_id(in)});
  }
  return names;
}

std::vector<Branch> read_branches(Fields& in, std::size_t fields, std::string_view what) {
  in.exactly(fields, 1, what);
  const std::size_t count = in.array(kMaxBranchesPerFrame, "branches in a frame");
  std::vector<Branch> branches;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    in.exactly(in.array(16, "fields"), 2, "a branch");
    Branch branch;
    branch.subscription = in.uint();
    branch.actor = in.uint();
    branches.push_back(branch);
  }
  return branches;
}

Hello read_hello(Fields& in, std::size_t fields, const VersionSpan& spoken) {
  Hello hello;
  hello.versions.highest = in.uint();
  // What follows may be of a time when there was no second field.
  hello.versions.lowest = in.ok() && hello.versions.highest < spoken.lowest ? hello.versions.highest : in.uint();
  if (in.ok()) in.take([&] { return choose_version(spoken, hello.versions); });
  // A later version may say more behind this.
  if (fields < kHelloFields || hello.versions.highest <= spoken.highest) in.exactly(fields, kHelloFields, "HELLO");
  hello.capabilities = in.uint();
  hello.epoch = in.text(kMaxEpochBytes, "a store epoch");
  hello.name = in.text(kMaxNameBytes, "a peer's name");
  hello.head = in.uint();
  const std::size_t count = in.array(kMaxRangesPerFrame, "subscriptions in HELLO");
  for (std::size_t i = 0; i < count && in.ok(); ++i) hello.subscriptions.push_back(read_wanted(in));
  for (std::size_t i = kHelloFields; i < fields && in.ok(); ++i) in.skip();
  if (in.ok() && hello.epoch.empty()) in.refuse(ErrorCode::Malformed, "HELLO without a store epoch");
  return hello;
}

Message read_want(Fields& in, std::size_t fields) {
  in.exactly(fields, 2, "WANT");
  Want want;
  want.ranges = read_ranges(in);
  want.names = read_names(in, [&] { return in.text(kMaxCollectionBytes, "a collection's name"); });
  return want;
}

Message read_ack(Fields& in, std::size_t fields) {
  in.exactly(fields, 2, "ACK");
  Ack ack;
  ack.frames = in.uint();
  if (in.ok() && in.in().next_is_uint()) {
    ack.level = in.uint();
    return ack;
  }
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

Message read_of_attachments(Fields& in, std::uint64_t type, std::size_t fields) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::Fetch:
      return read_fetch(in, fields);
    case MessageType::Part:
      return read_part(in, fields);
    case MessageType::Have:
      return read_have(in, fields);
    default:
      return read_skipped(in, type, fields);
  }
}

// What is about the sets that two peers hold. There is no compressed message within another.
Message read_of_comparison(Fields& in, std::uint64_t type, std::size_t fields) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::Digest:
      return read_digest_of(in, fields);
    case MessageType::Stand:
      return read_stand(in, fields);
    case MessageType::Match:
      return read_match(in, fields);
    case MessageType::Symbols:
      return read_symbols(in, fields);
    case MessageType::Items:
      return read_items(in, fields);
    case MessageType::Resolve:
      return read_resolve(in, fields);
    case MessageType::Resolved:
      return read_resolved(in, fields);
    default:
      return read_of_attachments(in, type, fields);
  }
}

Result<Bytes> read_compressed(Fields& in, std::size_t fields) {
  in.exactly(fields, 2, "a compressed message");
  const std::uint64_t size = in.uint();
  const ByteView packed = in.bytes();
  if (in.ok() && !in.at_end()) in.refuse(ErrorCode::Malformed, "bytes behind the end of a message");
  if (!in.ok()) return fail(in.error());
  if (size > kMaxFrame || size / kMaxCompression >= packed.size())
    return fail(ErrorCode::LimitExceeded, fmt::format("{} bytes that claim to be {}", packed.size(), size));
  return unpack(packed, size);
}

}  // namespace

Result<std::uint64_t> choose_version(const VersionSpan& ours, const VersionSpan& theirs) {
  const std::uint64_t chosen = std::min(ours.highest, theirs.highest);
  if (chosen >= ours.lowest && chosen >= theirs.lowest) return chosen;
  return fail(ErrorCode::VersionMismatch,
              fmt::format("the peer speaks sync protocols {} to {}, we speak {} to {}: update the older of the two",
                          theirs.lowest, theirs.highest, ours.lowest, ours.highest));
}

void MessageReader::read_changes_ranges(Fields& in, Changes& changes) {
  if (!in.ok() || !in.in().next_is_boolean()) {
    changes.ranges = read_ranges(in);
    said_.note(changes.ranges, changes.head);
    return;
  }
  if (!in.boolean()) in.refuse(ErrorCode::Malformed, "ranges that are false");
  changes.again = said_.again(changes.head);
  if (!changes.again) in.refuse(ErrorCode::Malformed, "the same ranges again, where there were none");
  said_.note_again(changes.head);
}

std::vector<DocumentName> MessageReader::read_changes_names(Fields& in) {
  return read_names(in, [&] { return in.take([&] { return deltas_.read_collection(in.in()); }); });
}

std::vector<Offer> MessageReader::read_offers(Fields& in) {
  const std::size_t count = in.array(kMaxOffersPerFrame, "offers in a frame");
  std::vector<Offer> offers;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const std::size_t fields = in.array(kOfferFields + kMaxAuthorsPerOffer, "fields in an offer");
    if (in.ok() && fields < kOfferFields) in.refuse(ErrorCode::Malformed, "an offer without a document");
    Offer offer;
    offer.collection = in.take([&] { return deltas_.read_collection(in.in()); });
    in.limit(offer.collection.size(), kMaxCollectionBytes, "a collection's name");
    offer.id = read_id(in);
    offer.version = in.uint();
    for (std::size_t f = kOfferFields; f < fields && in.ok(); ++f) offer.authors.push_back(in.uint());
    offers.push_back(std::move(offer));
  }
  return offers;
}

void MessageReader::read_extra(Fields& in, std::uint64_t key, Changes& changes) {
  switch (static_cast<ChangesExtra>(key)) {
    case ChangesExtra::AssumedEpoch:
      changes.assumed_epoch = in.text(kMaxEpochBytes, "a store epoch");
      return;
    case ChangesExtra::Fingerprints:
      in.exactly(in.array(kMaxDocumentsPerFrame, "fingerprints in a frame"), changes.documents.size(),
                 "the list of fingerprints");
      for (std::size_t i = 0; i < changes.documents.size() && in.ok(); ++i) {
        if (!in.null()) changes.documents[i].fingerprint = in.uint();
      }
      return;
    case ChangesExtra::Names:
      changes.named = read_changes_names(in);
      return;
    case ChangesExtra::Offers:
      changes.offers = read_offers(in);
      return;
  }
  in.refuse(ErrorCode::Protocol, fmt::format("CHANGES with something of unknown kind {}", key));
}

Changes MessageReader::read_changes(Fields& in, std::size_t fields) {
  if (in.ok() && (fields < kChangesFields || (fields - kChangesFields) % 2 != 0))
    in.refuse(ErrorCode::Malformed, fmt::format("CHANGES with {} fields", fields));
  Changes changes;
  const std::uint64_t step = in.uint();
  changes.head = last_head_ + step;
  if (changes.head < step) in.refuse(ErrorCode::Malformed, "a head beyond all numbers");
  last_head_ = changes.head;
  read_changes_ranges(in, changes);
  auto deltas = in.take([&] { return deltas_.read(in.in(), {kMaxDocumentsPerFrame, kMaxItemsPerFrame}); });
  for (crdt::Delta& delta : deltas) {
    in.limit(delta.collection.size(), kMaxCollectionBytes, "a collection's name");
    in.limit(delta.id.size(), kMaxIdBytes, "a document's id");
    changes.documents.push_back({std::move(delta), std::nullopt});
  }
  std::uint64_t least = 0;
  for (std::size_t i = kChangesFields; i < fields && in.ok(); i += 2) {
    const std::uint64_t key = in.uint();
    if (key < least) in.refuse(ErrorCode::Malformed, "what CHANGES adds is out of order");
    least = key + 1;
    if (in.ok()) read_extra(in, key, changes);
  }
  return changes;
}

Message MessageReader::read_message(Fields& in, std::uint64_t type, std::size_t fields) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::Hello:
      return read_hello(in, fields, spoken_);
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
    case MessageType::Prune:
      return Prune{read_branches(in, fields, "PRUNE")};
    case MessageType::Graft:
      return Graft{read_branches(in, fields, "GRAFT")};
    default:
      return read_of_comparison(in, type, fields);
  }
}

Result<Message> MessageReader::read(ByteView frame) {
  Fields in(frame);
  const std::size_t items = in.array(kMaxFields, "fields in a message");
  if (in.uint() != static_cast<std::uint64_t>(MessageType::Compressed) || !in.ok()) return read_plain(frame);
  const auto plain = read_compressed(in, items - 1);
  if (!plain) return fail(plain.error());
  return read_plain(*plain);
}

Result<Message> MessageReader::read_plain(ByteView frame) {
  Fields in(frame);
  const std::size_t items = in.array(kMaxFields, "fields in a message");
  if (in.ok() && items == 0) in.refuse(ErrorCode::Malformed, "a message without a type");
  const std::uint64_t type = in.uint();
  if (!in.ok()) return fail(in.error());
  Message message = read_message(in, type, items - 1);
  if (in.ok() && !in.at_end()) in.refuse(ErrorCode::Malformed, "bytes behind the end of a message");
  if (!in.ok()) return fail(in.error());
  return message;
}

}  // namespace fermata::sync
