// How a peer and the keeper of its process meet.
#pragma once

#include <fermata/background_sync.hpp>
#include <functional>

#include "base/time.hpp"

namespace fermata {

// What the keeper steers. Calls come from the keeper's thread and must only post.
class SyncParticipant {
 public:
  virtual ~SyncParticipant() = default;
  // Stop accepting, flush, goodbye, close, quiesce; then call `done` (any thread), at the latest by `deadline`.
  virtual void pause(Instant deadline, std::function<void()> done) = 0;
  virtual void resume() = 0;
  // Whether there is something to sync or somebody to sync with.
  [[nodiscard]] virtual bool has_demand() const = 0;
};

// Thread-safe. A participant that leaves gets no further call once leave() returns.
void join(BackgroundSync& keeper, SyncParticipant& participant);
void leave(BackgroundSync& keeper, SyncParticipant& participant);
// has_demand() of some participant may have changed.
void demand_changed(BackgroundSync& keeper);

}  // namespace fermata
