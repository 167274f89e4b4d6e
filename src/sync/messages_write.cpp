#include "crdt/delta_codec.hpp"
#include "sync/messages.hpp"
#include "sync/wire.hpp"

namespace fermata::sync {

CborWriter start(MessageType type, std::size_t fields) {
  CborWriter out;
  out.array(fields + 1);
  out.uint(static_cast<std::uint64_t>(type));
  return out;
}

std::vector<Range> ranges_of(const CommonRange& common) {
  std::vector<Range> ranges;
  for (const std::uint64_t subscription : *common.subscriptions)
    ranges.push_back({subscription, common.from, common.to, true});
  return ranges;
}

void Changes::spell_out() {
  if (again) ranges = ranges_of(*again);
  again.reset();
}

void write_ranges(const std::vector<Range>& ranges, CborWriter& out) {
  out.array(ranges.size());
  for (const Range& range : ranges) {
    out.array(4);
    out.uint(range.subscription);
    out.uint(range.from);
    out.uint(range.to);
    out.boolean(range.complete);
  }
}

std::vector<std::pair<std::size_t, std::size_t>> groups_of(const std::vector<DocumentName>& names) {
  std::vector<std::pair<std::size_t, std::size_t>> groups;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (groups.empty() || names[groups.back().first].collection != names[i].collection) groups.emplace_back(i, i);
    groups.back().second = i + 1;
  }
  return groups;
}

namespace {

void write(CborWriter& out, const Wanted& wanted) {
  out.array(8);
  out.uint(wanted.id);
  out.text(wanted.query);
  out.text(wanted.epoch);
  out.uint(wanted.position.base);
  out.uint(wanted.position.seq);
  out.uint(wanted.held);
  out.boolean(wanted.brought);
  out.uint(wanted.purged_life);
}

void write_names(const std::vector<DocumentName>& names, CborWriter& out) {
  const auto groups = groups_of(names);
  out.array(groups.size());
  for (auto [first, end] : groups) {
    out.array(end - first + 1);
    out.text(names[first].collection);
    for (std::size_t i = first; i < end; ++i) crdt::write_id(names[i].id, out);
  }
}

void write(CborWriter& out, const std::vector<Branch>& branches) {
  out.array(branches.size());
  for (const Branch& branch : branches) {
    out.array(2);
    out.uint(branch.subscription);
    out.uint(branch.actor);
  }
}

}  // namespace

Bytes encode_compressed(ByteView packed, std::size_t size) {
  CborWriter out = start(MessageType::Compressed, 2);
  out.uint(size);
  out.bytes(packed);
  return out.take();
}

Bytes encode(const Hello& message) {
  CborWriter out = start(MessageType::Hello, 7);
  out.uint(message.versions.highest);
  out.uint(message.versions.lowest);
  out.uint(message.capabilities);
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
  write_ranges(message.ranges, out);
  write_names(message.names, out);
  return out.take();
}

std::vector<Bytes> encode_in_parts(Want message) {
  std::vector<Bytes> parts;
  auto next = message.names.begin();
  while (message.names.end() - next > static_cast<std::ptrdiff_t>(kMaxNamesPerFrame)) {
    const auto end = next + kMaxNamesPerFrame;
    parts.push_back(encode(Want{{}, {std::make_move_iterator(next), std::make_move_iterator(end)}}));
    next = end;
  }
  message.names.erase(message.names.begin(), next);
  parts.push_back(encode(message));
  return parts;
}

Bytes encode(const Ack& message) {
  CborWriter out = start(MessageType::Ack, 2);
  out.uint(message.frames);
  if (message.level) {
    out.uint(*message.level);
    return out.take();
  }
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

Bytes encode(const Prune& message) {
  CborWriter out = start(MessageType::Prune, 1);
  write(out, message.branches);
  return out.take();
}

Bytes encode(const Graft& message) {
  CborWriter out = start(MessageType::Graft, 1);
  write(out, message.branches);
  return out.take();
}

}  // namespace fermata::sync
