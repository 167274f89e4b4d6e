// How a peer and the keeper of its process meet.
#pragma once

#include <fermata/background_sync.hpp>
#include <functional>

#include "base/time.hpp"

namespace fermata {

// What a participant has to sync, as seen a moment ago.
struct ParticipantState {
  bool unsynced = false;     // something is unsent, unconfirmed or not yet received from a connected peer
  bool peers = false;        // a peer is connected, or was 30 s ago
  std::size_t links = 0;     // connected peers
  bool wants_peers = false;  // it dials somebody, or asks for documents
  std::uint64_t unsent = 0;  // changes of ours that the slowest connected peer has not confirmed
};

// Under which the gap ledger is remembered.
inline constexpr const char* kGapsKey = "gaps";

struct PauseOrder {
  Instant deadline;
  std::optional<Duration> expected_return;  // told to peers
};

// What the keeper steers. Calls come from the keeper's thread and must only post, except state() and recall().
class SyncParticipant {
 public:
  virtual ~SyncParticipant() = default;
  // Stop accepting, flush, goodbye, close, quiesce; then call `done` (any thread) with the number of changes that did
  // not fit: by the deadline if possible, but never while a file is open.
  virtual void pause(const PauseOrder& order, std::function<void(std::uint64_t unsent)> done) = 0;
  virtual void resume() = 0;
  // The process did not run for a while: links may be dead.
  virtual void woke() = 0;
  [[nodiscard]] virtual ParticipantState state() const = 0;
  // Small facts of the keeper's, kept in the participant's database. A pause() that follows comes after it.
  virtual void remember(const std::string& key, const std::string& text) = 0;
  [[nodiscard]] virtual std::string recall(const std::string& key) = 0;  // empty if unknown
};

// Thread-safe. A participant that leaves gets no further call once leave() returns.
void join(BackgroundSync& keeper, SyncParticipant& participant);
void leave(BackgroundSync& keeper, SyncParticipant& participant);
// state() of some participant may have changed.
void state_changed(BackgroundSync& keeper);
// A connection has brought everything that its remote had: so many documents, so long after it opened.
void caught_up(BackgroundSync& keeper, std::uint64_t documents, Duration duration);

}  // namespace fermata
