// How far each of our subscriptions has been received from the remote, and what of that is stored.
#include <algorithm>

#include "sync/intake.hpp"

namespace fermata::sync {
namespace {

// A subscription keeps up to three numbers per remote store, under keys derived from its query's: they outlive it.
enum class Kept : std::uint64_t { Seq = 0, IncompleteBase = 1, Confirmed = 2 };

std::uint64_t stored_key(std::uint64_t key, Kept what) {
  if (what == Kept::Seq) return key;
  // The finaliser of SplitMix64: spreads neighbours over the whole range.
  std::uint64_t mixed = key + static_cast<std::uint64_t>(what) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

// 0 is what the store gives for "none": then the position is complete.
std::uint64_t stored_base(const Position& position) {
  return position.base == position.seq ? 0 : position.base + 1;
}

}  // namespace

std::vector<std::uint64_t> stored_keys(std::uint64_t predicate_key) {
  return {predicate_key, stored_key(predicate_key, Kept::IncompleteBase), stored_key(predicate_key, Kept::Confirmed)};
}

// --- which there are ---

Status Intake::follow(const store::Epoch& remote_epoch, const store::Epoch& our_epoch) {
  leave_level();
  remote_epoch_ = remote_epoch;
  our_epoch_ = our_epoch;
  remote_head_ = 0;
  incoming_.clear();
  heard_.clear();
  for (const auto& [key, subscription] : shared_.subscriptions) {
    if (auto added = add(key); !added) return added;
  }
  return {};
}

Status Intake::add(std::uint64_t key) {
  leave_level();
  Incoming incoming;
  if (!remote_epoch_.empty()) {
    const auto seq = shared_.store.cursor(remote_epoch_, stored_key(predicate(key).key(), Kept::Seq));
    const auto base = shared_.store.cursor(remote_epoch_, stored_key(predicate(key).key(), Kept::IncompleteBase));
    const auto confirmed = shared_.store.cursor(remote_epoch_, stored_key(predicate(key).key(), Kept::Confirmed));
    for (const auto* loaded : {&seq, &base, &confirmed}) {
      if (!*loaded) return fail(loaded->error());
    }
    const Position stored{*base == 0 ? *seq : std::min(*base - 1, *seq), *seq};
    incoming.progress = Progress(stored);
    KnownLog& log = shared_.logs[remote_epoch_];
    log.spread_level();
    KnownCursor& known = log.cursors[key];
    known = {stored, std::max(known.reached, stored.seq)};
    incoming.confirmed = incoming.saved_confirmed = *confirmed;
  }
  // Whatever we hold when a subscription begins from nothing, the remote names.
  if (incoming.progress.position().seq == 0) incoming.confirmed = shared_.head;
  if (!predicate(key).matches_everything()) hear_anew(predicate(key).collection());
  incoming_.insert_or_assign(key, std::move(incoming));
  return {};
}

// The remote has not been asked yet for one more of this collection, so what it has confirmed is the others' only.
void Intake::hear_anew(const std::string& collection) {
  Heard& heard = heard_[collection];
  ++heard.subscriptions;
  if (heard.seq == 0) return;
  for (auto& [key, incoming] : incoming_) {
    const query::Predicate& ours = predicate(key);
    if (!ours.matches_everything() && ours.collection() == collection) incoming.confirmed = confirmed_of(key, incoming);
  }
  heard.seq = 0;
}

void Intake::remove(std::uint64_t key) {
  leave_level();
  const auto incoming = incoming_.find(key);
  if (incoming == incoming_.end()) return;
  if (!remote_epoch_.empty() && is_stale(key, incoming->second)) save_stale({key});
  incoming_.erase(incoming);
  const auto heard = heard_.find(predicate(key).collection());
  if (!predicate(key).matches_everything() && --heard->second.subscriptions == 0) heard_.erase(heard);
}

Status Intake::restart(std::uint64_t key, Position position) {
  leave_level();
  Incoming& incoming = incoming_.at(key);
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  // Another link to the same store may have stored another one.
  KnownLog& log = shared_.logs[remote_epoch_];
  log.spread_level();
  log.cursors.erase(key);
  if (auto saved = save(*transaction, key, incoming, position); !saved) return saved;
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  incoming.progress = Progress(position);
  incoming.saved_confirmed = confirmed_of(key, incoming);
  log.cursors[key] = {position, position.seq};
  return {};
}

// --- all at the same place ---

void Intake::enter_level(const CommonRange& common) {
  if (level_ || incoming_.empty()) return;
  const std::uint64_t seq = incoming_.begin()->second.progress.position().seq;
  const auto is_there = [&](const auto& entry, std::uint64_t id) {
    const Progress& progress = entry.second.progress;
    const bool level = progress.position() == Position{seq, seq} && !progress.has_holes();
    return entry.first == id && (level || shared_.has(Mutation::LevelTooEarly));
  };
  const auto& ids = *common.subscriptions;
  if (std::equal(incoming_.begin(), incoming_.end(), ids.begin(), ids.end(), is_there))
    level_ = Level{common.subscriptions, seq};
}

void Intake::leave_level() {
  if (!level_) return;
  for (auto& [key, incoming] : incoming_) incoming.progress = Progress({level_->seq, level_->seq});
  level_.reset();
}

std::optional<std::uint64_t> Intake::level() const {
  return level_ ? std::optional(level_->seq) : std::nullopt;
}

std::uint64_t Intake::received() const {
  if (level_) return incoming_.size() * level_->seq;
  std::uint64_t sum = 0;
  for (const auto& [key, incoming] : incoming_) sum += incoming.progress.position().seq;
  return sum;
}

bool Intake::caught_up() const {
  if (level_) return level_->seq >= remote_head_;
  return std::all_of(incoming_.begin(), incoming_.end(),
                     [&](const auto& entry) { return entry.second.progress.position().seq >= remote_head_; });
}

std::vector<std::pair<std::uint64_t, Position>> Intake::cursors() const {
  std::vector<std::pair<std::uint64_t, Position>> all;
  for (const auto& [key, incoming] : incoming_) all.emplace_back(key, position_of(incoming));
  return all;
}

// --- known to any session ---

bool Intake::is_overtaken(std::uint64_t key) const {
  const auto log = shared_.logs.find(remote_epoch_);
  const KnownCursor* known = known_cursor(key);
  return known != nullptr && std::max(known->reached, log->second.level) != position(key).seq;
}

const KnownCursor* Intake::known_cursor(std::uint64_t key) const {
  const auto log = shared_.logs.find(remote_epoch_);
  if (log == shared_.logs.end()) return nullptr;
  const auto cursor = log->second.cursors.find(key);
  return cursor == log->second.cursors.end() ? nullptr : &cursor->second;
}

// --- moving on ---

Result<Intake::Folded> Intake::folded(const Changes& changes) {
  if (!changes.again) return folded(changes.ranges);
  if (!level_ || level_->subscriptions != changes.again->subscriptions || changes.again->from > level_->seq)
    return folded(ranges_of(*changes.again));
  const std::uint64_t to = changes.again->to + (shared_.has(Mutation::CursorOffByOne) ? 1 : 0);
  return Folded{{}, std::max(level_->seq, to)};
}

Result<Intake::Folded> Intake::folded(const std::vector<Range>& ranges) {
  if (!ranges.empty()) leave_level();
  Folded next;
  for (Range range : ranges) {
    const auto known = incoming_.find(range.subscription);
    if (known == incoming_.end()) continue;  // ended by us, while this was on its way
    if (shared_.has(Mutation::CursorOffByOne)) ++range.to;
    Progress& progress = next.progress.try_emplace(range.subscription, known->second.progress).first->second;
    if (auto done = progress.fold(range); !done) return fail(std::move(done.error()));
  }
  return next;
}

Status Intake::save(store::Transaction& transaction, const Folded& folded) {
  storing_.clear();
  if (folded.level) {
    const Position level{*folded.level, *folded.level};
    return save_some(transaction, incoming_, [&](const auto&) { return level; });
  }
  return save_some(transaction, folded.progress, [](const Progress& progress) { return progress.position(); });
}

// In turns, so that a frame costs the same whatever the number of subscriptions.
template <class Map, class PositionOf>
Status Intake::save_some(store::Transaction& transaction, const Map& all, PositionOf position_of) {
  auto next = all.upper_bound(last_stored_);
  for (std::size_t left = all.size(); left > 0 && storing_.size() < shared_.options.cursors_per_frame; --left) {
    if (next == all.end()) next = all.begin();
    const auto& [key, entry] = *next++;
    if (auto saved = save(transaction, key, incoming_.at(key), position_of(entry)); !saved) return saved;
    storing_.push_back(last_stored_ = key);
  }
  return {};
}

void Intake::adopt(Folded folded) {
  KnownLog& log = shared_.logs[remote_epoch_];
  if (folded.level) log.level = std::max(log.level, level_->seq = *folded.level);
  for (auto& [key, progress] : folded.progress) {
    std::uint64_t& reached = log.cursors[key].reached;
    reached = std::max(reached, progress.position().seq);
    incoming_.at(key).progress = std::move(progress);
  }
  for (const std::uint64_t key : storing_) stored(key);
}

// --- what the remote has confirmed of our log ---

std::uint64_t Intake::confirmed_of(std::uint64_t key, const Incoming& incoming) const {
  const auto heard = heard_.find(predicate(key).collection());
  return heard == heard_.end() ? incoming.confirmed : std::max(incoming.confirmed, heard->second.seq);
}

std::optional<std::uint64_t> Intake::confirmed(std::string_view collection) const {
  std::optional<std::uint64_t> lowest;
  if (!heard_.contains(collection)) return lowest;
  for (const auto& [key, incoming] : incoming_) {
    const query::Predicate& ours = predicate(key);
    if (ours.matches_everything() || ours.collection() != collection) continue;
    const std::uint64_t confirmed = confirmed_of(key, incoming);
    lowest = std::min(lowest.value_or(confirmed), confirmed);
  }
  return lowest;
}

void Intake::confirm(const Feed& feed) {
  for (auto& [collection, heard] : heard_) heard.seq = std::max(heard.seq, feed.settled(collection).value_or(0));
}

// --- the database ---

Status Intake::save(store::Transaction& transaction, std::uint64_t key, const Incoming& incoming, Position now) {
  const auto put = [&](Kept what, std::uint64_t value) {
    return transaction.save_cursor({remote_epoch_, stored_key(predicate(key).key(), what), value});
  };
  // Both numbers are one session's, or nobody knows what the database has.
  const KnownCursor* known = known_cursor(key);
  if (known == nullptr || known->stored.seq != now.seq) {
    if (auto done = put(Kept::Seq, now.seq); !done) return done;
  }
  if (known == nullptr || stored_base(known->stored) != stored_base(now)) {
    if (auto done = put(Kept::IncompleteBase, stored_base(now)); !done) return done;
  }
  const std::uint64_t confirmed = confirmed_of(key, incoming);
  if (confirmed == incoming.saved_confirmed || predicate(key).matches_everything()) return {};
  return put(Kept::Confirmed, confirmed);
}

void Intake::stored(std::uint64_t key) {
  Incoming& incoming = incoming_.at(key);
  shared_.logs[remote_epoch_].cursors[key].stored = position_of(incoming);
  incoming.saved_confirmed = confirmed_of(key, incoming);
}

bool Intake::is_stale(std::uint64_t key, const Incoming& incoming) const {
  if (confirmed_of(key, incoming) != incoming.saved_confirmed && !predicate(key).matches_everything()) return true;
  const KnownCursor* known = known_cursor(key);
  return known == nullptr || known->stored != position_of(incoming);
}

void Intake::save_cursors() {
  if (remote_epoch_.empty()) return;
  std::vector<std::uint64_t> stale;
  for (const auto& [key, incoming] : incoming_) {
    if (is_stale(key, incoming)) stale.push_back(key);
  }
  save_stale(stale);
}

// What is not stored is only sent again.
void Intake::save_stale(const std::vector<std::uint64_t>& stale) {
  if (stale.empty()) return;
  auto transaction = shared_.store.begin();
  if (!transaction) return;
  for (const std::uint64_t key : stale) {
    const Incoming& incoming = incoming_.at(key);
    if (auto saved = save(*transaction, key, incoming, position_of(incoming)); !saved) return;
  }
  if (!transaction->commit()) return;
  for (const std::uint64_t key : stale) stored(key);
}

}  // namespace fermata::sync
