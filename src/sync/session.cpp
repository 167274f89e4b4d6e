#include "sync/session.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fermata::sync {
namespace {

constexpr std::uint64_t kCapabilities =
    static_cast<std::uint64_t>(Capability::Zstd) | static_cast<std::uint64_t>(Capability::Attachments);

// At most `most` bytes, without half a character at the end.
std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  return text.substr(0, end);
}

}  // namespace

Session::Session(Shared& shared, LinkInfo link, Instant now)
    : shared_(shared),
      link_(std::move(link)),
      outlet_{shared, link_.link},
      feed_(outlet_),
      intake_(shared),
      mirror_(outlet_, feed_),
      repair_(outlet_, feed_, intake_),
      compare_(outlet_, feed_, intake_, repair_),
      supply_(outlet_, feed_),
      opened_(now),
      now_(now),
      heard_(now),
      progressed_(now) {}

Session::~Session() {
  if (greeted_) --shared_.greeted;
  shared_.fetches.closed(link_.link, shared_.now);
  shared_.walkers.erase(link_.link);
}

Feed::Confirmed Session::confirmed() const {
  return [this](std::string_view collection) { return intake_.confirmed(collection); };
}

Status Session::know_remote(const store::Epoch& epoch, store::Epoch assumed) {
  if (epoch.empty()) return {};
  auto source = shared_.store.source_number(shared_.has(Mutation::SourceOfOldEpoch) ? link_.remote : epoch);
  if (!source) return fail(std::move(source.error()));
  intake_.set_source(*source);
  feed_.set_remote(*source, std::move(assumed));
  return {};
}

Status Session::open(const RememberedPeer* remembered) {
  our_epoch_ = shared_.store.epoch();
  auto last_epoch = shared_.store.last_epoch_of(link_.remote);
  if (!last_epoch) return fail(std::move(last_epoch.error()));
  remote_epoch_ = std::move(*last_epoch);
  if (auto followed = intake_.follow(remote_epoch_, our_epoch_); !followed) return followed;
  choose_walker();
  std::string name = shortened(shared_.options.name, kMaxNameBytes);
  outlet_.send(encode(Hello{kSpoken, kCapabilities, our_epoch_, std::move(name), shared_.head, intake_.wanted()}));
  feed_.told_head(shared_.head);
  round_trips_ = 1;
  if (!remembered || remote_epoch_.empty() || remembered->epoch != remote_epoch_) return {};
  if (auto known = know_remote(remote_epoch_, remote_epoch_); !known) return known;
  for (const RemoteSubscription& subscription : remembered->subscriptions) {
    if (auto assumed = feed_.assume(subscription, confirmed()); !assumed) return assumed;
  }
  return feed_.pump();
}

Status Session::receive(ByteView frame, Instant now) {
  now_ = heard_ = now;
  pinged_.reset();
  bytes_received_ += frame.size();
  auto message = reader_.read(frame);
  if (!message) return fail(std::move(message.error()));
  const bool is_sign_of_life = std::holds_alternative<Ping>(*message) || std::holds_alternative<Pong>(*message);
  if (!is_sign_of_life && !std::holds_alternative<Skipped>(*message)) progressed_ = now;
  const bool is_hello = std::holds_alternative<Hello>(*message);
  if (is_hello == greeted_ && !std::holds_alternative<Goodbye>(*message))
    return fail(ErrorCode::Protocol, greeted_ ? "the peer said HELLO twice" : "the peer did not begin with HELLO");
  if (auto done = std::visit([this](auto& each) { return on(std::move(each)); }, *message); !done) return done;
  return settle(now);
}

Status Session::on(const Hello& hello) {
  greeted_ = true;
  ++shared_.greeted;
  remote_name_ = hello.name;
  outlet_.compress = shared_.options.compression == Compression::Zstd &&
                     (hello.capabilities & static_cast<std::uint64_t>(Capability::Zstd)) != 0;
  const bool another = hello.epoch != remote_epoch_;
  if (another) shared_.logs.erase(remote_epoch_);
  remote_epoch_ = hello.epoch;
  if (another) {
    if (auto remembered = shared_.store.remember_epoch(link_.remote, remote_epoch_); !remembered) return remembered;
    if (auto followed = intake_.follow(remote_epoch_, our_epoch_); !followed) return followed;
  }
  intake_.remote_head(hello.head);
  if (auto replaced = feed_.replace(hello.subscriptions, our_epoch_, confirmed(), remote_epoch_); !replaced)
    return replaced;
  if (auto known = know_remote(remote_epoch_, {}); !known) return known;
  if (auto told = mirror_.stand(); !told) return told;
  note_caught_up();
  if ((hello.capabilities & static_cast<std::uint64_t>(Capability::Attachments)) != 0)
    shared_.fetches.opened(outlet_, now_);
  return feed_.pump();
}

Status Session::on(const Subscribe& subscribe) {
  forget_theirs(subscribe.subscription.id);
  if (auto added = feed_.add(subscribe.subscription, our_epoch_, confirmed()); !added) return added;
  if (auto told = mirror_.stand(); !told) return told;
  return feed_.pump();
}

