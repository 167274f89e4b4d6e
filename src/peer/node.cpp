#include "peer/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/address.hpp"
#include "net/tls_transport.hpp"
#include "peer/words.hpp"
#include "query/database_impl.hpp"
#include "store/attachments.hpp"

namespace fermata {
namespace {

constexpr Duration kStopWithin = std::chrono::seconds(2);
// After the last peer left we keep redialing this long before background sync counts as having nothing to do.
constexpr Duration kLinger = std::chrono::seconds(30);
// A timer that is later than this was set before the process stopped running for a while.
constexpr Duration kLate = std::chrono::seconds(2);
constexpr std::size_t kMaxReasons = 1024;

sync::EngineOptions engine_options(const net::Identity& identity, std::string name, Duration tombstone_ttl) {
  sync::EngineOptions options;
  options.device = identity.device();
  options.name = std::move(name);
  options.tombstone_ttl = tombstone_ttl;
  return options;
}

}  // namespace

Node::Node(Parts parts)
    : database_(std::move(parts.database)),
      identity_(std::move(parts.identity)),
      chosen_keeper_(parts.background),
      loop_(net::make_asio_loop()),
      engine_(store_of(*database_), engine_options(identity_, std::move(parts.name), parts.tombstone_ttl)),
      callbacks_(std::move(parts.executor)) {}

Result<std::unique_ptr<Node>> Node::make(Parts parts) {
  std::unique_ptr<Node> node(new Node(std::move(parts)));
  net::TransportOptions options;
  options.log = say;
  auto transport = net::make_tls_transport(*node->loop_, node->identity_, std::move(options));
  if (!transport) return fail(transport.error());
  node->transport_ = std::move(*transport);
  node->connect_events();
  // From here on engine and transport belong to the loop thread.
  node->thread_ = std::thread([loop = node->loop_.get()] {
    ignore_broken_pipes();
    net::run(*loop);
  });
  return node;
}

Node::~Node() {
  stop();
  set_commit_hook(*database_, {});
  set_eviction_rule(*database_, {});
  store_of(*database_).set_reopen_listener({});
  store_of(*database_).attachments().set_stored_listener({});
  net::stop(*loop_);
  thread_.join();
}

void Node::connect_events() {
  transport_->set_events({
      .on_open =
          [this](const LinkInfo& link) {
            // Without the port, which is another one each time they call.
            links_.emplace(link.link, fmt::format("peer {:.8} at {}", link.remote,
                                                  link.address.substr(0, link.address.rfind(':'))));
            catching_up_.insert(link.link);
            if (link.remote == identity_.device()) {
              say_once(
                  fmt::format("{} has our own device key: it is ourselves, or a copy of our directory; a copy gets "
                              "an identity of its own when its device.key is deleted",
                              link.address.substr(0, link.address.rfind(':'))));
            }
            engine_.link_opened(link, loop_->now());
            pump();
          },
      .on_frame =
          [this](LinkId link, const Bytes& frame) {
            heard_.insert(link);
            engine_.frame_received(link, frame, loop_->now());
            pump();
          },
      .on_close =
          [this](LinkId link, const Error& why) {
            if (why.code == ErrorCode::Protocol) engine_.offended(link, why, loop_->now());
            engine_.link_closed(link, loop_->now());
            links_.erase(link);
            heard_.erase(link);
            catching_up_.erase(link);
            pump();
          },
  });
  set_commit_hook(*database_, [this](const store::SharedCommit& event) {
    if (commits_.push(event)) loop_->post([this] { note_commits(); });
  });
  set_eviction_rule(*database_, [this](std::string_view collection, std::string_view id, const Map& fields) {
    return wanted_.may_evict(collection, id, fields);
  });
  store_of(*database_).set_reopen_listener([this] { loop_->post([this] { quiesce_soon(); }); });
  note_contents();
}

void Node::note_commits() {
  const CommitQueue::Batch batch = commits_.take();
  for (const auto& event : batch.events) engine_.committed(*event, loop_->now());
  if (batch.skipped) engine_.commits_skipped(loop_->now());
  pump();
}

template <class T>
T Node::on_loop(T otherwise, std::function<T()> task) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  {
    const std::lock_guard lock(lifecycle_);
    if (stopped_) return otherwise;
    loop_->post([promise, task = std::move(task)] { promise->set_value(task()); });
  }
  return future.get();
}

