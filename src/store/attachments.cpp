#include "store/attachments.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "store/attachments_impl.hpp"
#include "store/store_impl.hpp"

namespace fermata::store {
namespace {

constexpr std::size_t kChunksPerStep = 16;  // of one transaction
constexpr std::size_t kPutBytes = kChunksPerStep * kChunkBytes;

ByteView view_of(const ContentHash& hash) {
  return {hash.data(), hash.size()};
}

Error missing(const ContentHash& hash) {
  return {ErrorCode::NotFound,
          fmt::format("the content of attachment {} is not here (yet); fetch it from a peer", to_hex(hash))};
}

// Numbers are given again, so whoever writes to a row also says whose it was.
Error went_another_way() {
  return {ErrorCode::NotFound, "an attachment was removed, or came another way, while it was stored"};
}

Result<std::optional<Attachments::Row>> find(Connection& connection, const ContentHash& hash) {
  auto statement = connection.prepare("SELECT id, size, stored, complete FROM attachments WHERE hash = ?");
  if (!statement) return fail(std::move(statement).error());
  auto found = statement->bind_blob(1, view_of(hash)).step();
  if (!found) return fail(std::move(found).error());
  if (!*found) return std::optional<Attachments::Row>();
  return Attachments::Row{statement->number(0), statement->number(1), statement->number(2), statement->number(3) != 0};
}

Status run(Connection& connection, const char* sql, std::initializer_list<std::uint64_t> numbers) {
  auto statement = connection.prepare(sql);
  if (!statement) return fail(std::move(statement).error());
  int index = 0;
  for (const std::uint64_t number : numbers) statement->bind(++index, number);
  return statement->run();
}

}  // namespace

Status create_attachments(Connection& connection) {
  return connection.execute(R"sql(
CREATE TABLE attachments(id INTEGER PRIMARY KEY, hash BLOB UNIQUE, size INTEGER NOT NULL, stored INTEGER NOT NULL,
                         complete INTEGER NOT NULL, touched INTEGER NOT NULL);
CREATE TABLE attachment_chunks(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
)sql");
}

Status touch(Connection& connection, const std::set<ContentHash>& hashes, std::uint64_t now_ms) {
  for (const ContentHash& hash : hashes) {
    auto update = connection.prepare("UPDATE attachments SET touched = ? WHERE hash = ?");
    if (!update) return fail(std::move(update).error());
    if (auto done = update->bind(1, now_ms).bind_blob(2, view_of(hash)).run(); !done) return done;
  }
  return {};
}

Status make_invisible(Connection& connection, std::uint64_t id) {
  return run(connection, "UPDATE attachments SET hash = NULL, complete = 0, touched = 0 WHERE id = ?", {id});
}

Attachments::Attachments(Store::Impl& store) : store_(store), pins_(std::make_shared<Pins>()) {}
Attachments::~Attachments() = default;

std::uint64_t Attachments::now_ms() const {
  return static_cast<std::uint64_t>(store_.options.clock->wall_now().time_since_epoch().count());
}

Attachments::Pin Attachments::pin(std::uint64_t id) {
  const std::lock_guard guard(pins_->mutex);
  ++pins_->users[id];
  return {nullptr, [pins = pins_, id](const void*) {
            const std::lock_guard held(pins->mutex);
            if (--pins->users[id] == 0) pins->users.erase(id);
          }};
}

Status Attachments::transact(const std::function<Status(Connection&)>& write) {
  return store_.with_writer([&](Connection& connection) {
    return connection.transact(
        [&] { return write(connection).and_then([&] { return store_.note_written_if_due(); }); });
  });
}

Result<std::uint64_t> Attachments::insert(Connection& connection, const ContentHash* hash,
                                          std::uint64_t size_bytes) const {
  auto statement =
      connection.prepare("INSERT INTO attachments(size, stored, complete, touched, hash) VALUES(?, 0, 0, ?, ?)");
  if (!statement) return fail(std::move(statement).error());
  statement->bind(1, size_bytes).bind(2, now_ms());
  if (hash != nullptr) statement->bind_blob(3, view_of(*hash));
  if (auto inserted = statement->run(); !inserted) return fail(std::move(inserted).error());
  return connection.last_rowid();
}

Status Attachments::append(const Part& part) {
  return transact([&](Connection& connection) -> Status {
    auto [id, hash, offset, bytes] = part;
    const std::uint64_t end = offset + bytes.size();
    auto grown = connection.prepare(
        "UPDATE attachments SET stored = ?, touched = ? WHERE id = ? AND stored = ? AND hash IS ? AND complete = 0");
    if (!grown) return fail(std::move(grown).error());
    grown->bind(1, end).bind(2, now_ms()).bind(3, id).bind(4, offset);
    if (hash != nullptr) grown->bind_blob(5, view_of(*hash));
    if (auto done = grown->run(); !done) return done;
    if (sqlite3_changes(connection.handle()) == 0) return fail(went_another_way());
    for (; !bytes.empty(); offset += kChunkBytes) {
      const ByteView chunk = bytes.first(std::min(bytes.size(), kChunkBytes));
      auto insert = connection.prepare("INSERT INTO attachment_chunks(id, bytes) VALUES(?, ?)");
      if (!insert) return fail(std::move(insert).error());
      if (auto stored = insert->bind(1, chunk_row(id, offset)).bind_blob(2, chunk).run(); !stored) return stored;
      bytes = bytes.subspan(chunk.size());
    }
    return {};
  });
}

Result<std::uint64_t> Attachments::fill(std::uint64_t id, const Source& source, Sha256Stream& hash) {
  Bytes buffer(kPutBytes);
  std::uint64_t size_bytes = 0;
  for (bool at_end = false; !at_end;) {
    std::size_t filled = 0;
    while (filled < buffer.size() && !at_end) {
      auto more = source(std::span(buffer).subspan(filled));
      if (!more) return fail(std::move(more).error());
      if (*more > buffer.size() - filled) {
        return fail(ErrorCode::InvalidArgument, "the source of an attachment gave more bytes than it was asked for");
      }
      filled += *more;
      at_end = *more == 0;
    }
    if (filled == 0) break;
    if (size_bytes + filled > kMaxStoredBytes) return fail(ErrorCode::LimitExceeded, "an attachment is too large");
    const ByteView bytes = ByteView(buffer).first(filled);
    if (auto stored = append({id, nullptr, size_bytes, bytes}); !stored) return fail(std::move(stored).error());
    hash.add(bytes);
    size_bytes += filled;
  }
  return size_bytes;
}

Result<Attachment> Attachments::put(const Source& source, AttachmentMetadata metadata) {
  if (auto checked = Attachment::make({}, 0, metadata); !checked) return checked;
  std::uint64_t id = 0;
  auto begun = transact([&](Connection& connection) -> Status {
    auto inserted = insert(connection, nullptr, 0);
    if (!inserted) return fail(std::move(inserted).error());
    id = *inserted;
    return {};
  });
  if (!begun) return fail(std::move(begun).error());
  const Pin used = pin(id);
  Sha256Stream stream;
  auto size_bytes = fill(id, source, stream);
  const ContentHash hash = stream.finish();
  Status done = size_bytes ? finish_put(id, hash, *size_bytes) : Status(fail(std::move(size_bytes).error()));
  if (!done) {
    static_cast<void>(drop(id));  // else a collection does
    return fail(std::move(done).error());
  }
  tell(hash);
  tell_due();
  return Attachment::make(hash, *size_bytes, std::move(metadata));
}

Status Attachments::finish_put(std::uint64_t id, const ContentHash& hash, std::uint64_t size_bytes) {
  std::optional<std::uint64_t> superfluous;
  auto done = transact([&](Connection& connection) -> Status {
    auto other = find(connection, hash);
    if (!other) return fail(std::move(other).error());
    if (other->has_value()) {
      const bool had_it = (*other)->is_complete;
      superfluous = had_it ? id : (*other)->id;
      if (auto hidden = make_invisible(connection, *superfluous); !hidden) return hidden;
      if (had_it) return run(connection, "UPDATE attachments SET touched = ? WHERE id = ?", {now_ms(), (*other)->id});
    }
    auto name = connection.prepare("UPDATE attachments SET hash = ?, size = ?, complete = 1, touched = ? WHERE id = ?");
    if (!name) return fail(std::move(name).error());
    return name->bind_blob(1, view_of(hash)).bind(2, size_bytes).bind(3, now_ms()).bind(4, id).run();
  });
  return done && superfluous ? drop(*superfluous) : done;
}

void Attachments::set_stored_listener(std::function<void(const ContentHash&)> listener) {
  const std::lock_guard guard(listener_mutex_);
  listener_ = std::move(listener);
}

void Attachments::tell(const ContentHash& hash) {
  const std::lock_guard guard(listener_mutex_);
  if (listener_) listener_(hash);
}

void Attachments::set_due_listener(std::function<void()> listener) {
  const std::lock_guard guard(listener_mutex_);
  due_listener_ = std::move(listener);
}

void Attachments::tell_due() {
  const std::lock_guard guard(listener_mutex_);
  if (due_listener_) due_listener_();
}

Status Attachments::finish_received(std::uint64_t id, const ContentHash& hash) {
  auto finished = transact([&](Connection& connection) -> Status {
    auto complete = connection.prepare(
        "UPDATE attachments SET complete = 1, touched = ? WHERE id = ? AND hash = ? AND complete = 0");
    if (!complete) return fail(std::move(complete).error());
    auto done = complete->bind(1, now_ms()).bind(2, id).bind_blob(3, view_of(hash)).run();
    if (!done) return done;
    return sqlite3_changes(connection.handle()) == 0 ? fail(went_another_way()) : Status();
  });
  tell_due();
  return finished;
}

Status Attachments::discard(std::uint64_t id, const ContentHash& hash) {
  bool was_there = false;
  auto hidden = transact([&](Connection& connection) -> Status {
    auto row = find(connection, hash);
    if (!row) return fail(std::move(row).error());
    was_there = row->has_value() && (*row)->id == id && !(*row)->is_complete;
    return was_there ? make_invisible(connection, id) : Status();
  });
  return hidden && was_there ? drop(id) : hidden;
}

Status Attachments::drop(std::uint64_t id) {
  auto hidden = transact([&](Connection& connection) { return make_invisible(connection, id); });
  if (!hidden) return hidden;
  for (;;) {
    auto gone = drop_some(id);
    if (!gone || *gone) return gone ? Status() : fail(std::move(gone).error());
  }
}

Result<bool> Attachments::drop_some(std::uint64_t id) {
  bool is_empty = false;
  auto dropped = transact([&](Connection& connection) -> Status {
    auto deleted = run(connection,
                       "DELETE FROM attachment_chunks WHERE id IN "
                       "(SELECT id FROM attachment_chunks WHERE id >= ? AND id < ? LIMIT ?)",
                       {chunk_row(id, 0), chunk_row(id + 1, 0), kChunksPerStep});
    is_empty = sqlite3_changes(connection.handle()) == 0;
    if (!deleted || !is_empty) return deleted;
    return run(connection, "DELETE FROM attachments WHERE id = ?", {id});
  });
  return dropped ? Result<bool>(is_empty) : fail(std::move(dropped).error());
}

Result<std::pair<Attachments::Row, Attachments::Pin>> Attachments::find_complete(
    const ContentHash& hash, std::optional<std::uint64_t> size_bytes) {
  std::pair<Row, Pin> result;
  auto look = [&](Connection& connection) -> Status {
    auto row = find(connection, hash);
    if (!row) return fail(std::move(row).error());
    if (!row->has_value() || !(*row)->is_complete) return fail(missing(hash));
    result.first = **row;
    return {};
  };
  // Looked for again under the pin: before it, it may have been collected.
  auto done = store_.with_reader(look);
  if (done) result.second = pin(result.first.id);
  if (done) done = store_.with_reader(look);
  if (!done) return fail(std::move(done).error());
  if (size_bytes && result.first.size_bytes != *size_bytes) {
    return fail(ErrorCode::InvalidArgument, fmt::format("an attachment claims {} bytes, but content {} has {}",
                                                        *size_bytes, to_hex(hash), result.first.size_bytes));
  }
  return result;
}

Result<std::size_t> Attachments::read(const Row& row, std::uint64_t offset, std::span<std::uint8_t> into) {
  if (offset >= row.stored_bytes || into.empty()) return std::size_t{0};
  std::size_t count = 0;
  auto done = store_.with_reader([&](Connection& connection) -> Status {
    auto statement = connection.prepare("SELECT bytes FROM attachment_chunks WHERE id = ?");
    if (!statement) return fail(std::move(statement).error());
    auto found = statement->bind(1, chunk_row(row.id, offset)).step();
    if (!found) return fail(std::move(found).error());
    const std::size_t within = offset % kChunkBytes;
    const ByteView chunk = *found ? statement->blob(0) : ByteView();
    if (chunk.size() != chunk_bytes(row.stored_bytes, offset - within)) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("{}: an attachment lacks a part of its content; fermata check --repair removes it, and "
                              "it can be fetched again",
                              store_.options.directory));
    }
    count = std::min(into.size(), chunk.size() - within);
    std::ranges::copy(chunk.subspan(within, count), into.begin());
    return {};
  });
  return done ? Result<std::size_t>(count) : fail(std::move(done).error());
}