Status Session::on(const Unsubscribe& unsubscribe) {
  forget_theirs(unsubscribe.id);
  return feed_.remove(unsubscribe.id);
}

void Session::forget_theirs(std::uint64_t id) {
  compare_.forget_theirs(id);
  const auto opened = mirror_.forget(id);
  if (!opened || mirror_.refuses(*opened)) return;
  // What came of it meanwhile was not taken in, and a remote that had ended the subscription before it heard why will
  // not send that again by itself.
  for (const auto& [key, ours] : shared_.subscriptions) {
    if (intake_.has(key) && ours.predicate.collection() == *opened)
      outlet_.send(encode(Subscribe{intake_.wanted(key)}));
  }
}

Status Session::on(Changes changes) {
  if (shared_.draining) return shared_.has(Mutation::DrainFolds) ? intake_.fold_unread(changes) : Status();
  ++received_frames_;
  documents_received_ += changes.documents.size();
  const bool only_offers = changes.documents.empty() && changes.named.empty();
  const auto gate = [this](std::string_view collection) {
    if (mirror_.refuses(collection)) return Intake::Gate::Shut;
    return mirror_.judges(collection) ? Intake::Gate::Judges : Intake::Gate::Open;
  };
  if (mirror_.refuses_any()) changes.spell_out();  // some of the ranges do not count
  auto applied = intake_.apply(std::move(changes), feed_, gate, now_);
  if (!applied) return fail(std::move(applied.error()));
  if (applied->changed && shared_.walkers.contains(link_.link)) shared_.walked = now_;
  for (std::uint64_t version : applied->passed) feed_.remote_holds(version);
  for (const Offer& offer : applied->open) feed_.remote_holds(offer.version);
  if (!applied->prune.empty()) outlet_.send(encode(Prune{{applied->prune.begin(), applied->prune.end()}}));
  ask_for(*applied);
  if (auto corrected = feed_.correct(std::move(applied->corrections)); !corrected) return corrected;
  if (auto pumped = feed_.pump(); !pumped) return pumped;
  // What is under way another way is acknowledged when it has come, or when we ask for it: one word instead of two.
  if (applied->open.empty() || !only_offers) acknowledge();
  note_caught_up();
  return {};
}

void Session::ask_for(Intake::Applied& applied) {
  if (applied.wanted.empty()) return;
  progressed_ = now_;
  if (!catch_up_) ++round_trips_;
  if (!applied.graft.empty()) outlet_.send(encode(Graft{{applied.graft.begin(), applied.graft.end()}}));
  for (Bytes& part : encode_in_parts({std::move(applied.held), std::move(applied.wanted)}))
    outlet_.send(std::move(part));
}

Status Session::came(LoadedCommit& commit) {
  if (!intake_.waits_for_offers()) return {};
  std::vector<DocumentName> corrections;
  auto settled = intake_.settle(commit, feed_, corrections);
  if (!settled) return fail(std::move(settled.error()));
  if (auto corrected = feed_.correct(std::move(corrections)); !corrected) return corrected;
  if (!*settled) return {};
  acknowledge();
  note_caught_up();
  return {};
}

Status Session::on(Want want) {
  if (auto queued = feed_.want(std::move(want)); !queued) return queued;
  return feed_.pump();
}

Status Session::on(const Ack& ack) {
  if (auto acknowledged = feed_.acknowledge(ack); !acknowledged) return acknowledged;
  // What the remote knew better came before this word, and was not taken in: the next session has to be told again.
  if (!shared_.draining) intake_.confirm(feed_);
  if (auto pumped = feed_.pump(); !pumped) return pumped;
  if (owes_cursors_ && !feed_.owes_corrections()) acknowledge();
  return {};
}

Status Session::on(const DigestOf& digest) {
  return compare_.on(digest);
}

Status Session::on(const Stand& stand) {
  if (!catch_up_) ++round_trips_;
  return repair_.on(stand);
}

Status Session::on(const Match& match) {
  return mirror_.on(match);
}

Status Session::on(const Symbols& symbols) {
  if (shared_.draining) return {};
  ++received_frames_;
  mirror_.answered(repair_.nth(symbols.of.run));
  if (auto taken = repair_.on(symbols); !taken) return taken;
  acknowledge();
  return {};
}

Status Session::on(const Items& items) {
  if (shared_.draining) return {};
  ++received_frames_;
  mirror_.answered(repair_.nth(items.of.run));
  if (auto taken = repair_.on(items); !taken) return taken;
  acknowledge();
  return {};
}

Status Session::on(const Resolve& resolve) {
  return mirror_.on(resolve);
}

Status Session::on(const Resolved& resolved) {
  if (shared_.draining) return {};
  return repair_.on(resolved);
}

Status Session::on(const Part& part) {
  if (shared_.draining) return {};
  ++received_frames_;
  if (auto taken = shared_.fetches.on(link_.link, part, now_); !taken) return taken;
  acknowledge();
  return {};
}

Status Session::on(const Have& have) {
  shared_.fetches.on(link_.link, have, now_);
  return {};
}