Status Node::start(const NetworkOptions& network) {
  BackgroundSync& keeper = chosen_keeper_ != nullptr ? *chosen_keeper_ : BackgroundSync::shared();
  {
    const std::lock_guard lock(lifecycle_);
    if (started_ || stopped_) return fail(ErrorCode::Closed, "this peer was started before; open a new one");
    started_ = true;
  }
  // Here, because looking a name up may take seconds, and the loop has other things to do.
  NetworkOptions numeric = network;
  for (std::string& address : numeric.listen) {
    auto found = net::numeric_to_listen_on(address);
    if (!found) return fail(std::move(found.error()));
    address = std::move(*found);
  }
  auto opened = on_loop<Status>(fail(ErrorCode::Closed, "this peer was stopped"), [this, numeric, &keeper] {
    keeper_ = &keeper;
    return open_network(numeric);
  });
  if (!opened) return opened;
  const std::lock_guard lock(lifecycle_);
  if (stopped_) return fail(ErrorCode::Closed, "this peer was stopped");
  join(keeper, *this);
  joined_ = &keeper;
  return {};
}

Status Node::open_network(const NetworkOptions& network) {
  // Whether a name answers is found out while dialing; whether it can be one is said at once.
  for (const std::string& address : network.connect) {
    if (auto parsed = net::parse_address(address); !parsed) return fail(parsed.error());
  }
  for (const std::string& address : network.listen) {
    auto bound = transport_->listen(address);
    if (!bound) return fail(bound.error());
    listening_.push_back(std::move(*bound));
  }
  for (const std::string& address : network.connect) transport_->keep_dialing(address);
  dials_ = !network.connect.empty();
  last_linked_ = loop_->now();
  update_state();
  return {};
}

void Node::stop() {
  BackgroundSync* joined = nullptr;
  {
    const std::lock_guard lock(lifecycle_);
    if (stopped_) return;
    stopped_ = true;
    joined = std::exchange(joined_, nullptr);
  }
  if (joined != nullptr) leave(*joined, *this);
  auto closed = std::make_shared<std::promise<void>>();
  auto fetches = std::make_shared<std::map<sync::FetchId, std::shared_ptr<ProgressCall>>>();
  loop_->post([this, closed, fetches] {
    keeper_ = nullptr;
    if (flush_) loop_->cancel(flush_->timer);
    flush_.reset();
    // Nobody will resume us any more, and the database stays in use.
    paused_ = false;
    wants_quiet_.reset();
    resume_observers(*database_);
    engine_.goodbye(std::nullopt, loop_->now());
    pump();
    fetches->swap(fetches_);
    transport_->suspend(kStopWithin, [closed] { closed->set_value(); });
  });
  closed->get_future().wait();
  for (const auto& [id, call] : *fetches) call->cancel();
}

Result<sync::SubscriptionId> Node::subscribe(query::Predicate predicate, sync::AttachmentPolicy attachments) {
  return on_loop<Result<sync::SubscriptionId>>(
      fail(ErrorCode::Closed, "this peer was stopped"),
      [this, attachments, predicate = std::move(predicate)]() -> Result<sync::SubscriptionId> {
        if (auto allowed = engine_.may_subscribe(predicate); !allowed) return fail(std::move(allowed.error()));
        const auto id = engine_.subscribe(predicate, loop_->now(), attachments);
        subscribed_.insert(id);
        wanted_.add(id, predicate);
        pump();
        return id;
      });
}

void Node::unsubscribe(sync::SubscriptionId id) {
  const std::lock_guard lock(lifecycle_);
  if (stopped_) return;
  loop_->post([this, id] {
    subscribed_.erase(id);
    wanted_.remove(id);
    engine_.unsubscribe(id, loop_->now());
    pump();
  });
}

void Node::pump() {
  while (const auto action = engine_.poll()) perform(*action);
  tell_fetches();
  if (flush_) flush_or_leave();
  note_catch_up();
  arm_timer();
  update_state();
}

void Node::perform(const sync::Action& action) {
  if (const auto* send = std::get_if<sync::SendFrame>(&action)) return transport_->send(send->link, send->frame);
  const auto& close = std::get<sync::CloseLink>(action);
  log_once(close);
  transport_->close(close.link, close.why);
}

