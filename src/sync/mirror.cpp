#include "sync/mirror.hpp"

#include <algorithm>
#include <limits>

namespace fermata::sync {

// --- setting aside ---

Status Mirror::stand() {
  to_be_told_ = false;
  for (const RemoteSubscription& subscription : feed_.subscriptions()) {
    if (subscription.standing == RemoteSubscription::Standing::Going || standing_.contains(subscription.id)) continue;
    if (run_ && run_->head.subscription == subscription.id) continue;
    if (auto told = stand(subscription); !told) return told;
  }
  return {};
}

Status Mirror::stand(const RemoteSubscription& subscription) {
  const query::Predicate& predicate = subscription.predicate;
  const auto known = shared_.store.digest(predicate.collection());
  if (!known) return fail(known.error());
  Standing standing{predicate.collection(), subscription.standing == RemoteSubscription::Standing::Behind, {}};
  // Who is behind must know it at once: what it sends meanwhile is not taken in.
  const auto shown = standing.behind ? Result<bool>(true) : graves_shown(predicate.collection(), known->head);
  if (!shown) return fail(shown.error());
  if (!*shown) {
    to_be_told_ = true;
    return {};
  }
  Stand message{subscription.id, standing.behind, known->head, known->digest.count, std::nullopt};
  if (predicate.matches_everything()) {
    message.digest = known->digest;
    standing.level_at = known->head;
  }
  if (standing.behind) {
    shut_.emplace(subscription.id, Shut{predicate.collection(), shared_.runs});
    behind_.insert_or_assign(subscription.id, predicate.collection());
  }
  standing_.insert_or_assign(subscription.id, std::move(standing));
  outlet_.send(encode(message));
  return {};
}

// Living documents are compared, and the owner's cursor passes the rest. What somebody else gives it later may be dead
// here, and nobody would tell it.
Result<bool> Mirror::graves_shown(const std::string& collection, std::uint64_t head) {
  constexpr std::size_t kAtOnce = 1u << 16;
  if (feed_.shows_graves()) return false;
  std::uint64_t& until = graves_shown_[collection];
  if (until >= head) return true;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> graves;  // local seq, row
  auto seen = shared_.store.for_each_tombstone(collection, [&](std::uint64_t seq, std::uint64_t row) {
    if (seq > until) graves.emplace_back(seq, row);
  });
  if (!seen) return fail(std::move(seen.error()));
  until = *seen;
  if (graves.empty()) return true;
  if (graves.size() > kAtOnce) {
    std::sort(graves.begin(), graves.end());
    graves.resize(kAtOnce);
    until = graves.back().first;
  }
  std::deque<std::uint64_t> rows;
  for (const auto& [seq, row] : graves) rows.push_back(row);
  if (auto queued = feed_.show_graves(std::move(rows)); !queued) return fail(std::move(queued.error()));
  return false;
}

bool Mirror::refuses(std::string_view collection) const {
  return std::any_of(shut_.begin(), shut_.end(),
                     [&](const auto& entry) { return entry.second.collection == collection; });
}

void Mirror::answered(std::uint64_t nth_run) {
  std::erase_if(shut_, [&](const auto& entry) { return entry.second.runs < nth_run; });
}

bool Mirror::judges(std::string_view collection) const {
  return std::any_of(behind_.begin(), behind_.end(), [&](const auto& entry) { return entry.second == collection; });
}

std::optional<std::string> Mirror::forget(std::uint64_t id) {
  standing_.erase(id);
  behind_.erase(id);
  if (run_ && run_->head.subscription == id) run_.reset();
  const auto shut = shut_.find(id);
  if (shut == shut_.end()) return std::nullopt;
  std::string collection = shut->second.collection;
  shut_.erase(id);
  return collection;
}

void Mirror::go_on(std::uint64_t id, Position position) {
  feed_.go_on(id, position);
  standing_.erase(id);
  behind_.erase(id);
  if (run_ && run_->head.subscription == id) run_.reset();
}

// --- what the owner asks for ---

Status Mirror::on(const Match& match) {
  const RemoteSubscription* subscription = feed_.find(match.subscription);
  if (subscription == nullptr) return {};  // ended by its owner, while this was on its way
  // The owner has heard that it must reconcile: what it sends from now on, it sends knowingly.
  std::erase_if(shut_,
                [&](const auto& entry) { return entry.second.collection == subscription->predicate.collection(); });
  const auto standing = standing_.find(match.subscription);
  const bool running = run_ && run_->head.subscription == match.subscription && run_->head.run == match.run;
  switch (match.how) {
    case Match::How::Equal:
      if (standing == standing_.end() || !standing->second.level_at)
        return fail(ErrorCode::Protocol, "the peer compared with a digest that it was not told");
      go_on(match.subscription, {*standing->second.level_at, *standing->second.level_at});
      return {};
    case Match::How::Walk:
      if (standing == standing_.end())
        return fail(ErrorCode::Protocol, "the peer wants to be sent what it is being sent");
      go_on(match.subscription, subscription->course.position);
      return {};
    case Match::How::Done:
      if (!running) return fail(ErrorCode::Protocol, "the peer ended a reconciliation that is not");
      go_on(match.subscription, {run_->head.head, run_->head.head});
      return {};
    case Match::How::Symbols:
    case Match::How::Items:
      break;
  }
  if (!running) {
    if (auto begun = begin(*subscription, match); !begun) return begun;
  }
  return ask(match);
}

Status Mirror::begin(const RemoteSubscription& subscription, const Match& match) {
  const bool told = standing_.contains(match.subscription);
  if (!told && ++runs_ > kMaxRuns) return fail(ErrorCode::LimitExceeded, "the peer reconciles again and again");
  auto set = read_item_set(shared_.store, subscription.predicate);
  if (!set) return fail(std::move(set.error()));
  standing_.erase(match.subscription);
  if (!told) {
    ++repairs_;
    ++shared_.repairs;
  }
  feed_.set_aside(match.subscription);
  Run run;
  run.head = {match.subscription, match.run, set->head, set->digest};
  run.collection = subscription.predicate.collection();
  run.set = std::move(*set);
  run_ = std::move(run);
  return {};
}

Status Mirror::ask(const Match& match) {
  Run& run = *run_;
  if (match.how == Match::How::Items) {
    run.encoder.reset();
    run.items_asked = true;
    return {};
  }
  if (!run.encoder) run.encoder.emplace(run.set.versions(), match.run);
  const bool waiting = run.symbols_asked != run.encoder->produced();
  if (run.items_asked || waiting || match.from != run.symbols_asked || match.count > kMaxSymbolsPerRequest ||
      match.count > kMaxSymbols - run.symbols_asked)
    return fail(ErrorCode::Protocol, "the peer asks for coded symbols out of order, or for too many");
  run.symbols_asked += match.count;
  return {};
}

Status Mirror::pump() {
  if (run_ && run_->encoder) send_symbols();
  if (run_ && run_->items_asked) send_items();
  return to_be_told_ && !feed_.shows_graves() ? stand() : Status();
}

void Mirror::send_symbols() {
  SymbolEncoder& encoder = *run_->encoder;
  while (encoder.produced() < run_->symbols_asked && feed_.window_open()) {
    const std::size_t first = encoder.produced();
    const auto symbols = encoder.next(std::min<std::size_t>(kSymbolsPerFrame, run_->symbols_asked - first));
    feed_.send_in_window(encode(Symbols{run_->head, first, pack_symbols(symbols, first, run_->head.digest.count)}));
  }
}

void Mirror::send_items() {
  const std::vector<Item>& items = run_->set.items;
  while (run_->items_asked && feed_.window_open()) {
    const std::size_t end = std::min(items.size(), run_->items_sent + kItemsPerFrame);
    std::vector<std::uint64_t> batch;
    for (std::size_t i = run_->items_sent; i < end; ++i) batch.push_back(items[i].version);
    const std::uint64_t above = run_->items_sent == 0 ? 0 : items[run_->items_sent - 1].version;
    const bool last = end == items.size();
    const std::uint64_t up_to = last ? std::numeric_limits<std::uint64_t>::max() : batch.back();
    feed_.send_in_window(encode(Items{run_->head, above, up_to, pack_items(batch, above)}));
    run_->items_sent = end;
    run_->items_asked = !last;
  }
}

Status Mirror::on(const Resolve& resolve) {
  if (feed_.find(resolve.subscription) == nullptr) return {};
  if (!run_ || run_->head.subscription != resolve.subscription || run_->head.run != resolve.run)
    return fail(ErrorCode::Protocol, "the peer asks about a reconciliation that is not");
  std::vector<std::uint64_t> rows;
  for (std::uint64_t item : resolve.items) {
    if (const auto row = run_->set.row_of(item)) rows.push_back(*row);
  }
  std::vector<DocumentName> names;
  Resolved answer{resolve.subscription, resolve.run, {}};
  for (std::size_t i = 0; i < resolve.ids.size(); ++i) {
    const auto document = shared_.store.load(run_->collection, resolve.ids[i]);
    if (!document) return fail(document.error());
    if (document->exists()) {
      names.push_back({run_->collection, resolve.ids[i]});
    } else {
      answer.unknown.push_back(i);
    }
  }
  return feed_.answer(std::move(rows), std::move(names), encode(answer));
}

}  // namespace fermata::sync
