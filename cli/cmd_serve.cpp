#include <fmt/core.h>
#include <sys/stat.h>

#include <fermata/fermata.hpp>

#include "cli/access.hpp"
#include "cli/control_server.hpp"
#include "cli/options.hpp"
#include "cli/secret_file.hpp"
#include "cli/signals.hpp"
#include "cli/status.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

Result<Secret> load_secret(const ServeOptions& options) {
  if (!options.secret_file.empty()) return Secret::from_file(options.secret_file);
  auto secret = Secret::from_file(secret_path(options.directory));
  if (secret || secret.error().code != ErrorCode::NotFound) return secret;
  struct stat info {};
  if (::stat(options.directory.c_str(), &info) != 0) {
    return fail(ErrorCode::NotFound, fmt::format("there is no directory {}; make one with fermata init {}",
                                                 options.directory, options.directory));
  }
  return fail(ErrorCode::NotFound, fmt::format("{} does not exist; make it with fermata init, or name the group's "
                                               "secret with --secret-file",
                                               secret_path(options.directory)));
}

// A peer whose name the others cannot take would never get a link.
Status check_name(const std::string& name) {
  constexpr std::size_t kMaxNameBytes = 256;
  if (!is_utf8(name)) return fail(ErrorCode::InvalidArgument, "--name takes UTF-8 text, not " + name);
  if (name.size() <= kMaxNameBytes) return {};
  return fail(ErrorCode::InvalidArgument,
              fmt::format("--name takes at most {} bytes; this one has {}", kMaxNameBytes, name.size()));
}

// For ever until a signal. The peer is started before "ready" is said: a busy port must not look like success.
Status serve(Peer& peer, const ServeOptions& options, const Signals& signals) {
  BackgroundSync& background = BackgroundSync::shared();
  std::vector<Subscription> subscriptions;
  for (const std::string& select : options.subscribe) {
    auto subscription = peer.subscribe(select, {}, {.fetch_attachments = options.attachments});
    if (!subscription) return fail(subscription.error());
    subscriptions.push_back(std::move(*subscription));
  }
  auto control = ControlServer::start(peer.database(), options.directory,
                                      [&peer, &background] { return serving_status(peer, background); });
  if (!control) return fail(control.error());
  if (options.background_sync) background.start(options.background);
  // Before the start, which may have words about them at once.
  for (const std::string& address : options.connect) say("connecting to " + address);
  if (auto started = peer.start({options.listen, options.connect}); !started) return started;
  for (const std::string& address : peer.status().listening) say("listening on " + address);
  if (options.listen.empty() && options.connect.empty()) say("remark: neither --listen nor --connect: no peer is met");
  say("ready");
  signals.wait();
  say("ending");
  control->reset();
  peer.stop();
  return {};
}

}  // namespace

Result<int> run_serve(const ServeOptions& options) {
  const Signals signals;
  if (auto named = check_name(options.name); !named) return fail(named.error());
  auto secret = load_secret(options);
  if (!secret) return fail(secret.error());
  if (auto free = check_not_served(options.directory); !free) return fail(free.error());
  auto peer = Peer::open({.directory = options.directory,
                          .secret = std::move(*secret),
                          .name = options.name,
                          .must_exist = true,
                          .executor = {},
                          .background = nullptr});
  if (!peer) return fail(peer.error());
  auto status = serve(**peer, options, signals);
  if (!status) return fail(status.error());
  return 0;
}

}  // namespace fermata::cli
