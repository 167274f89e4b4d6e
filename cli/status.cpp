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
             {"bytes_received", number(link.bytes_received)},
             {"documents_too_large", number(link.documents_too_large)}};
}

Map away_map(const AwayStatus& away) {
  Map map{{"device", away.device},
          {"name", away.name},
          {"since_ms", static_cast<std::int64_t>(away.since.count())},
          {"expected_return_ms", Value()}};
  if (away.expected_return) map["expected_return_ms"] = static_cast<std::int64_t>(away.expected_return->count());
  return map;
}

Map peer_map(const PeerStatus& status) {
  Array links;
  for (const LinkStatus& link : status.links) links.push_back(link_map(link));
  Array away;
  for (const AwayStatus& each : status.away) away.push_back(away_map(each));
  return Map{{"device", status.device},
             {"listening", Array(status.listening.begin(), status.listening.end())},
             {"links", std::move(links)},
             {"away", std::move(away)},
             {"refused_links", number(status.refused_links)},
             {"full_handshakes", number(status.full_handshakes)},
             {"resumed_handshakes", number(status.resumed_handshakes)},
             {"wire_bytes_sent", number(status.wire_bytes_sent)},
             {"wire_bytes_received", number(status.wire_bytes_received)},
             {"queued_bytes", number(status.queued_bytes)},
             {"catch_up", Map{{"done", status.catch_up.done},
                              {"ms", status.catch_up.ms},
                              {"round_trips", number(status.catch_up.round_trips)}}},
             {"repairs", number(status.repairs)},
             {"documents_given_up", number(status.documents_given_up)},
             {"tombstones_purged", number(status.tombstones_purged)},
             {"paused", status.paused},
             {"unsynced", status.unsynced}};
}

Map conditions_map(const Conditions& conditions) {
  Map map{{"low_power", conditions.low_power},
          {"battery_percent", Value()},
          {"metered", conditions.metered},
          {"protected_data_available", conditions.protected_data_available}};
  if (conditions.battery_percent) map["battery_percent"] = *conditions.battery_percent;
  return map;
}

Map cost_map(const StrategyCost& cost) {
  Map map{{"strategy", name_of(cost.strategy)},  {"held_ms", static_cast<std::int64_t>(cost.held.count())},
          {"wakeups_per_s", cost.wakeups_per_s}, {"cpu_percent", cost.cpu_percent},
          {"server_wakeups_per_s", Value()},     {"server_cpu_percent", Value()}};
  if (cost.server_wakeups_per_s) map["server_wakeups_per_s"] = *cost.server_wakeups_per_s;
  if (cost.server_cpu_percent) map["server_cpu_percent"] = *cost.server_cpu_percent;
  return map;
}

Map background_map(const BackgroundSyncStatus& status, const std::vector<StrategyCost>& costs) {
  Array cost_list;
  for (const StrategyCost& cost : costs) cost_list.push_back(cost_map(cost));
  return Map{{"is_on", status.is_on},
             {"app_state", name_of(status.app_state)},
             {"syncing", status.syncing},
             {"holding", status.holding},
             {"strategy", name_of(status.strategy)},
             {"reason", status.reason},
             {"interruptions", number(status.interruptions)},
             {"recoveries", number(status.recoveries)},
             {"conditions", conditions_map(status.conditions)},
             {"pulse_period_ms", static_cast<std::int64_t>(status.pulse_period.count())},
             {"costs", std::move(cost_list)}};
}

}  // namespace

Map serving_status(Peer& peer, BackgroundSync& background) {
  Map status = local_status(peer.database());
  status["serving"] = true;
  status["peer"] = peer_map(peer.status());
  status["background_sync"] = background_map(background.status(), background.costs());
  return status;
}

}  // namespace fermata::cli
