#include "sync/engine.hpp"
#include "sync/messages.hpp"
#include "sync/wire.hpp"

namespace fermata::sync {
namespace {

CborWriter start(MessageType type, std::size_t fields) {
  CborWriter out;
  out.array(fields + 1);
  out.uint(static_cast<std::uint64_t>(type));
  return out;
}

void write(CborWriter& out, const Wanted& wanted) {
  out.array(5);
  out.uint(wanted.id);
  out.text(wanted.query);
  out.text(wanted.epoch);
  out.uint(wanted.position.base);
  out.uint(wanted.position.seq);
}

void write(CborWriter& out, const std::vector<Range>& ranges) {
  out.array(ranges.size());
  for (const Range& range : ranges) {
    out.array(4);
    out.uint(range.subscription);
    out.uint(range.from);
    out.uint(range.to);
    out.boolean(range.complete);
  }
}

// Neighbours of one collection share its name: [[collection, id, id, …], …].
void write(CborWriter& out, const std::vector<DocumentName>& names) {
  std::vector<std::pair<std::size_t, std::size_t>> groups;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (groups.empty() || names[groups.back().first].collection != names[i].collection) groups.emplace_back(i, i);
    groups.back().second = i + 1;
  }
  out.array(groups.size());
  for (auto [first, end] : groups) {
    out.array(end - first + 1);
    out.text(names[first].collection);
    for (std::size_t i = first; i < end; ++i) out.text(names[i].id);
  }
}

}  // namespace

Bytes encode(const Hello& message) {
  CborWriter out = start(MessageType::Hello, 5);
  out.uint(kProtocolVersion);
  out.text(message.epoch);
  out.text(message.name);
  out.uint(message.head);
  out.array(message.subscriptions.size());
  for (const Wanted& wanted : message.subscriptions) write(out, wanted);
  return out.take();
}

Bytes encode(const Subscribe& message) {
  CborWriter out = start(MessageType::Subscribe, 1);
  write(out, message.subscription);
  return out.take();
}

Bytes encode(const Unsubscribe& message) {
  CborWriter out = start(MessageType::Unsubscribe, 1);
  out.uint(message.id);
  return out.take();
}

Bytes encode(const Want& message) {
  CborWriter out = start(MessageType::Want, 2);
  write(out, message.ranges);
  write(out, message.names);
  return out.take();
}

Bytes encode(const Ack& message) {
  CborWriter out = start(MessageType::Ack, 2);
  out.uint(message.frames);
  out.array(message.cursors.size());
  for (const auto& [id, position] : message.cursors) {
    out.array(3);
    out.uint(id);
    out.uint(position.base);
    out.uint(position.seq);
  }
  return out.take();
}

Bytes encode(const Ping& message) {
  CborWriter out = start(MessageType::Ping, 1);
  out.uint(message.nonce);
  return out.take();
}

Bytes encode(const Pong& message) {
  CborWriter out = start(MessageType::Pong, 1);
  out.uint(message.nonce);
  return out.take();
}

Bytes encode(const Goodbye& message) {
  CborWriter out = start(MessageType::Goodbye, 2);
  out.text(message.reason);
  if (message.expected_return_ms) {
    out.uint(*message.expected_return_ms);
  } else {
    out.null();
  }
  return out.take();
}

Status ChangesWriter::add(const crdt::Delta& delta, std::optional<std::uint64_t> fingerprint) {
  CborWriter encoded;
  crdt::encode_delta(delta, encoded);
  if (encoded.size() > kMaxDeltaBytes) return fail(ErrorCode::LimitExceeded, "the document does not fit into a frame");
  documents_.raw(encoded.view());
  fingerprints_.push_back(fingerprint);
  any_fingerprint_ = any_fingerprint_ || fingerprint.has_value();
  return {};
}

void ChangesWriter::name(const DocumentName& name) {
  name_bytes_ += name.id.size() + 3;
  names_.push_back(name);
}

bool ChangesWriter::full(std::size_t batch_bytes) const {
  return size() >= batch_bytes || fingerprints_.size() >= kMaxDocumentsPerFrame || names_.size() >= kMaxNamesPerFrame;
}

Bytes ChangesWriter::take(std::uint64_t head, const store::Epoch& assumed_epoch, const std::vector<Range>& ranges) {
  CborWriter out = start(MessageType::Changes, 6);
  out.uint(head);
  if (assumed_epoch.empty()) {
    out.null();
  } else {
    out.text(assumed_epoch);
  }
  write(out, ranges);
  out.array(fingerprints_.size());
  out.raw(documents_.view());
  out.array(any_fingerprint_ ? fingerprints_.size() : 0);
  for (const auto& fingerprint : fingerprints_) {
    if (!any_fingerprint_) break;
    if (fingerprint) {
      out.uint(*fingerprint);
    } else {
      out.null();
    }
  }
  write(out, names_);
  *this = ChangesWriter();
  return out.take();
}

}  // namespace fermata::sync
