#include <fmt/core.h>

#include "cli/access.hpp"
#include "cli/control_protocol.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

// A member as people read it: text without quotes, a fraction with two places, anything else as JSON.
std::string shown(const Map& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) return "?";
  if (const auto* fraction = found->second.if_a<double>()) return fmt::format("{:.2f}", *fraction);
  const auto* text = found->second.if_a<std::string>();
  return printable(text != nullptr ? *text : to_json(found->second));
}

// A member that is a number of things; "? documents" of a server that does not tell it.
std::string counted(const Map& object, std::string_view key, std::string_view one) {
  const auto found = object.find(key);
  const auto* number = found == object.end() ? nullptr : found->second.if_a<std::int64_t>();
  if (number == nullptr || *number < 0) return fmt::format("{} {}s", shown(object, key), one);
  return cli::counted(static_cast<std::uint64_t>(*number), one);
}

bool holds(const Map& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->second == Value(true);
}

const Array& list_of(const Map& object, std::string_view key) {
  static const Array kNone;
  const auto found = object.find(key);
  const Array* list = found == object.end() ? nullptr : found->second.if_a<Array>();
  return list == nullptr ? kNone : *list;
}

std::string collections_text(const Map& status) {
  const Map* collections = map_of(status, "collections");
  if (collections == nullptr || collections->empty()) return "collections: none\n";
  std::string text = "collections:\n";
  for (const auto& [name, count] : *collections)
    text += fmt::format("  {:<24} {:>10}\n", printable(name), to_json(count));
  return text;
}

std::string link_text(const Map& link) {
  std::string text =
      fmt::format("  {} at {}: {}, {}; {} sent, {} received\n", shown(link, "name"), shown(link, "address"),
                  holds(link, "caught_up") ? "we have all of theirs" : "receiving",
                  holds(link, "remote_caught_up") ? "they have all of ours" : "sending",
                  counted(link, "documents_sent", "document"), shown(link, "documents_received"));
  if (shown(link, "documents_too_large") != "0")
    text += fmt::format("    too large to send, unless made smaller: {}\n",
                        counted(link, "documents_too_large", "document"));
  return text;
}

std::string peer_text(const Map& peer) {
  std::string text = fmt::format("device: {}\n", shown(peer, "device"));
  for (const Value& address : list_of(peer, "listening")) {
    if (const auto* host_port = address.if_a<std::string>())
      text += fmt::format("listening on: {}\n", printable(*host_port));
  }
  if (holds(peer, "paused")) text += "paused: the system is about to suspend this process\n";
  const Array& links = list_of(peer, "links");
  text += fmt::format("links: {} (refused: {}; handshakes: {} full, {} resumed)\n", links.size(),
                      shown(peer, "refused_links"), shown(peer, "full_handshakes"), shown(peer, "resumed_handshakes"));
  for (const Value& link : links) {
    if (const Map* object = link.if_a<Map>()) text += link_text(*object);
  }
  for (const Value& away : list_of(peer, "away")) {
    if (const Map* object = away.if_a<Map>())
      text += fmt::format("  {} said goodbye {} ms ago and expected to be away for {} ms\n", shown(*object, "name"),
                          shown(*object, "since_ms"), shown(*object, "expected_return_ms"));
  }
  const Map* catch_up = map_of(peer, "catch_up");
  if (catch_up != nullptr && holds(*catch_up, "done")) {
    text += fmt::format("last catch-up: {} ms, {}\n", shown(*catch_up, "ms"),
                        counted(*catch_up, "round_trips", "round trip"));
  }
  text += fmt::format("repairs: {}; documents given up: {}; deletions forgotten: {}\n", shown(peer, "repairs"),
                      shown(peer, "documents_given_up"), shown(peer, "tombstones_purged"));
  return text;
}

std::string cost_text(const Map& cost) {
  return fmt::format("  {} held for {} ms: {} wakeups/s here, {} in the sound server\n", shown(cost, "strategy"),
                     shown(cost, "held_ms"), shown(cost, "wakeups_per_s"), shown(cost, "server_wakeups_per_s"));
}

std::string background_text(const Map& background) {
  std::string text =
      fmt::format("background sync: {}, app in {}; {}\n  {}, {} recovered\n", holds(background, "is_on") ? "on" : "off",
                  shown(background, "app_state"), shown(background, "reason"),
                  counted(background, "interruptions", "interruption"), shown(background, "recoveries"));
  for (const Value& cost : list_of(background, "costs")) {
    if (const Map* object = cost.if_a<Map>()) text += cost_text(*object);
  }
  return text;
}

std::string text_for_people(const Map& status) {
  std::string text = holds(status, "serving") ? "serving: yes\n" : "serving: no\n";
  if (const Map* peer = map_of(status, "peer")) text += peer_text(*peer);
  if (const Map* background = map_of(status, "background_sync")) text += background_text(*background);
  return text + collections_text(status);
}

}  // namespace

Result<int> run_status(const StatusOptions& options) {
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  auto status = (*access)->status();
  if (!status) return fail(status.error());
  Output output;
  Status printed = options.json ? output.json(*status) : output.write(text_for_people(*status));
  if (printed) printed = output.flush();
  if (!printed) return fail(printed.error());
  return 0;
}

}  // namespace fermata::cli
