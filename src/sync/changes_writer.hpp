// Builds the CHANGES frames of one link, document by document, so that the size of a frame is known while it grows.
// What frames before have said is not said again; so each frame that take() gave must be sent, in order.
#pragma once

#include <optional>
#include <vector>

#include "crdt/delta_codec.hpp"
#include "sync/messages.hpp"
#include "sync/ranges_said.hpp"

namespace fermata::sync {

// The same in parts that add() takes, unless a single register is too large for it.
[[nodiscard]] std::vector<crdt::Delta> parts_of(crdt::Delta delta);

class ChangesWriter {
 public:
  // Error: LimitExceeded if it is larger than kMaxDeltaBytes or holds too many items; then nothing has been added.
  [[nodiscard]] Status add(const crdt::Delta& delta, std::optional<std::uint64_t> fingerprint);
  void name(const DocumentName& name);
  void offer(Offer offer);
  [[nodiscard]] std::size_t documents() const { return fingerprints_.size(); }
  [[nodiscard]] std::size_t offers() const { return offers_.size(); }
  [[nodiscard]] std::size_t size() const { return deltas_.size() + name_bytes_ + offer_bytes_; }  // bytes, about
  [[nodiscard]] bool full(std::size_t batch_bytes) const;
  [[nodiscard]] bool empty() const { return fingerprints_.empty() && names_.empty() && offers_.empty(); }
  // The whole frame; the next one begins. `head` never falls from one frame to the next.
  [[nodiscard]] Bytes take(std::uint64_t head, const store::Epoch& assumed_epoch, const std::vector<Range>& ranges);
  // The same, with the ranges that again(head) tells.
  [[nodiscard]] Bytes take_again(std::uint64_t head, const store::Epoch& assumed_epoch);
  // What this frame or the next can say by "the same again"; nothing if none has been said.
  [[nodiscard]] std::optional<CommonRange> again(std::uint64_t head) const { return said_.again(head); }

 private:
  // The rest behind the type and the head; writes the ranges.
  template <class WriteRanges>
  [[nodiscard]] Bytes finish(std::uint64_t head, const store::Epoch& assumed_epoch, WriteRanges write_ranges);
  void clear();
  void write_fingerprints(CborWriter& out) const;
  void write_names(CborWriter& out);
  void write_offers(CborWriter& out);

  // Of the link:
  crdt::DeltaWriter deltas_;
  RangesSaid said_;
  std::uint64_t last_head_ = 0;
  // Of the frame:
  std::size_t items_ = 0;
  std::vector<std::optional<std::uint64_t>> fingerprints_;
  bool any_fingerprint_ = false;
  std::vector<DocumentName> names_;
  std::size_t name_bytes_ = 0;
  std::vector<Offer> offers_;
  std::size_t offer_bytes_ = 0;
};

}  // namespace fermata::sync
