#include "row.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fermata/platform.hpp>
#include <thread>

#include "cost.hpp"
#include "integration/platform/mailbox.hpp"
#include "integration/platform/message_bus.hpp"
#include "integration/platform/sound_server.hpp"

namespace fermata::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kWarmUp = 5s;
constexpr auto kPulse = 200ms;  // what the keeper begins with

struct Way {
  std::string server, what;
  std::optional<Strategy> strategy;
  milliseconds period{0};  // between pulses
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"pulseaudio", "no demand", std::nullopt, 0ms},
      {"pulseaudio", "continuous", Strategy::SilentAudio, 0ms},
      {"pulseaudio", "pulse each 2 s", Strategy::PulsedAudio, 2000ms},
      {"pulseaudio", "pulse each 3.5 s", Strategy::PulsedAudio, 3500ms},
      {"pipewire", "no demand", std::nullopt, 0ms},
      {"pipewire", "pulse each 2 s", Strategy::PulsedAudio, 2000ms},
      {"pipewire", "pulse each 3.5 s", Strategy::PulsedAudio, 3500ms},
      {"logind", "inhibitor alone", std::nullopt, 0ms},
      {"session bus", "MPRIS alone", Strategy::MediaPlayer, 0ms},
  };
  return all;
}

std::string name_of_way(const Way& way) {
  return way.server + " " + way.what;
}

// What the row's program finds around itself.
struct Stage {
  explicit Stage(const std::string& server) {
    if (server == "pulseaudio") {
      sound.emplace(SoundServer::Kind::PulseAudio);
    } else if (server == "pipewire") {
      sound.emplace(SoundServer::Kind::PipeWire);
    } else if (server == "logind") {
      bus.emplace("DBUS_SYSTEM_BUS_ADDRESS");
      logind = bus->mock_template("org.freedesktop.login1", "logind");
    } else {
      bus.emplace("DBUS_SESSION_BUS_ADDRESS");
    }
  }
  [[nodiscard]] bool inhibitor_is_taken() const {
    return bus->await_answer("org.freedesktop.login1", "/org/freedesktop/login1",
                             "org.freedesktop.login1.Manager.ListInhibitors", "Fermata");
  }
  [[nodiscard]] std::vector<pid_t> server_pids() const { return sound ? sound->pids() : std::vector<pid_t>{}; }

  std::optional<SoundServer> sound;
  std::optional<MessageBus> bus;
  std::unique_ptr<Child> logind;
};

std::optional<CostSample> sum_of(const std::vector<pid_t>& pids) {
  CostSample sum;
  for (const pid_t pid : pids) {
    const auto one = linux_platform::cost_of(pid);
    if (!one) {
      return std::nullopt;
    }
    sum.wakeups += one->wakeups;
    sum.cpu += one->cpu;
  }
  return pids.empty() ? std::nullopt : std::optional(sum);
}

Rate rate(const CostSample& before, const CostSample& after, std::chrono::duration<double> span) {
  return {.wakeups_per_s = static_cast<double>(after.wakeups - before.wakeups) / span.count(),
          .cpu_percent = std::chrono::duration<double>(after.cpu - before.cpu).count() / span.count() * 100};
}

// As the keeper does it: one thread that sleeps until the next pulse.
void spend(Platform& platform, const Way& way, std::chrono::seconds span) {
  const auto end = std::chrono::steady_clock::now() + span;
  if (way.period == 0ms) {
    std::this_thread::sleep_until(end);
    return;
  }
  for (auto next = std::chrono::steady_clock::now(); next < end; next += way.period) {
    std::this_thread::sleep_until(next);
    platform.pulse(kPulse);
  }
  std::this_thread::sleep_until(end);
}

Row measure_held(Platform& platform, const Way& way, const std::vector<pid_t>& servers, std::chrono::seconds span) {
  spend(platform, way, kWarmUp);
  const auto begin = std::chrono::steady_clock::now();
  const auto client = sum_of({::getpid()}), server = sum_of(servers);
  spend(platform, way, span);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto client_after = sum_of({::getpid()}), server_after = sum_of(servers);
  Row row{.server = way.server, .what = way.what, .client = {}, .sound_server = std::nullopt};
  row.client = rate(client.value_or(CostSample{}), client_after.value_or(CostSample{}), took);
  if (server && server_after) {
    row.sound_server = rate(*server, *server_after, took);
  }
  return row;
}

}  // namespace

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  std::transform(ways().begin(), ways().end(), std::back_inserter(names), &name_of_way);
  return names;
}

std::optional<Row> measure(const std::string& name, std::chrono::seconds span) {
  const auto way =
      std::find_if(ways().begin(), ways().end(), [&](const Way& each) { return name_of_way(each) == name; });
  if (way == ways().end()) {
    return std::nullopt;
  }
  const Stage stage(way->server);
  Mailbox<StrategyEvent> events;
  const auto platform = make_default_platform();
  platform->start({.on_app_state = [](AppState, auto) {},
                   .on_strategy = [&](Strategy, StrategyEvent event, auto) { events.put(event); }});
  if (way->strategy) {
    platform->acquire(*way->strategy);
  }
  const bool held =
      way->strategy ? events.take() == StrategyEvent::Held : way->server != "logind" || stage.inhibitor_is_taken();
  if (!held) {
    fmt::print(stderr, "{}: not held\n", name);
    return std::nullopt;
  }
  const Row row = measure_held(*platform, *way, stage.server_pids(), span);
  if (!events.empty()) {
    fmt::print(stderr, "{}: an event came while it was measured: {}\n", name, name_of(*events.take()));
    return std::nullopt;
  }
  return row;
}

}  // namespace fermata::bench
