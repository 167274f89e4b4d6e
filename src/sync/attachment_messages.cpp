#include "sync/attachment_messages.hpp"

#include <algorithm>

#include "sync/attachment_reader.hpp"
#include "sync/wire.hpp"

namespace fermata::sync {
namespace {

ContentHash read_hash(Fields& in) {
  const ByteView bytes = in.bytes();
  ContentHash hash{};
  if (in.ok() && bytes.size() != hash.size()) in.refuse(ErrorCode::Malformed, "a hash that has not 32 bytes");
  if (in.ok()) std::ranges::copy(bytes, hash.begin());
  return hash;
}

// Where a chunk begins, of a content that has bytes there.
std::uint64_t read_offset(Fields& in, std::uint64_t size_bytes) {
  const std::uint64_t offset = in.uint();
  if (in.ok() && (offset % kPartBytes != 0 || offset >= size_bytes))
    in.refuse(ErrorCode::Malformed, fmt::format("a part at {}, where none begins", offset));
  return offset;
}

}  // namespace

Bytes encode(const Fetch& message) {
  CborWriter out = start(MessageType::Fetch, 3);
  out.bytes(message.hash);
  out.uint(message.size_bytes);
  if (message.offset) {
    out.uint(*message.offset);
  } else {
    out.null();
  }
  return out.take();
}

Bytes encode(const Part& message) {
  CborWriter out = start(MessageType::Part, 3);
  out.bytes(message.hash);
  out.uint(message.offset);
  if (message.bytes) {
    out.bytes(*message.bytes);
  } else {
    out.null();
  }
  return out.take();
}

Bytes encode(const Have& message) {
  CborWriter out = start(MessageType::Have, 1);
  out.bytes(message.hash);
  return out.take();
}

Fetch read_fetch(Fields& in, std::size_t fields) {
  in.exactly(fields, 3, "FETCH");
  Fetch fetch;
  fetch.hash = read_hash(in);
  fetch.size_bytes = in.uint();
  if (in.ok() && fetch.size_bytes > kMaxAttachmentBytes)
    in.refuse(ErrorCode::LimitExceeded, "an attachment larger than any can be");
  if (!in.null()) fetch.offset = read_offset(in, fetch.size_bytes);
  return fetch;
}

Part read_part(Fields& in, std::size_t fields) {
  in.exactly(fields, 3, "PART");
  Part part;
  part.hash = read_hash(in);
  part.offset = read_offset(in, kMaxAttachmentBytes);
  if (in.null()) return part;
  const ByteView bytes = in.bytes();
  in.limit(bytes.size(), kPartBytes, "a part of an attachment");
  if (in.ok() && bytes.empty()) in.refuse(ErrorCode::Malformed, "an empty part of an attachment");
  if (in.ok()) part.bytes.emplace(bytes.begin(), bytes.end());
  return part;
}

Have read_have(Fields& in, std::size_t fields) {
  in.exactly(fields, 1, "HAVE");
  return Have{read_hash(in)};
}

}  // namespace fermata::sync
