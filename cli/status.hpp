// The state of a serving peer as one JSON object.
#pragma once

#include <fermata/fermata.hpp>

namespace fermata::cli {

// {"serving":true,"collections":{…},"peer":{…},"background_sync":{…}}; the members of the latter two are named as in
// PeerStatus and BackgroundSyncStatus.
[[nodiscard]] Map serving_status(Peer& peer, BackgroundSync& background);

}  // namespace fermata::cli
