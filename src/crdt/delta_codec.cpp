// A batch is two CBOR items, both flat arrays:
//   [actor, seq, ms, counter, life, …]     five items per commit, in the order of their first mention below
//   [collection, id, life, [path, code, value if it is one, …], …]     four items per document
// Numbers of commits are differences: seq to that actor's last, ms to the last commit's, on this link.
#include "crdt/delta_codec.hpp"

#include <algorithm>

#include "base/uuid.hpp"
#include "crdt/counter.hpp"

namespace fermata::crdt {
namespace {

constexpr std::size_t kCommitWidth = 5;
constexpr std::size_t kDocumentWidth = 4;
constexpr std::size_t kActorBytes = 8;
constexpr unsigned kCounterBits = 16;
constexpr std::uint64_t kMaxCounter = (1u << kCounterBits) - 1;
constexpr std::int64_t kMaxMs = kMaxStamp.value >> kCounterBits;
constexpr std::uint64_t kKinds = 4;
// What a register counts for beside its path and value.
constexpr std::size_t kItemsPerRegister = 3;
constexpr std::size_t kItemsPerDocument = 3;
constexpr std::size_t kItemsPerShare = 3;  // its value

// The code of a register tells its kind and its commit: that of the register before, the next one not yet mentioned,
// or any by its number.
enum class Relation : std::uint64_t { Same = 0, Next = 1, Numbered = 2 };

std::uint64_t code_of(Relation relation, std::size_t commit, RegisterKind kind) {
  return (static_cast<std::size_t>(relation) + (relation == Relation::Numbered ? commit : 0)) * kKinds +
         static_cast<std::uint64_t>(kind);
}

constexpr std::size_t kUsualWidth = 3;
constexpr std::size_t kUsualRegisters = 16;  // room for more is made when they come
constexpr std::size_t width_of(RegisterKind kind) {
  return has_value(kind) ? 3 : 2;
}

std::array<std::uint8_t, kActorBytes> actor_bytes(ActorId actor) {
  std::array<std::uint8_t, kActorBytes> bytes{};
  for (std::size_t i = 0; i < kActorBytes; ++i) bytes[i] = static_cast<std::uint8_t>(actor >> (56 - 8 * i));
  return bytes;
}

std::int64_t difference(std::uint64_t now, std::uint64_t before) {
  return static_cast<std::int64_t>(now) - static_cast<std::int64_t>(before);
}

}  // namespace

void write_id(std::string_view id, CborWriter& out) {
  if (const auto uuid = uuid_bytes(id)) return out.bytes(*uuid);
  out.text(id);
}

Result<std::string> read_id(CborReader& in) {
  if (!next_is_bytes(in)) return in.text().map([](std::string_view text) { return std::string(text); });
  const auto bytes = in.bytes();
  if (!bytes) return fail(bytes.error());
  UuidBytes uuid{};
  if (bytes->size() != uuid.size()) return fail(ErrorCode::Malformed, "an id in bytes that is no UUID");
  std::copy(bytes->begin(), bytes->end(), uuid.begin());
  return uuid_text(uuid);
}

// --- writing ---

void DeltaWriter::write_collection(const std::string& collection, CborWriter& out) {
  if (const auto number = collections_.find(collection)) return out.uint(*number);
  out.text(collection);
  if (is_kept(collection)) collections_.add(collection);
}

// Of a share, the path of its counter: whose share it is, the commit tells.
void DeltaWriter::write_path_of(const Register& r) {
  const Path path = r.kind == RegisterKind::Counter ? counter_path(r) : r.path;
  if (const auto number = paths_.find(path)) return documents_.uint(*number);
  write_path(path, documents_);
  if (is_kept(path)) paths_.add(path);
}

void DeltaWriter::add(const Delta& delta) {
  ++count_;
  write_collection(delta.collection, documents_);
  write_id(delta.id, documents_);
  documents_.uint(delta.life * 2 + (delta.whole ? 1 : 0));
  std::size_t items = 0;
  for (const Register& r : delta.registers) items += width_of(r.kind);
  documents_.array(items);
  for (const Register& r : delta.registers) {
    write_path_of(r);
    const std::size_t mentioned = commits_.rows().size();
    const std::size_t commit = commits_.index_of({r.dot, r.stamp, r.life, {}});
    const Relation relation = commit == mentioned          ? Relation::Next
                              : commit + 1 == last_commit_ ? Relation::Same
                                                           : Relation::Numbered;
    last_commit_ = commit + 1;
    documents_.uint(code_of(relation, commit, r.kind));
    if (has_value(r.kind)) documents_.value(r.value);
  }
}

std::size_t DeltaWriter::size() const {
  constexpr std::size_t kBytesPerCommit = 10;
  return documents_.size() + commits_.rows().size() * kBytesPerCommit;
}

void DeltaWriter::write_commits(CborWriter& out) {
  out.array(commits_.rows().size() * kCommitWidth);
  for (const CommitRow& row : commits_.rows()) {
    auto number = actors_.find(row.dot.actor);
    if (number) {
      out.uint(*number);
    } else {
      out.bytes(actor_bytes(row.dot.actor));
      number = actors_.add(row.dot.actor);
      last_seqs_[*number] = 0;
    }
    const std::uint64_t ms = row.stamp.value >> kCounterBits;
    out.integer(difference(row.dot.seq, last_seqs_[*number]));
    out.integer(difference(ms, last_ms_));
    out.uint(row.stamp.value & kMaxCounter);
    out.uint(row.life);
    last_seqs_[*number] = row.dot.seq;
    last_ms_ = ms;
  }
}

void DeltaWriter::take(CborWriter& out) {
  write_commits(out);
  out.array(count_ * kDocumentWidth);
  out.raw(documents_.view());
  commits_ = {};
  documents_ = {};
  count_ = last_commit_ = 0;
}

// --- reading ---

Result<std::string> DeltaReader::read_collection(CborReader& in) {
  if (next_is_text(in)) {
    auto name = in.text().map([](std::string_view text) { return std::string(text); });
    if (name && name->empty()) return fail(ErrorCode::Malformed, "a collection without a name");
    if (name && is_kept(*name)) collections_.add(*name);
    return name;
  }
  const auto number = in.uint();
  if (!number) return fail(number.error());
  if (const std::string* known = collections_.at(*number)) return *known;
  return fail(ErrorCode::Malformed, "a collection's number that was not given out");
}

ActorMemory* DeltaReader::read_actor(FieldReader& in) {
  if (!in.ok()) return nullptr;
  if (next_is_bytes(in.in())) {
    const ByteView bytes = in.bytes();
    if (bytes.size() != kActorBytes) in.fault(ErrorCode::Malformed, "an actor that is not of eight bytes");
    if (!in.ok()) return nullptr;
    ActorMemory fresh;
    for (const std::uint8_t byte : bytes) fresh.actor = fresh.actor << 8U | byte;
    return actors_.at(actors_.add(fresh));
  }
  ActorMemory* known = actors_.at(in.uint(0, UINT64_MAX, "an actor's number"));
  if (known == nullptr) in.fault(ErrorCode::Malformed, "an actor's number that was not given out");
  return known;
}

std::vector<CommitRow> DeltaReader::read_commits(FieldReader& in) {
  std::vector<CommitRow> rows;
  const std::size_t count = in.array_of_rows(kCommitWidth);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    ActorMemory* actor = read_actor(in);
    if (actor == nullptr) break;
    CommitRow& row = rows.emplace_back();
    actor->last_seq = in.moved(actor->last_seq, 1, INT64_MAX, "a sequence number");
    last_ms_ = in.moved(last_ms_, 0, kMaxMs, "a time");
    row.dot = {actor->actor, actor->last_seq};
    row.stamp.value = last_ms_ << kCounterBits | in.uint(0, kMaxCounter, "a stamp's counter");
    row.life = in.register_life();
  }
  return rows;
}