// Ends that are part of life (a goodbye, a second link, a silent peer) are no news.
void Node::log_once(const sync::CloseLink& close) {
  if (close.why.code == ErrorCode::Closed || close.why.code == ErrorCode::AlreadyExists ||
      close.why.code == ErrorCode::Timeout || reasons_.size() >= kMaxReasons) {
    return;
  }
  const auto link = links_.find(close.link);
  say_once(fmt::format("cut off {}: {}", link == links_.end() ? "a peer" : link->second, close.why.message));
}

// What a peer wrote may be part of the words; it must not move somebody's cursor.
void Node::say_once(std::string words) {
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  if (reasons_.insert(words).second) say(words);
}

void Node::arm_timer() {
  loop_->cancel(timer_);
  timer_ = 0;
  const auto deadline = engine_.next_deadline();
  if (!deadline || (paused_ && !flush_)) return;
  timer_ = loop_->call_at(*deadline, [this, due = *deadline] {
    if (loop_->now() > due + kLate) engine_.woke(loop_->now());
    engine_.on_deadline(loop_->now());
    pump();
  });
}

void Node::note_catch_up() {
  if (catching_up_.empty()) return;
  for (const auto& session : engine_.sessions()) {
    if (!session.caught_up || catching_up_.erase(session.link) == 0) continue;
    catch_up_ = {.done = true,
                 .ms = std::chrono::duration<double, std::milli>(session.catch_up).count(),
                 .round_trips = session.round_trips};
    if (keeper_ != nullptr) caught_up(*keeper_, session.documents_received, session.catch_up);
  }
}

std::uint64_t Node::changes_unsent() const {
  std::uint64_t unsent = 0;
  for (const auto& session : engine_.sessions()) unsent = std::max(unsent, session.changes_unconfirmed);
  return unsent;
}

void Node::update_state() {
  const Instant now = loop_->now();
  if (!heard_.empty()) last_linked_ = now;
  const bool lingering = last_linked_ && now < *last_linked_ + kLinger;
  if (lingering && heard_.empty() && linger_timer_ == 0) {
    linger_timer_ = loop_->call_at(*last_linked_ + kLinger, [this] {
      linger_timer_ = 0;
      update_state();
    });
  }
  ParticipantState next{.unsynced = engine_.unsynced(),
                        .peers = lingering,
                        .links = heard_.size(),
                        .wants_peers = dials_ || !subscribed_.empty()};
  next.unsent = changes_unsent();
  const std::lock_guard lock(state_mutex_);
  const bool told = state_.unsynced != next.unsynced || state_.peers != next.peers || state_.links != next.links ||
                    state_.wants_peers != next.wants_peers;
  state_ = next;
  if (told && keeper_ != nullptr) state_changed(*keeper_);
}

PeerStatus Node::status() {
  return on_loop<PeerStatus>({.device = identity_.device()}, [this] { return status_on_loop(); });
}

PeerStatus Node::status_on_loop() const {
  PeerStatus status{.device = identity_.device(),
                    .listening = listening_,
                    .refused_links = transport_->stats().refused_links,
                    .full_handshakes = transport_->stats().full_handshakes,
                    .resumed_handshakes = transport_->stats().resumed_handshakes,
                    .wire_bytes_sent = transport_->stats().bytes_sent,
                    .wire_bytes_received = transport_->stats().bytes_received,
                    .queued_bytes = transport_->stats().queued_bytes,
                    .catch_up = catch_up_,
                    .repairs = engine_.repairs(),
                    .documents_given_up = engine_.documents_given_up(),
                    .tombstones_purged = engine_.tombstones_purged(),
                    .paused = paused_,
                    .unsynced = engine_.unsynced()};
  for (const auto& session : engine_.sessions()) {
    status.links.push_back({.device = session.device,
                            .name = session.name,
                            .address = session.address,
                            .caught_up = session.caught_up,
                            .remote_caught_up = session.remote_caught_up,
                            .documents_sent = session.documents_sent,
                            .documents_received = session.documents_received,
                            .bytes_sent = session.bytes_sent,
                            .bytes_received = session.bytes_received,
                            .documents_too_large = session.documents_too_large});
  }
  for (const auto& peer : engine_.away()) {
    AwayStatus away{.device = peer.device, .name = peer.name};
    away.since = std::chrono::duration_cast<std::chrono::milliseconds>(loop_->now() - peer.since);
    if (peer.expected_return)
      away.expected_return = std::chrono::duration_cast<std::chrono::milliseconds>(*peer.expected_return);
    status.away.push_back(std::move(away));
  }
  return status;
}

}  // namespace fermata
