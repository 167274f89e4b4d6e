// The metadata column. It stands beside the body and does not repeat it: every item of the body that is not a map is
// one Value register, so in the body's order only their commits are noted, run by run; a fresh document needs one run.
// Map and Absent registers follow by path. A sequence of CBOR items:
//   version, life, life's local seq, life's source,
//   [actor, seq, stamp, local seq, source, …]   the distinct commits
//   [path, commit, [up, down], …]               shares of counters, each with the counter's path; only in version 2
//   [commit, length, …]                         runs over the body's values, counters left out
//   [path, commit × 3 + kind, …]                Map and Absent registers
// A document without counters is written as version 1.
#include <fmt/format.h>

#include "crdt/codec.hpp"
#include "crdt/counter.hpp"
#include "crdt/order.hpp"

namespace fermata::crdt {
namespace {

constexpr std::uint64_t kVersion = 1;  // as a CBOR number it is also the column's first byte
constexpr std::uint64_t kVersionWithCounters = 2;
constexpr std::size_t kStoredCommitWidth = 5;
constexpr std::size_t kShareWidth = 3;
constexpr std::uint64_t kStoredKinds = 3;  // Value, which stands in the body, is among them

// Commits of the body's values in order, equal neighbours counted together.
struct Run {
  std::uint64_t commit = 0;
  std::uint64_t length = 0;
};

std::vector<Run> runs_of(const std::vector<Register>& registers, const std::vector<std::size_t>& commit_of) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    if (registers[i].kind != RegisterKind::Value) continue;
    if (runs.empty() || runs.back().commit != commit_of[i]) runs.push_back({commit_of[i], 0});
    ++runs.back().length;
  }
  return runs;
}

// Appends one register per value below the body's map at `path`, in path order; what else they are is in the metadata.
void read_values(FieldReader& in, Path& path, std::vector<Register>& out) {
  if (path.size() >= kMaxDepth) in.fault(ErrorCode::LimitExceeded, "it nests too deep");
  const std::size_t count = in.map();
  std::string last;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    std::string key = in.text();
    if (i != 0 && key <= last) in.fault(ErrorCode::Malformed, fmt::format("key '{}' is out of order", key));
    last = key;
    path.push_back(std::move(key));
    if (in.ok() && next_is_map(in.in())) {
      read_values(in, path, out);
    } else if (Value value = in.value(path.size()); in.ok()) {
      Register& leaf = out.emplace_back();
      leaf.path = path;
      leaf.value = std::move(value);
    }
    path.pop_back();
  }
}

std::vector<CommitRow> read_commits(FieldReader& in, std::uint64_t life) {
  std::vector<CommitRow> rows;
  const std::size_t count = in.array_of_rows(kStoredCommitWidth);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    CommitRow& row = rows.emplace_back();
    row.dot = in.dot();
    row.stamp = in.stamp();
    row.life = life;
    row.mark.local_seq = in.uint(0, UINT64_MAX, "a local sequence number");
    row.mark.source = static_cast<std::uint32_t>(in.uint(0, UINT32_MAX, "a source"));
  }
  return rows;
}

void assign_commits(FieldReader& in, const std::vector<CommitRow>& rows, std::vector<Register>& values) {
  const std::size_t count = in.array_of_rows(2);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    if (rows.empty()) return in.fault(ErrorCode::Malformed, "it has values but no commits");
    const CommitRow& row = rows[in.uint(0, rows.size() - 1, "a commit")];
    const std::uint64_t length = in.uint(0, values.size() - next, "the length of a run");
    for (const std::size_t end = next + length; next < end; ++next) {
      values[next].dot = row.dot;
      values[next].stamp = row.stamp;
      values[next].life = row.life;
      values[next].mark = row.mark;
    }
  }
  if (next != values.size()) in.fault(ErrorCode::Corrupt, "the body has values that it does not know");
}

Register of_commit(FieldReader& in, const std::vector<CommitRow>& rows, std::uint64_t commit) {
  Register r;
  if (commit >= rows.size()) in.fault(ErrorCode::Malformed, "a register names a commit that is not there");
  if (!in.ok()) return r;
  r.dot = rows[commit].dot;
  r.stamp = rows[commit].stamp;
  r.life = rows[commit].life;
  r.mark = rows[commit].mark;
  return r;
}

std::vector<Register> read_others(FieldReader& in, const std::vector<CommitRow>& rows) {
  std::vector<Register> others;
  const std::size_t count = in.array_of_rows(2);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Path path = in.path();
    const std::uint64_t code = in.uint(0, UINT64_MAX, "a register's commit");
    Register& r = others.emplace_back(of_commit(in, rows, code / kStoredKinds));
    r.path = std::move(path);
    r.kind = static_cast<RegisterKind>(code % kStoredKinds);
    if (r.kind == RegisterKind::Value) in.fault(ErrorCode::Corrupt, "it has a value that the body lacks");
  }
  return others;
}

std::vector<Register> read_shares(FieldReader& in, const std::vector<CommitRow>& rows) {
  std::vector<Register> shares;
  const std::size_t count = in.array_of_rows(kShareWidth);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Path path = in.path();
    Register& r = shares.emplace_back(of_commit(in, rows, in.uint(0, UINT64_MAX, "a share's commit")));
    r.path = share_path(std::move(path), r.dot.actor);
    r.kind = RegisterKind::Counter;
    r.value = value_of(in.totals());
  }
  return shares;
}

// The body shows a counter as an integer, which is no register. (Where it shows a map instead, there is none to find.)
void take_out_counters(const std::vector<Register>& shares, std::vector<Register>& values) {
  if (shares.empty()) return;
  std::erase_if(values, [&](const Register& value) {
    const auto first = place_of(shares, value.path);
    return first != shares.end() && is_below(first->path, value.path);
  });
}

