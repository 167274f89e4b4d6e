// Reads the frames of one link, in order. Decoding trusts nothing and says what was wrong; what it takes in memory is
// bounded by limits.hpp, whatever a frame promises. Pure.
#pragma once

#include "crdt/delta_codec.hpp"
#include "sync/messages.hpp"
#include "sync/ranges_said.hpp"

namespace fermata::sync {

// The version that two peers speak: the lower of what each speaks at best. Error: VersionMismatch if one of them does
// not speak that any more.
[[nodiscard]] Result<std::uint64_t> choose_version(const VersionSpan& ours, const VersionSpan& theirs);

class Fields;

class MessageReader {
 public:
  explicit MessageReader(VersionSpan spoken = kSpoken) : spoken_(spoken) {}

  // Errors: Malformed, LimitExceeded, Protocol for an unknown type that may not be skipped; VersionMismatch for a HELLO
  // that leaves no version in common. Of no use after an error.
  [[nodiscard]] Result<Message> read(ByteView frame);

 private:
  [[nodiscard]] Result<Message> read_plain(ByteView frame);
  [[nodiscard]] Message read_message(Fields& in, std::uint64_t type, std::size_t fields);
  [[nodiscard]] Changes read_changes(Fields& in, std::size_t fields);
  void read_changes_ranges(Fields& in, Changes& changes);
  void read_extra(Fields& in, std::uint64_t key, Changes& changes);
  [[nodiscard]] std::vector<DocumentName> read_changes_names(Fields& in);
  [[nodiscard]] std::vector<Offer> read_offers(Fields& in);

  VersionSpan spoken_;
  crdt::DeltaReader deltas_;
  RangesSaid said_;
  std::uint64_t last_head_ = 0;
};

}  // namespace fermata::sync