Result<std::unique_ptr<Attachments::Incoming>> Attachments::receive(const ContentHash& hash, std::uint64_t size_bytes) {
  if (size_bytes > kMaxStoredBytes) return fail(ErrorCode::LimitExceeded, "an attachment is too large to store");
  std::optional<Row> row;
  std::optional<std::uint64_t> superfluous;
  auto begun = transact([&](Connection& connection) -> Status {
    auto found = find(connection, hash);
    if (!found) return fail(std::move(found).error());
    row = *found;
    if (row && (row->is_complete || row->size_bytes == size_bytes)) return {};
    if (row) {
      // One of those who claim a size is wrong, and only the whole content tells who.
      superfluous = row->id;
      if (auto hidden = make_invisible(connection, row->id); !hidden) return hidden;
    }
    auto id = insert(connection, &hash, size_bytes);
    if (!id) return fail(std::move(id).error());
    row = Row{.id = *id, .size_bytes = size_bytes};
    return {};
  });
  if (begun && superfluous) begun = drop(*superfluous);
  if (!begun) return fail(std::move(begun).error());
  tell_due();
  if (row->is_complete) return std::unique_ptr<Incoming>();
  return std::make_unique<Incoming>(*this, hash, *row, pin(row->id));
}

Attachments::Incoming::Incoming(Attachments& attachments, const ContentHash& hash, const Row& row, Pin pin)
    : attachments_(attachments), hash_(hash), row_(row), pin_(std::move(pin)) {}

