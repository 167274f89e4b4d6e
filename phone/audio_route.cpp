// Routes: the sinks of the audio server come and go.
#include <fmt/format.h>
#include <pulse/error.h>

#include <cstdint>
#include <utility>

#include "phone/audio.hpp"
#include "phone/pulse_operation.hpp"

namespace fermata::phone {
namespace {

// The module that stays travels as the address of nothing.
void* as_data(std::uint32_t module) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(module));
}

void unload_if_other(pa_context* context, const pa_sink_info* info, int end, void* but_module) {
  if (end == 0 && info && info->owner_module != PA_INVALID_INDEX && as_data(info->owner_module) != but_module)
    forget(pa_context_unload_module(context, info->owner_module, nullptr, nullptr));
}

}  // namespace

Status Audio::change_route(RouteChange change) {
  if (!connected_) return fail(ErrorCode::Closed, "there is no route to change: the audio server is not there");
  pa_operation* operation = nullptr;
  if (change == RouteChange::Lost || change == RouteChange::Back) {
    route_lost_ = change == RouteChange::Lost;
    operation = pa_context_suspend_sink_by_index(context_, PA_INVALID_INDEX, route_lost_ ? 1 : 0, nullptr, nullptr);
    if (callbacks_.on_change) callbacks_.on_change();
  } else if (change == RouteChange::Killed) {
    route_killed_ = true;
    unload_sinks(PA_INVALID_INDEX);
    return {};
  } else {
    const auto on_loaded = [](pa_context*, std::uint32_t module, void* self) {
      if (module != PA_INVALID_INDEX) static_cast<Audio*>(self)->unload_sinks(module);
    };
    const std::string arguments = fmt::format("sink_name=route{}", ++routes_made_);
    operation = pa_context_load_module(context_, "module-null-sink", arguments.c_str(), on_loaded, this);
  }
  if (!operation)
    return fail(ErrorCode::Io, fmt::format("the route stays: {}", pa_strerror(pa_context_errno(context_))));
  forget(operation);
  return {};
}

// Only now, since the server unloads a while after it was asked: a sink made any earlier would rescue the streams.
void Audio::on_sink_gone() {
  if (!std::exchange(route_killed_, false)) return;
  const std::string arguments = fmt::format("sink_name=route{}", ++routes_made_);
  forget(pa_context_load_module(context_, "module-null-sink", arguments.c_str(), nullptr, nullptr));
}

void Audio::unload_sinks(std::uint32_t but_module) {
  forget(pa_context_get_sink_info_list(context_, unload_if_other, as_data(but_module)));
}

}  // namespace fermata::phone