// Whether these are the registers of a document: sorted, none void, none with a value above another.
bool is_normal(const std::vector<Register>& registers) {
  std::vector<const Register*> chain;
  const Register* last = nullptr;
  for (const Register& r : registers) {
    if (last != nullptr && last->path >= r.path) return false;
    last = &r;
    while (!chain.empty() && !is_below(r.path, chain.back()->path)) chain.pop_back();
    if (!chain.empty() && (chain.back()->kind != RegisterKind::Map || age_of(*chain.back()) > age_of(r))) return false;
    chain.push_back(&r);
  }
  return true;
}

std::vector<Register> joined(std::vector<Register> values, std::vector<Register> others) {
  if (others.empty()) return values;
  std::vector<Register> all;
  all.reserve(values.size() + others.size());
  std::merge(std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()),
             std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()), std::back_inserter(all),
             [](const Register& a, const Register& b) { return a.path < b.path; });
  return all;
}

// A document's registers, numbered by commit, as its metadata is written.
class MetadataWriter {
 public:
  explicit MetadataWriter(const std::vector<Register>& registers) : registers_(registers) {
    commit_of_.reserve(registers.size());
    for (const Register& r : registers) {
      commit_of_.push_back(commits_.index_of({r.dot, r.stamp, r.life, r.mark}));
      if (r.kind == RegisterKind::Counter) ++shares_;
      if (r.kind == RegisterKind::Map || r.kind == RegisterKind::Absent) ++others_;
    }
  }

  [[nodiscard]] std::uint64_t version() const { return shares_ == 0 ? kVersion : kVersionWithCounters; }

  void write_commits(CborWriter& out) const {
    out.array(commits_.rows().size() * kStoredCommitWidth);
    for (const CommitRow& row : commits_.rows()) {
      for (const std::uint64_t field : {row.dot.actor, row.dot.seq, row.stamp.value, row.mark.local_seq})
        out.uint(field);
      out.uint(row.mark.source);
    }
  }

  void write_shares(CborWriter& out) const {
    if (shares_ == 0) return;
    out.array(shares_ * kShareWidth);
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      if (registers_[i].kind != RegisterKind::Counter) continue;
      write_path(counter_path(registers_[i]), out);
      out.uint(commit_of_[i]);
      out.value(registers_[i].value);
    }
  }

  void write_runs(CborWriter& out) const {
    const std::vector<Run> runs = runs_of(registers_, commit_of_);
    out.array(runs.size() * 2);
    for (const Run& run : runs) {
      out.uint(run.commit);
      out.uint(run.length);
    }
  }

  void write_others(CborWriter& out) const {
    out.array(others_ * 2);
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      const RegisterKind kind = registers_[i].kind;
      if (kind != RegisterKind::Map && kind != RegisterKind::Absent) continue;
      write_path(registers_[i].path, out);
      out.uint(commit_of_[i] * kStoredKinds + static_cast<std::uint64_t>(kind));
    }
  }

 private:
  const std::vector<Register>& registers_;
  CommitTable commits_;
  std::vector<std::size_t> commit_of_;
  std::size_t shares_ = 0, others_ = 0;
};

Result<std::vector<Register>> read_body(ByteView body) {
  CborReader bytes(body);
  FieldReader in(bytes, "a document's body");
  std::vector<Register> values;
  Path path;
  read_values(in, path, values);
  if (in.ok() && !bytes.at_end()) in.fault(ErrorCode::Malformed, "something follows it");
  if (!in.ok()) return fail(std::move(in.error()));
  return values;
}

}  // namespace

Bytes Document::encode_metadata() const {
  const MetadataWriter parts(registers_);
  CborWriter out;
  for (const std::uint64_t head : {parts.version(), life_, life_mark_.local_seq, std::uint64_t{life_mark_.source}}) {
    out.uint(head);
  }
  parts.write_commits(out);
  parts.write_shares(out);
  parts.write_runs(out);
  parts.write_others(out);
  return out.take();
}

Result<Document> Document::decode(ByteView body, ByteView metadata) {
  auto values = read_body(body);
  if (!values) return fail(std::move(values.error()));
  CborReader bytes(metadata);
  FieldReader in(bytes, "a document's metadata");
  const std::uint64_t version = in.uint(0, UINT64_MAX, "its version");
  if (in.ok() && version != kVersion && version != kVersionWithCounters) {
    return fail(ErrorCode::VersionMismatch, fmt::format("a document is stored in format {}; this build knows up to {}",
                                                        version, kVersionWithCounters));
  }
  Document document;
  document.life_ = in.uint(0, kMaxLife, "its life");
  document.life_mark_.local_seq = in.uint(0, UINT64_MAX, "a local sequence number");
  document.life_mark_.source = static_cast<std::uint32_t>(in.uint(0, UINT32_MAX, "a source"));
  const std::vector<CommitRow> rows = read_commits(in, document.kept_life());
  std::vector<Register> shares;
  if (version == kVersionWithCounters) shares = read_shares(in, rows);
  take_out_counters(shares, *values);
  assign_commits(in, rows, *values);
  std::vector<Register> others = read_others(in, rows);
  if (in.ok() && !bytes.at_end()) in.fault(ErrorCode::Malformed, "something follows it");
  document.registers_ = joined(joined(*std::move(values), std::move(others)), std::move(shares));
  if (in.ok() && !is_normal(document.registers_)) in.fault(ErrorCode::Corrupt, "its registers contradict each other");
  if (in.ok() && document.life_ == 0 && !document.registers_.empty()) in.fault(ErrorCode::Corrupt, "it never lived");
  if (!in.ok()) return fail(std::move(in.error()));
  return document;
}

}  // namespace fermata::crdt
