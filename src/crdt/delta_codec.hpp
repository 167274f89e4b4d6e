// The wire form of deltas: batches on one link, which take for granted what earlier batches on it have said
// (docs/PROTOCOL.md, "Documents"). One writer and one reader per link and direction; the reader must be given every
// batch of its writer in order. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/codec.hpp"
#include "crdt/document.hpp"
#include "crdt/link_tables.hpp"

namespace fermata::crdt {

// A canonical UUID travels as 16 bytes, any other id as text.
void write_id(std::string_view id, CborWriter& out);
[[nodiscard]] Result<std::string> read_id(CborReader& in);

class DeltaWriter {
 public:
  void add(const Delta& delta);
  // The name of a collection, for what the caller writes behind the batch: after take() and before the next add().
  void write_collection(const std::string& collection, CborWriter& out);
  [[nodiscard]] std::size_t count() const { return count_; }  // of the batch
  [[nodiscard]] std::size_t size() const;                     // bytes, about
  // Appends the batch, two items, and begins the next.
  void take(CborWriter& out);

 private:
  void write_path_of(const Register& r);
  void write_commits(CborWriter& out);

  SayingTable<std::string, kCollectionSlots> collections_;
  SayingTable<Path, kPathSlots, PathHash> paths_;
  SayingTable<ActorId, kActorSlots> actors_;
  std::array<std::uint64_t, kActorSlots> last_seqs_{};
  std::uint64_t last_ms_ = 0;
  // Of the batch:
  CommitTable commits_;
  CborWriter documents_;
  std::size_t count_ = 0;
  std::size_t last_commit_ = 0;  // one more than the index of the register's before
};

class DeltaReader {
 public:
  // What a batch may ask for: items are registers and the values in them.
  struct Limits {
    std::size_t documents = 0;
    std::size_t items = 0;
  };
  // Errors: Malformed for empty names, unsorted or duplicate paths, numbers that were not given out, kinds, lives and
  // stamps out of range; LimitExceeded for anything deeper than kMaxDepth, a value of more than kMaxValues, and beyond
  // `limits`. Of no use after an error.
  [[nodiscard]] Result<std::vector<Delta>> read(CborReader& in, const Limits& limits);
  // What write_collection() wrote.
  [[nodiscard]] Result<std::string> read_collection(CborReader& in);

 private:
  [[nodiscard]] std::vector<CommitRow> read_commits(FieldReader& in);
  [[nodiscard]] ActorMemory* read_actor(FieldReader& in);
  [[nodiscard]] Path read_path(FieldReader& in);
  [[nodiscard]] Register read_register(FieldReader& in, const std::vector<CommitRow>& rows);
  [[nodiscard]] Value read_value(FieldReader& in, std::size_t depth);
  void read_share(FieldReader& in, Register& r);
  [[nodiscard]] std::vector<Register> read_registers(FieldReader& in, const std::vector<CommitRow>& rows);

  SaidTable<std::string, kCollectionSlots> collections_;
  SaidTable<Path, kPathSlots> paths_;
  SaidTable<ActorMemory, kActorSlots> actors_;
  std::uint64_t last_ms_ = 0;
  // Of the batch:
  std::size_t items_left_ = 0;
  std::size_t commits_seen_ = 0;
  std::size_t last_commit_ = 0;  // one more than the index of the register's before
};

}  // namespace fermata::crdt
