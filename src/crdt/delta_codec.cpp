// The wire form of a Delta, one CBOR item:
//   [collection, id, life, [actor, seq, stamp, life, …], [path, commit × 3 + kind, value if kind is Value, …]]
// Both inner arrays are flat: four items per commit, two or three per register.
#include "crdt/codec.hpp"
#include "crdt/document.hpp"

namespace fermata::crdt {
namespace {

constexpr std::size_t kFields = 5;
constexpr std::size_t kCommitWidth = 4;

std::vector<CommitRow> read_commits(FieldReader& in) {
  std::vector<CommitRow> rows;
  const std::size_t count = in.array_of_rows(kCommitWidth);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    CommitRow& row = rows.emplace_back();
    row.dot = in.dot();
    row.stamp = in.stamp();
    row.life = in.register_life();
  }
  return rows;
}

std::vector<Register> read_registers(FieldReader& in, const std::vector<CommitRow>& rows) {
  std::vector<Register> registers;
  std::size_t items = in.array();
  while (items != 0 && in.ok()) {
    Register r = in.register_without_value(rows);
    const std::size_t width = r.kind == RegisterKind::Value ? 3 : 2;
    if (items < width) in.fault(ErrorCode::Malformed, "the last register is cut off");
    if (r.kind == RegisterKind::Value) r.value = in.value(r.path.size());
    if (!registers.empty() && r.path <= registers.back().path) {
      in.fault(ErrorCode::Malformed, "registers are not in the order of their paths");
    }
    if (!in.ok()) break;
    items -= width;
    registers.push_back(std::move(r));
  }
  return registers;
}

}  // namespace

void encode_delta(const Delta& delta, CborWriter& out) {
  CommitTable commits;
  std::vector<std::size_t> commit_of;
  commit_of.reserve(delta.registers.size());
  std::size_t items = 0;
  for (const Register& r : delta.registers) {
    commit_of.push_back(commits.index_of({r.dot, r.stamp, r.life, {}}));
    items += r.kind == RegisterKind::Value ? 3 : 2;
  }
  out.array(kFields);
  out.text(delta.collection);
  out.text(delta.id);
  out.uint(delta.life);
  out.array(commits.rows().size() * kCommitWidth);
  for (const CommitRow& row : commits.rows()) {
    out.uint(row.dot.actor);
    out.uint(row.dot.seq);
    out.uint(row.stamp.value);
    out.uint(row.life);
  }
  out.array(items);
  for (std::size_t i = 0; i < delta.registers.size(); ++i) {
    const Register& r = delta.registers[i];
    write_path(r.path, out);
    out.uint(register_code(commit_of[i], r.kind));
    if (r.kind == RegisterKind::Value) out.value(r.value);
  }
}

Result<Delta> decode_delta(CborReader& bytes) {
  FieldReader in(bytes, "a document's delta");
  if (in.array() != kFields) in.fault(ErrorCode::Malformed, "it does not have five fields");
  Delta delta;
  delta.collection = in.text();
  delta.id = in.text();
  delta.life = in.uint(1, kMaxLife, "its life");
  const std::vector<CommitRow> rows = read_commits(in);
  delta.registers = read_registers(in, rows);
  if (!in.ok()) return fail(std::move(in.error()));
  return delta;
}

}  // namespace fermata::crdt
