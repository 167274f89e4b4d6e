#include "cli/status.hpp"

#include "cli/access.hpp"

namespace fermata::cli {
namespace {

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

Map link_map(const LinkStatus& link) {
  return Map{{"device", link.device},
             {"name", link.name},
             {"address", link.address},
             {"caught_up", link.caught_up},
             {"remote_caught_up", link.remote_caught_up},
             {"documents_sent", number(link.documents_sent)},
             {"documents_received", number(link.documents_received)},
             {"bytes_sent", number(link.bytes_sent)},
             {"bytes_received", number(link.bytes_received)}};
}

Map peer_map(const PeerStatus& status) {
  Array links;
  for (const LinkStatus& link : status.links) links.push_back(link_map(link));
  return Map{{"device", status.device},
             {"listening", Array(status.listening.begin(), status.listening.end())},
             {"links", std::move(links)},
             {"refused_links", number(status.refused_links)},
             {"catch_up", Map{{"done", status.catch_up.done},
                              {"ms", status.catch_up.ms},
                              {"round_trips", number(status.catch_up.round_trips)}}},
             {"paused", status.paused},
             {"unsynced", status.unsynced}};
}

Map background_map(const BackgroundSyncStatus& status) {
  return Map{{"is_on", status.is_on},
             {"app_state", name_of(status.app_state)},
             {"syncing", status.syncing},
             {"holding", status.holding},
             {"strategy", name_of(status.strategy)},
             {"reason", status.reason},
             {"interruptions", number(status.interruptions)},
             {"recoveries", number(status.recoveries)}};
}

}  // namespace

Map serving_status(Peer& peer, const BackgroundSync& background) {
  Map status = local_status(peer.database());
  status["serving"] = true;
  status["peer"] = peer_map(peer.status());
  status["background_sync"] = background_map(background.status());
  return status;
}

}  // namespace fermata::cli