Path DeltaReader::read_path(FieldReader& in) {
  if (!in.ok()) return {};
  if (!next_is_uint(in.in())) {
    Path path = in.path();
    if (in.ok() && is_kept(path)) paths_.add(path);
    return path;
  }
  const Path* known = paths_.at(in.uint(0, UINT64_MAX, "a path's number"));
  if (known == nullptr) in.fault(ErrorCode::Malformed, "a path's number that was not given out");
  return in.ok() ? *known : Path();
}

Register DeltaReader::read_register(FieldReader& in, const std::vector<CommitRow>& rows) {
  Register r;
  r.path = read_path(in);
  in.spend(items_left_, kItemsPerRegister + r.path.size());
  const std::uint64_t code = in.uint(0, UINT64_MAX, "a register's commit");
  r.kind = static_cast<RegisterKind>(code % kKinds);
  const std::uint64_t relation = code / kKinds;
  std::uint64_t commit = relation - static_cast<std::uint64_t>(Relation::Numbered);
  if (relation == static_cast<std::uint64_t>(Relation::Same)) commit = last_commit_ - 1;
  if (relation == static_cast<std::uint64_t>(Relation::Next)) commit = commits_seen_++;
  // Wraps round where there was none before: then it is beyond all rows.
  if (commit >= std::min(commits_seen_, rows.size()))
    in.fault(ErrorCode::Malformed, "a register names a commit that is not there");
  if (!in.ok()) return r;
  last_commit_ = commit + 1;
  const CommitRow& row = rows[commit];
  r.dot = row.dot;
  r.stamp = row.stamp;
  r.life = row.life;
  return r;
}