Status Attachments::Incoming::append(ByteView chunk) {
  const std::uint64_t left = row_.size_bytes - row_.stored_bytes;
  if (chunk.empty() || chunk.size() != std::min<std::uint64_t>(left, kChunkBytes)) {
    return fail(ErrorCode::Malformed, fmt::format("a part of an attachment has {} bytes where {} belong", chunk.size(),
                                                  std::min<std::uint64_t>(left, kChunkBytes)));
  }
  if (auto stored = attachments_.append({row_.id, &hash_, row_.stored_bytes, chunk}); !stored) return stored;
  if (!is_behind()) {
    stream_.add(chunk);
    hashed_bytes_ += chunk.size();
  }
  row_.stored_bytes += chunk.size();
  return {};
}

Result<bool> Attachments::Incoming::settle() {
  Bytes chunk(kChunkBytes);
  for (std::size_t i = 0; i < kChunksPerStep && is_behind(); ++i) {
    auto count = attachments_.read(row_, hashed_bytes_, chunk);
    if (!count && count.error().code == ErrorCode::Corrupt) return begin_anew();
    if (!count) return fail(std::move(count).error());
    stream_.add(ByteView(chunk).first(*count));
    hashed_bytes_ += *count;
  }
  if (hashed_bytes_ < row_.size_bytes) return false;
  if (stream_.finish() != hash_) {
    if (auto dropped = attachments_.discard(row_.id, hash_); !dropped) return fail(std::move(dropped).error());
    return fail(ErrorCode::Malformed, fmt::format("what came as attachment {} is another content", to_hex(hash_)));
  }
  if (auto finished = attachments_.finish_received(row_.id, hash_); !finished) {
    return fail(std::move(finished).error());
  }
  return true;
}

// What was stored earlier is damaged, or is not ours any more. Kept, it would be in the way of what comes.
Result<bool> Attachments::Incoming::begin_anew() {
  auto dropped = attachments_.discard(row_.id, hash_);
  // Damaged pages cannot be given back either; but nobody finds them now.
  if (!dropped && dropped.error().code != ErrorCode::Corrupt) return fail(std::move(dropped).error());
  return fail(went_another_way());
}

}  // namespace fermata::store