Status Session::settle(Instant now) {
  now_ = now;
  if (auto shown = mirror_.pump(); !shown) return shown;
  if (auto pumped = feed_.pump(); !pumped) return pumped;
  const auto moved = repair_.pump();
  if (!moved) return fail(moved.error());
  if (*moved) {
    // What was withheld until we knew may go now.
    if (auto pumped = feed_.pump(); !pumped) return pumped;
    acknowledge();
    note_caught_up();
  }
  // Last: documents go first.
  if (auto supplied = supply_.pump(); !supplied) return supplied;
  return compare_.consider(link_.remote, quiet(), now_);
}

bool Session::quiet() const {
  return greeted_ && !shared_.draining && intake_.caught_up() && feed_.caught_up() && !feed_.owes_corrections() &&
         !mirror_.busy() && !repair_.busy() && shared_.store.last_local_seq() == shared_.head;
}

Status Session::on(const Goodbye& goodbye) {
  // Beyond a year it is no expectation, and would not be representable.
  constexpr std::uint64_t kLongestMs = 365ull * 24 * 3600 * 1000;
  remote_goodbye_ = AwayPeer{link_.remote, remote_name_, now_, std::nullopt};
  if (goodbye.expected_return_ms && *goodbye.expected_return_ms <= kLongestMs)
    remote_goodbye_->expected_return = std::chrono::milliseconds(*goodbye.expected_return_ms);
  return fail(ErrorCode::Closed, fmt::format("the peer said goodbye: {}", goodbye.reason));
}

// The count opens the remote's window at once. The cursors also say "you have heard all that I know better", so they
// wait for the corrections.
void Session::acknowledge() {
  owes_cursors_ = feed_.owes_corrections();
  Ack ack{received_frames_, {}, {}};
  if (!owes_cursors_) ack.level = intake_.level();
  if (!owes_cursors_ && !ack.level) ack.cursors = intake_.cursors();
  outlet_.send(encode(ack));
}

void Session::choose_walker() {
  const bool ours = shared_.walkers.empty() || shared_.walkers.contains(link_.link);
  if (ours) shared_.walkers.insert(link_.link);
  intake_.set_brought(!ours);
}

void Session::note_caught_up() {
  if (!greeted_ || !intake_.caught_up()) return;
  shared_.walkers.erase(link_.link);
  intake_.set_brought(false);
  if (!catch_up_) catch_up_ = now_ - opened_;
}

Status Session::push(LoadedCommit& commit) {
  return feed_.push(commit);
}

Status Session::subscribe(std::uint64_t key) {
  if (auto added = intake_.add(key); !added) return added;
  progressed_ = shared_.now;
  const query::Predicate& predicate = shared_.subscriptions.at(key).predicate;
  choose_walker();
  outlet_.send(encode(Subscribe{intake_.wanted(key)}));
  if (predicate.matches_everything()) return {};
  // What we sent of this collection so far did not ask to be told better.
  if (const auto confirmed = intake_.confirmed(predicate.collection()))
    feed_.rewind(predicate.collection(), *confirmed);
  return feed_.pump();
}

Status Session::unsubscribe(std::uint64_t key) {
  intake_.remove(key);
  compare_.forget_ours(key);
  outlet_.send(encode(Unsubscribe{key}));
  if (auto gone_on = repair_.forget(key); !gone_on) return gone_on;
  return feed_.pump();  // it may have been withheld for this one
}

void Session::goodbye(std::optional<Duration> expected_return) {
  Goodbye message{"pausing", std::nullopt};
  if (expected_return)
    message.expected_return_ms = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(*expected_return).count()));
  outlet_.send(encode(message));
}

std::size_t RememberedPeer::text_bytes() const {
  std::size_t bytes = 0;
  for (const RemoteSubscription& each : subscriptions) bytes += each.predicate.text().size();
  return bytes;
}

std::optional<RememberedPeer> Session::leave() {
  if (!greeted_) return std::nullopt;
  intake_.save_cursors();
  return RememberedPeer{remote_epoch_, feed_.subscriptions()};
}

SessionStatus Session::status() const {
  SessionStatus status;
  status.link = link_.link;
  status.device = link_.remote;
  status.name = remote_name_;
  status.address = link_.address;
  status.caught_up = greeted_ && intake_.caught_up();
  status.remote_caught_up = greeted_ && feed_.caught_up();
  status.round_trips = round_trips_;
  status.catch_up = catch_up_.value_or(Duration{});
  status.documents_sent = feed_.documents_sent();
  status.documents_too_large = feed_.documents_too_large();
  status.changes_unconfirmed = greeted_ ? feed_.changes_unconfirmed() : 0;
  status.documents_received = documents_received_;
  status.repairs = repair_.repairs() + mirror_.repairs();
  status.documents_given_up = intake_.given_up();
  status.bytes_sent = outlet_.bytes_sent;
  status.bytes_received = bytes_received_;
  return status;
}

bool Session::unsynced() const {
  return !greeted_ || !intake_.caught_up() || !feed_.caught_up() || repair_.busy() || mirror_.busy();
}

}  // namespace fermata::sync