void DeltaReader::read_share(FieldReader& in, Register& r) {
  in.spend(items_left_, kItemsPerShare);
  r.path = share_path(std::move(r.path), r.dot.actor);
  r.value = value_of(in.totals());
}

// A larger one could not be passed on.
Value DeltaReader::read_value(FieldReader& in, std::size_t depth) {
  const std::size_t most = std::min(items_left_, kMaxValues);
  std::size_t left = most;
  Value value = in.value(depth, left);
  items_left_ -= most - left;
  return value;
}

std::vector<Register> DeltaReader::read_registers(FieldReader& in, const std::vector<CommitRow>& rows) {
  std::vector<Register> registers;
  std::size_t items = in.array();
  registers.reserve(std::min<std::size_t>(items / kUsualWidth, kUsualRegisters));
  while (items != 0 && in.ok()) {
    Register r = read_register(in, rows);
    const std::size_t width = width_of(r.kind);
    if (items < width) in.fault(ErrorCode::Malformed, "the last register is cut off");
    if (r.kind == RegisterKind::Value) r.value = read_value(in, r.path.size());
    if (r.kind == RegisterKind::Counter) read_share(in, r);
    if (!registers.empty() && r.path <= registers.back().path)
      in.fault(ErrorCode::Malformed, "registers are not in the order of their paths");
    if (!in.ok()) break;
    items -= width;
    registers.push_back(std::move(r));
  }
  return registers;
}

Result<std::vector<Delta>> DeltaReader::read(CborReader& bytes, const Limits& limits) {
  items_left_ = limits.items;
  commits_seen_ = last_commit_ = 0;
  FieldReader in(bytes, "a batch of documents");
  const std::vector<CommitRow> rows = read_commits(in);
  const std::size_t count = in.array_of_rows(kDocumentWidth);
  if (count > limits.documents) in.fault(ErrorCode::LimitExceeded, "too many documents");
  std::vector<Delta> deltas;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Delta& delta = deltas.emplace_back();
    in.spend(items_left_, kItemsPerDocument);
    delta.collection = in.take(read_collection(bytes));
    delta.id = in.take(read_id(bytes));
    if (in.ok() && delta.id.empty()) in.fault(ErrorCode::Malformed, "a document without an id");
    const std::uint64_t life = in.uint(2, kMaxLife * 2 + 1, "a document's life");
    delta.life = life / 2;
    delta.whole = life % 2 == 1;
    delta.registers = read_registers(in, rows);
  }
  if (!in.ok()) return fail(std::move(in.error()));
  return deltas;
}

}  // namespace fermata::crdt
