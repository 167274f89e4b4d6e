// The metadata column. It stands beside the body and does not repeat it: every item of the body that is not a map is
// one Value register, so in the body's order only their commits are noted, run by run; a fresh document needs one run.
// Map and Absent registers follow by path. A sequence of CBOR items:
//   version, life, life's local seq, life's source,
//   [actor, seq, stamp, local seq, source, …]   the distinct commits
//   [commit, length, …]                         runs over the body's values
//   [path, commit × 3 + kind, …]                all other registers
#include <fmt/format.h>

#include "crdt/codec.hpp"
#include "crdt/order.hpp"

namespace fermata::crdt {
namespace {

constexpr std::uint64_t kVersion = 1;  // as a CBOR number it is also the column's first byte
constexpr std::size_t kCommitWidth = 5;

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
  const std::size_t count = in.array_of_rows(kCommitWidth);
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

std::vector<Register> read_others(FieldReader& in, const std::vector<CommitRow>& rows) {
  std::vector<Register> others;
  const std::size_t count = in.array_of_rows(2);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    others.push_back(in.register_without_value(rows));
    if (others.back().kind == RegisterKind::Value) in.fault(ErrorCode::Corrupt, "it has a value that the body lacks");
  }
  return others;
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

}  // namespace

Bytes Document::encode_metadata() const {
  CommitTable commits;
  std::vector<std::size_t> commit_of;
  commit_of.reserve(registers_.size());
  std::size_t others = 0;
  for (const Register& r : registers_) {
    commit_of.push_back(commits.index_of({r.dot, r.stamp, r.life, r.mark}));
    if (r.kind != RegisterKind::Value) ++others;
  }
  CborWriter out;
  for (const std::uint64_t head : {kVersion, life_, life_mark_.local_seq, std::uint64_t{life_mark_.source}}) {
    out.uint(head);
  }
  out.array(commits.rows().size() * kCommitWidth);
  for (const CommitRow& row : commits.rows()) {
    for (const std::uint64_t field : {row.dot.actor, row.dot.seq, row.stamp.value, row.mark.local_seq}) out.uint(field);
    out.uint(row.mark.source);
  }
  const std::vector<Run> runs = runs_of(registers_, commit_of);
  out.array(runs.size() * 2);
  for (const Run& run : runs) {
    out.uint(run.commit);
    out.uint(run.length);
  }
  out.array(others * 2);
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    if (registers_[i].kind == RegisterKind::Value) continue;
    write_path(registers_[i].path, out);
    out.uint(register_code(commit_of[i], registers_[i].kind));
  }
  return out.take();
}

Result<Document> Document::decode(ByteView body, ByteView metadata) {
  CborReader body_bytes(body);
  FieldReader in_body(body_bytes, "a document's body");
  std::vector<Register> values;
  Path path;
  read_values(in_body, path, values);
  if (in_body.ok() && !body_bytes.at_end()) in_body.fault(ErrorCode::Malformed, "something follows it");
  if (!in_body.ok()) return fail(std::move(in_body.error()));

  CborReader bytes(metadata);
  FieldReader in(bytes, "a document's metadata");
  const std::uint64_t version = in.uint(0, UINT64_MAX, "its version");
  if (in.ok() && version != kVersion) {
    return fail(ErrorCode::VersionMismatch,
                fmt::format("a document is stored in format {}; this build knows up to {}", version, kVersion));
  }
  Document document;
  document.life_ = in.uint(0, kMaxLife, "its life");
  document.life_mark_.local_seq = in.uint(0, UINT64_MAX, "a local sequence number");
  document.life_mark_.source = static_cast<std::uint32_t>(in.uint(0, UINT32_MAX, "a source"));
  const std::vector<CommitRow> rows = read_commits(in, document.kept_life());
  assign_commits(in, rows, values);
  std::vector<Register> others = read_others(in, rows);
  if (in.ok() && !bytes.at_end()) in.fault(ErrorCode::Malformed, "something follows it");
  document.registers_ = joined(std::move(values), std::move(others));
  if (in.ok() && !is_normal(document.registers_)) in.fault(ErrorCode::Corrupt, "its registers contradict each other");
  if (in.ok() && document.life_ == 0 && !document.registers_.empty()) in.fault(ErrorCode::Corrupt, "it never lived");
  if (!in.ok()) return fail(std::move(in.error()));
  return document;
}

}  // namespace fermata::crdt
