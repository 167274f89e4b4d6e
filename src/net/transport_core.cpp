#include "net/transport_core.hpp"

#include <algorithm>

namespace fermata::net {
namespace {

constexpr Duration kCloseWithin = std::chrono::seconds(2);
constexpr std::size_t kMaxLogged = 1024;  // distinct lines; strangers must not fill a disk

}  // namespace

TransportCore::TransportCore(AsioLoop& loop, const Identity& identity, TransportOptions options)
    : loop_(loop),
      identity_(identity),
      options_(std::move(options)),
      events_(std::make_shared<const TransportEvents>()),
      suspend_deadline_(loop) {}

void TransportCore::set_events(TransportEvents events) {
  events_ = std::make_shared<const TransportEvents>(std::move(events));
}

Result<std::string> TransportCore::listen(const std::string& address) {
  auto listener = std::make_shared<Listener>(
      loop_, options_,
      Listener::Events{[this](Fd socket, const Endpoint& remote) { accepted(std::move(socket), remote); },
                       [this](const Error& error) { log_once(error.message); }});
  if (const Status opened = listener->open(address); !opened) return fail(opened.error());
  if (suspended_) listener->close();
  listeners_.push_back(listener);
  return listener->bound();
}

void TransportCore::keep_dialing(const std::string& address) {
  const auto same = [&](const auto& dialer) { return dialer->address() == address; };
  if (std::any_of(dialers_.begin(), dialers_.end(), same)) return;
  auto target = parse_address(address);
  if (!target) return log_once("cannot dial: " + target.error().message);
  dialers_.push_back(std::make_shared<Dialer>(
      loop_, options_, address, std::move(*target),
      Dialer::Events{[this](Dialer& dialer, Fd socket, const Endpoint& remote) {
                       add_link({0, std::move(socket), remote, Role::Dialed, tickets_.take(dialer.device())},
                                dialer.weak_from_this());
                     },
                     [this, address](const Error& error) {
                       log_once("cannot reach " + address + ": " + error.message + "; trying again");
                     }}));
  if (!suspended_) dialers_.back()->start();
}

void TransportCore::accepted(Fd socket, const Endpoint& remote) {
  make_room_for_handshake();
  if (links_.size() >= options_.max_links) {
    ++stats_.refused_links;
    return log_once("refused " + host_text(remote) + ": " + std::to_string(links_.size()) + " links are open already");
  }
  const Link& link = add_link({0, std::move(socket), remote, Role::Accepted}, {});
  handshakes_.insert(link.id());
}

// A handshake takes milliseconds. Whoever is still in one when many others have come since is not in earnest.
void TransportCore::make_room_for_handshake() {
  if (handshakes_.empty() || handshakes_.size() < options_.max_pending_handshakes) return;
  const auto oldest = links_.find(*handshakes_.begin());
  handshakes_.erase(handshakes_.begin());
  if (oldest == links_.end()) return;
  oldest->second.link->abort({ErrorCode::Timeout, "it did not finish the handshake while many others wanted one"},
                             Ending::Refused);
}

// The oldest goes, for it may be one whose other end is long gone.
void TransportCore::make_room_beside(const Link& opened) {
  std::size_t count = 0;
  Link* oldest = nullptr;
  for (const auto& [id, entry] : links_) {
    if (!entry.link->was_open() || !entry.link->serves(opened.info().remote)) continue;
    if (++count == 1) oldest = entry.link.get();
  }
  if (count > options_.max_links_to_device)
    oldest->abort({ErrorCode::AlreadyExists, "newer links to the same device replace it"}, Ending::Closed);
}

Link& TransportCore::add_link(Link::Setup setup, const std::weak_ptr<Dialer>& dialer) {
  const LinkId id = setup.id = ++last_link_;
  auto link = std::make_shared<Link>(*this, loop_, identity_, options_, std::move(setup));
  links_.emplace(id, Entry{link, dialer});
  link->start();
  return *link;
}

void TransportCore::send(LinkId link, Bytes frame) {
  if (const auto found = links_.find(link); found != links_.end()) found->second.link->send(std::move(frame));
}

void TransportCore::close(LinkId link, const Error& why) {
  if (const auto found = links_.find(link); found != links_.end()) found->second.link->close(why, kCloseWithin);
}

void TransportCore::link_opened(Link& link) {
  handshakes_.erase(link.id());
  ++stats_.open_links;
  if (const auto dialer = links_.at(link.id()).dialer.lock()) dialer->met(link.info().remote);
  make_room_beside(link);
  const auto events = events_;
  if (events->on_open) events->on_open(link.info());
}

void TransportCore::link_frame(Link& link, Bytes frame) {
  const auto events = events_;
  if (events->on_frame) events->on_frame(link.id(), std::move(frame));
}

void TransportCore::link_ticket(Link& link, TicketPtr ticket) {
  tickets_.keep(link.info().remote, std::move(ticket));
}

void TransportCore::link_gone(Link& link, const Error& why, Ending ending) {
  const auto self = shared_from_this();
  handshakes_.erase(link.id());
  const auto entry = links_.extract(link.id());
  const auto dialer = entry ? entry.mapped().dialer.lock() : nullptr;
  if (ending == Ending::Refused) ++stats_.refused_links;
  log_ending(link, dialer ? dialer->address() : "", why, ending);
  link_ended(link, dialer.get());
  if (link.was_open()) {
    --stats_.open_links;
    const auto events = events_;
    Error reason = why;
    // Whoever is on the way can break TLS.
    if (ending == Ending::Broken && why.code == ErrorCode::Protocol) reason.code = ErrorCode::Io;
    if (ending != Ending::Closed) reason.message = "the link to " + link.info().address + " ended: " + why.message;
    if (events->on_close) events->on_close(link.id(), reason);
  }
  if (links_.empty()) suspension_over();
}

// Redialing what was closed for being a duplicate would have it closed again, for ever.
void TransportCore::link_ended(const Link& link, Dialer* dialer) {
  const DeviceId& remote = link.info().remote;
  const Duration open_for = link.was_open() ? loop_.now() - link.opened_at() : Duration(0);
  if (dialer != nullptr && remote == identity_.device()) {
    dialer->ended_at_ourselves();
  } else if (dialer != nullptr && link.was_open() && linked_to(remote)) {
    dialer->ended_as_duplicate(open_for, remote);
  } else if (dialer != nullptr) {
    dialer->ended(open_for);
  }
  if (linked_to(remote)) return;
  for (const auto& other : dialers_) other->release(remote);
}

bool TransportCore::linked_to(const DeviceId& device) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& entry) { return entry.second.link->serves(device); });
}

