#include "sync/changes_writer.hpp"

#include "sync/wire.hpp"

namespace fermata::sync {
namespace {

// Upper bounds of what CBOR makes of something, and what it counts for among kMaxItemsPerFrame.
struct Weight {
  std::size_t bytes = 0;
  std::size_t items = 0;
};

constexpr std::size_t kMaxHead = 9;

std::size_t bytes_of(const Attachment& attachment) {
  std::size_t bytes = 4 * kMaxHead + attachment.hash().size();
  for (const auto& [key, text] : attachment.metadata()) bytes += 2 * kMaxHead + key.size() + text.size();
  return bytes;
}

void weigh(const Value& value, Weight& weight) {
  weight.bytes += kMaxHead;
  ++weight.items;
  if (const auto* text = value.if_a<std::string>()) weight.bytes += text->size();
  if (const auto* bytes = value.if_a<Bytes>()) weight.bytes += bytes->size();
  if (value.if_a<Timestamp>() != nullptr) weight.bytes += kMaxHead;
  if (const auto* attachment = value.if_a<Attachment>()) weight.bytes += bytes_of(*attachment);
  if (const auto* array = value.if_a<Array>()) {
    for (const Value& item : *array) weigh(item, weight);
  }
  if (const auto* map = value.if_a<Map>()) {
    for (const auto& [name, item] : *map) {
      weight.bytes += kMaxHead + name.size();
      weigh(item, weight);
    }
  }
}

Weight weight_of(const crdt::Register& r) {
  // With a commit of its own.
  Weight weight{8 * kMaxHead, 3 + r.path.size()};
  for (const std::string& name : r.path) weight.bytes += kMaxHead + name.size();
  if (crdt::has_value(r.kind)) weigh(r.value, weight);
  return weight;
}

Weight weight_without_registers(const crdt::Delta& delta) {
  return {delta.collection.size() + delta.id.size() + 4 * kMaxHead, 3};
}

bool fits(const Weight& weight) {
  return weight.bytes <= kMaxDeltaBytes && weight.items <= kMaxItemsPerDelta;
}

}  // namespace

std::vector<crdt::Delta> parts_of(crdt::Delta delta) {
  const Weight empty = weight_without_registers(delta);
  std::vector<crdt::Delta> parts;
  Weight weight = empty;
  for (crdt::Register& r : delta.registers) {
    const Weight more = weight_of(r);
    weight.bytes += more.bytes;
    weight.items += more.items;
    if (parts.empty() || !fits(weight)) {
      parts.push_back({delta.collection, delta.id, delta.life, {}});
      weight = {empty.bytes + more.bytes, empty.items + more.items};
    }
    parts.back().registers.push_back(std::move(r));
  }
  // With the first a document may begin: the others are right behind it.
  if (!parts.empty()) parts.front().whole = delta.whole;
  return parts;
}

Status ChangesWriter::add(const crdt::Delta& delta, std::optional<std::uint64_t> fingerprint) {
  Weight weight = weight_without_registers(delta);
  for (const crdt::Register& r : delta.registers) {
    const Weight more = weight_of(r);
    weight.bytes += more.bytes;
    weight.items += more.items;
  }
  if (!fits(weight)) return fail(ErrorCode::LimitExceeded, "the document does not fit into a frame");
  items_ += weight.items;
  deltas_.add(delta);
  fingerprints_.push_back(fingerprint);
  any_fingerprint_ = any_fingerprint_ || fingerprint.has_value();
  return {};
}

void ChangesWriter::name(const DocumentName& name) {
  name_bytes_ += name.id.size() + 3;
  names_.push_back(name);
}

void ChangesWriter::offer(Offer offer) {
  offer_bytes_ += offer.id.size() + kMaxHead * (2 + offer.authors.size());
  offers_.push_back(std::move(offer));
}

bool ChangesWriter::full(std::size_t batch_bytes) const {
  return size() >= batch_bytes || items_ >= kMaxItemsPerDelta || fingerprints_.size() >= kMaxDocumentsPerFrame ||
         names_.size() >= kMaxNamesPerFrame || offers_.size() >= kMaxOffersPerFrame;
}

void ChangesWriter::write_fingerprints(CborWriter& out) const {
  out.uint(static_cast<std::uint64_t>(ChangesExtra::Fingerprints));
  out.array(fingerprints_.size());
  for (const auto& fingerprint : fingerprints_) {
    if (fingerprint) {
      out.uint(*fingerprint);
    } else {
      out.null();
    }
  }
}

void ChangesWriter::write_names(CborWriter& out) {
  out.uint(static_cast<std::uint64_t>(ChangesExtra::Names));
  const auto groups = groups_of(names_);
  out.array(groups.size());
  for (auto [first, end] : groups) {
    out.array(end - first + 1);
    deltas_.write_collection(names_[first].collection, out);
    for (std::size_t i = first; i < end; ++i) crdt::write_id(names_[i].id, out);
  }
}

void ChangesWriter::write_offers(CborWriter& out) {
  out.uint(static_cast<std::uint64_t>(ChangesExtra::Offers));
  out.array(offers_.size());
  for (const Offer& offer : offers_) {
    out.array(kOfferFields + offer.authors.size());
    deltas_.write_collection(offer.collection, out);
    crdt::write_id(offer.id, out);
    out.uint(offer.version);
    for (crdt::ActorId author : offer.authors) out.uint(author);
  }
}

Bytes ChangesWriter::take(std::uint64_t head, const store::Epoch& assumed_epoch, const std::vector<Range>& ranges) {
  const auto again = said_.again(head);
  if (!ranges.empty() && again && ranges == ranges_of(*again)) return take_again(head, assumed_epoch);
  said_.note(ranges, head);
  return finish(head, assumed_epoch, [&](CborWriter& out) { write_ranges(ranges, out); });
}

Bytes ChangesWriter::take_again(std::uint64_t head, const store::Epoch& assumed_epoch) {
  said_.note_again(head);
  return finish(head, assumed_epoch, [](CborWriter& out) { out.boolean(true); });
}

template <class WriteRanges>
Bytes ChangesWriter::finish(std::uint64_t head, const store::Epoch& assumed_epoch, WriteRanges write_ranges) {
  const std::size_t extras = (assumed_epoch.empty() ? 0u : 1u) + (any_fingerprint_ ? 1u : 0u) +
                             (names_.empty() ? 0u : 1u) + (offers_.empty() ? 0u : 1u);
  CborWriter out = start(MessageType::Changes, kChangesFields + 2 * extras);
  out.uint(head - last_head_);
  write_ranges(out);
  deltas_.take(out);
  if (!assumed_epoch.empty()) {
    out.uint(static_cast<std::uint64_t>(ChangesExtra::AssumedEpoch));
    out.text(assumed_epoch);
  }
  if (any_fingerprint_) write_fingerprints(out);
  if (!names_.empty()) write_names(out);
  if (!offers_.empty()) write_offers(out);
  last_head_ = head;
  clear();
  return out.take();
}

void ChangesWriter::clear() {
  items_ = 0;
  fingerprints_.clear();
  any_fingerprint_ = false;
  names_.clear();
  name_bytes_ = 0;
  offers_.clear();
  offer_bytes_ = 0;
}

}  // namespace fermata::sync