void TransportCore::log_ending(const Link& link, const std::string& dialed_address, const Error& why, Ending ending) {
  if (ending == Ending::Refused) {
    log_once("refused " + link.remote_host() + ": " + why.message);
  } else if (ending == Ending::Offence || (ending == Ending::Broken && link.was_confirmed() &&
                                           (why.code == ErrorCode::Protocol || why.code == ErrorCode::LimitExceeded))) {
    log_once("cut off " + link.remote_host() + ": " + why.message);
  } else if (ending == Ending::Broken && !link.was_confirmed() && !dialed_address.empty()) {
    log_once("cannot reach " + dialed_address + ": " + why.message);
  }
}

TransportStats TransportCore::stats() const {
  TransportStats stats = stats_;
  for (const auto& [id, entry] : links_) stats.queued_bytes += entry.link->queued_bytes();
  return stats;
}

void TransportCore::stop_accepting() {
  suspended_ = true;
  for (const auto& listener : listeners_) listener->close();
  for (const auto& dialer : dialers_) dialer->stop();
  for (auto& [id, entry] : links_) entry.dialer.reset();  // whose end must not have it dial again
}

void TransportCore::suspend(Duration within, std::function<void()> done) {
  stop_accepting();
  if (done) suspended_callbacks_.push_back(std::move(done));
  for (const auto& [id, entry] : links_) entry.link->close({ErrorCode::Closed, "sync is suspended"}, within);
  if (links_.empty()) return suspension_over();
  suspend_deadline_.set(within, [this] {
    for (const auto& [id, entry] : links_) entry.link->abort({ErrorCode::Closed, "sync is suspended"}, Ending::Closed);
  });
}

void TransportCore::suspension_over() {
  suspend_deadline_.cancel();
  for (auto& callback : std::exchange(suspended_callbacks_, {})) {
    loop_.post([weak = weak_from_this(), callback = std::move(callback)] {
      if (const auto self = weak.lock()) callback();
    });
  }
}

void TransportCore::resume() {
  if (std::exchange(suspended_, false)) suspension_over();
  for (const auto& listener : listeners_) listener->reopen();
  for (const auto& dialer : dialers_) dialer->start();
}

void TransportCore::log_once(const std::string& line) {
  if (!options_.log || logged_.size() >= kMaxLogged || !logged_.insert(line).second) return;
  const bool last = logged_.size() == kMaxLogged;
  loop_.post([weak = weak_from_this(), line = last ? "too many different network troubles; no more are logged" : line] {
    const auto self = weak.lock();
    if (self && self->options_.log) self->options_.log(line);
  });
}

void TransportCore::destroy() {
  options_.log = nullptr;
  events_ = std::make_shared<const TransportEvents>();
  suspended_callbacks_.clear();
  suspend_deadline_.cancel();
  for (const auto& listener : listeners_) listener->close();
  for (const auto& dialer : dialers_) dialer->stop();
  for (const auto& [id, entry] : links_) entry.link->detach();
  links_.clear();
  handshakes_.clear();
}

}  // namespace fermata::net
