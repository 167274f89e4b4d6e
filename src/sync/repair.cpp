#include "sync/repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/hash.hpp"
#include "sync/mirror.hpp"

namespace fermata::sync {
namespace {

// As many symbols find a difference of some forty documents, and tell how large a larger one is.
constexpr std::uint64_t kFirstSymbols = 64;
// A list of so few items is smaller than the first symbols.
constexpr std::uint64_t kShortList = 100;
// Bytes: of a listed item in a long list, and of the symbols for one differing item.
constexpr double kListedItem = 7;
constexpr double kDifferingItem = 18;
// Of the items that we hold, so many times as many symbols at most.
constexpr std::uint64_t kMostSymbols = 2;
// Whoever holds less than this part of a collection is sent all of it rather than asked what it lacks.
constexpr std::uint64_t kFewPart = 8;
constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

}  // namespace

// --- what makes us reconcile ---

Status Repair::on(const Stand& stand) {
  if (!intake_.has(stand.subscription)) return {};  // ended by us, while this was on its way
  // Each makes us read what we hold of it.
  if (!told_.insert(stand.subscription).second && ++told_again_ > Mirror::kMaxRuns)
    return fail(ErrorCode::LimitExceeded, "the peer wants to be compared with again and again");
  if (stand.behind) withhold(stand);
  std::erase_if(waiting_, [&](const Waiting& each) { return each.key == stand.subscription; });
  if (run_ && run_->key == stand.subscription) run_.reset();
  waiting_.push_back({stand.subscription, stand, false});
  return start();
}

Status Repair::differs(std::uint64_t key, const crdt::Digest& theirs) {
  if (busy_with(key) || ++attempts_[key] > kMaxRepairs) return {};
  ++repairs_;
  ++shared_.repairs;
  Stand stand;
  stand.subscription = key;
  stand.collection_size = theirs.count;
  waiting_.push_back({key, stand, true});
  return start();
}

bool Repair::busy_with(std::uint64_t key) const {
  return (run_ && run_->key == key) ||
         std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& each) { return each.key == key; });
}

// Until we know which of our documents the remote has forgotten, it must not get parts of them.
void Repair::withhold(const Stand& stand) {
  const std::string& collection = predicate(stand.subscription).collection();
  if (behind_.emplace(stand.subscription, collection).second) feed_.withhold(collection);
}

void Repair::release(std::uint64_t key) {
  const auto found = behind_.find(key);
  if (found == behind_.end()) return;
  const std::string collection = std::move(found->second);
  behind_.erase(found);
  const auto same = [&](const auto& entry) { return entry.second == collection; };
  if (std::any_of(behind_.begin(), behind_.end(), same)) return;
  feed_.release(collection);
}

Status Repair::forget(std::uint64_t key) {
  std::erase_if(waiting_, [&](const Waiting& each) { return each.key == key; });
  if (run_ && run_->key == key) run_.reset();
  attempts_.erase(key);
  told_.erase(key);
  release(key);
  return start();
}

// --- finding the difference ---

Status Repair::start() {
  while (!run_ && !waiting_.empty()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    auto ours = read_item_set(shared_.store, predicate(next.key));
    if (!ours) return fail(std::move(ours.error()));
    Status done;
    if (!next.is_repair && answered_at_once(next, *ours, done)) {
      if (!done) return done;
      continue;
    }
    run_ = Run{.key = next.key,
               .number = draw_number(),
               .nth = shared_.runs,
               .behind = next.stand.behind,
               .ours = std::move(*ours)};
    if (run_->behind) {
      auto others = other_rows(next.key);
      if (!others) return fail(std::move(others.error()));
      run_->others = std::move(*others);
    }
    const std::uint64_t theirs = next.stand.digest ? next.stand.digest->count : next.stand.collection_size;
    if (theirs <= kShortList) {
      ask_for_list();
    } else {
      run_->decoder.emplace(run_->ours.versions(), run_->number);
      run_->asked = kFirstSymbols;
      ask(Match::How::Symbols, 0, kFirstSymbols);
    }
  }
  return {};
}

// Different for every run. A remote that could foresee it would gain nothing but a comparison by lists.
std::uint64_t Repair::draw_number() {
  return hash64(as_bytes(fmt::format("{} {} {}", shared_.store.epoch(), outlet_.link, ++shared_.runs)));
}

// Nothing to find out: we hold just the same, or so little that being sent all is cheaper. A remote that has forgotten
// deletions cannot tell us of them by sending all.
bool Repair::answered_at_once(const Waiting& next, const ItemSet& ours, Status& done) {
  const Stand& stand = next.stand;
  Match match{next.key, 0, Match::How::Equal, 0, 0};
  if (stand.digest && *stand.digest == ours.digest) {
    done = intake_.restart(next.key, {stand.head, stand.head});
    moved_ = true;
  } else if (!stand.behind &&
             (ours.items.empty() || (stand.digest && ours.digest.count * kFewPart < stand.digest->count))) {
    match.how = Match::How::Walk;
  } else {
    return false;
  }
  outlet_.send(encode(match));
  release(next.key);
  return true;
}

void Repair::ask(Match::How how, std::uint64_t from, std::uint64_t count) {
  outlet_.send(encode(Match{run_->key, run_->number, how, from, count}));
}

void Repair::ask_for_list() {
  run_->decoder.reset();
  run_->lists = true;
  ask(Match::How::Items);
}

void Repair::ask_for_more_symbols() {
  const Run& run = *run_;
  const double difference = run.decoder->estimate();
  const double list = kListedItem * static_cast<double>(run.theirs->digest.count);
  const std::uint64_t wanted = std::max<std::uint64_t>(symbols_for(difference), run.asked + run.asked / 4);
  // So small a difference that symbols are worth it is one of two sets of about the same size. They are kept until they
  // decode, so what the remote says of its own must not be what bounds them.
  const std::uint64_t most = kMostSymbols * run.ours.items.size() + kFirstSymbols;
  if (difference * kDifferingItem > list || wanted > most) return ask_for_list();
  const std::uint64_t count = std::min<std::uint64_t>(wanted - run.asked, Mirror::kMaxSymbolsPerRequest);
  ask(Match::How::Symbols, run.asked, count);
  run_->asked += count;
}

Status Repair::check_answer(const RunHead& head) {
  if (!run_->theirs) run_->theirs = head;
  if (run_->theirs->head != head.head || run_->theirs->digest != head.digest)
    return fail(ErrorCode::Protocol, "the peer's set changed while it was compared");
  return {};
}

Status Repair::on(const Symbols& symbols) {
  if (!run_ || run_->number != symbols.of.run || !run_->decoder) return {};  // of a run that has ended
  if (auto checked = check_answer(symbols.of); !checked) return checked;
  SymbolDecoder& decoder = *run_->decoder;
  if (symbols.first != decoder.received()) return fail(ErrorCode::Protocol, "the peer sent coded symbols out of order");
  const auto unpacked = unpack_symbols(symbols.packed, symbols.first, symbols.of.digest.count);
  if (!unpacked) return fail(unpacked.error());
  if (unpacked->empty() || unpacked->size() > run_->asked - symbols.first)
    return fail(ErrorCode::Protocol, "the peer sent another number of coded symbols than it was asked for");
  if (!decoder.add(*unpacked)) {
    ask_for_list();
    return {};
  }
  if (decoder.decoded()) {
    take_difference();
    return resolve();
  }
  if (decoder.received() == run_->asked) ask_for_more_symbols();
  return {};
}

// What was peeled must lead from our set to theirs, or else it was not their set that was coded.
void Repair::take_difference() {
  Run& run = *run_;
  crdt::Digest reached = run.ours.digest;
  for (std::uint64_t item : run.decoder->theirs()) reached.add(item);
  for (std::uint64_t item : run.decoder->only_ours()) reached.remove(item);
  if (reached != run.theirs->digest) return ask_for_list();
  run.missing = run.decoder->theirs();
  run.surplus = run.decoder->only_ours();
  std::sort(run.missing.begin(), run.missing.end());
  run.decoder.reset();
  run.known = true;
}

Status Repair::on(const Items& items) {
  if (!run_ || run_->number != items.of.run || !run_->lists) return {};
  if (auto checked = check_answer(items.of); !checked) return checked;
  Run& run = *run_;
  if (items.above != run.listed) return fail(ErrorCode::Protocol, "the peer lists its items out of order");
  const auto theirs = unpack_items(items.packed, items.above);
  if (!theirs) return fail(theirs.error());
  if (theirs->size() > kItemsPerFrame) return fail(ErrorCode::LimitExceeded, "more items than belong into one ITEMS");
  if (!theirs->empty() && theirs->back() > items.up_to)
    return fail(ErrorCode::Protocol, "the peer lists items beyond the end that it names");
  if (theirs->size() > run.theirs->digest.count - run.items_listed)
    return fail(ErrorCode::Protocol, "the peer lists more items than it has");
  run.items_listed += theirs->size();
  const auto below = [](const Item& item, std::uint64_t end) { return item.version <= end; };
  auto ours = std::lower_bound(run.ours.items.begin(), run.ours.items.end(), items.above, below);
  const auto end = std::lower_bound(ours, run.ours.items.end(), items.up_to, below);
  for (std::uint64_t item : *theirs) {
    for (; ours != end && ours->version < item; ++ours) run.surplus.push_back(ours->version);
    if (ours != end && ours->version == item) {
      ++ours;
    } else {
      run.missing.push_back(item);
    }
  }
  if (run.missing.size() > kMaxMissing) return fail(ErrorCode::LimitExceeded, "the peer lists items without end");
  for (; ours != end; ++ours) run.surplus.push_back(ours->version);
  run.listed = items.up_to;
  if (items.up_to != kLast) return {};
  run.lists = false;
  run.known = true;
  return resolve();
}

// --- acting on it ---

// Of whoever has missed deletions, any document of the collection may be dead.
Result<std::vector<std::uint64_t>> Repair::other_rows(std::uint64_t key) const {
  const query::Predicate& ours = predicate(key);
  std::vector<std::uint64_t> rows;
  if (ours.matches_everything()) return rows;
  const auto read = shared_.store.for_each_living(ours.collection(), [&](const store::LivingDocument& document) {
    if (!ours.matches(document.id, document.view)) rows.push_back(document.row);
  });
  if (!read) return fail(read.error());
  return rows;
}

Status Repair::add_id(std::uint64_t row, Resolve& page) {
  auto document = shared_.store.document_in(row);
  if (!document) return fail(std::move(document.error()));
  if (*document) page.ids.push_back(std::move((*document)->id));
  return {};
}

// One page at a time, so that neither side holds more than that.
Status Repair::resolve() {
  Run& run = *run_;
  if (!run.known || run.resolving || feed_.owes_corrections()) return {};
  if (run.missing.empty() && run.surplus.empty() && run.others.empty()) {
    // Not before it has judged: with this our cursor passes what it has forgotten, and it will not ask again.
    if (!run.shown) run.shown = feed_.sent_frames();
    return run.behind && feed_.acked_frames() < *run.shown ? Status() : finish();
  }
  Resolve page{run.key, run.number, {}, {}};
  for (; !run.missing.empty() && page.items.size() < kMaxHashesPerFrame; run.missing.pop_back())
    page.items.push_back(run.missing.back());
  std::reverse(page.items.begin(), page.items.end());
  for (; !run.surplus.empty() && page.ids.size() < kMaxSurplusPerFrame; run.surplus.pop_back()) {
    const auto row = run.ours.row_of(run.surplus.back());
    if (auto added = add_id(row.value_or(0), page); !added) return added;
  }
  for (; !run.others.empty() && page.ids.size() < kMaxSurplusPerFrame; run.others.pop_back()) {
    if (auto added = add_id(run.others.back(), page); !added) return added;
  }
  run.asked_about = page.ids;
  run.resolving = true;
  outlet_.send(encode(page));
  return {};
}

Status Repair::on(const Resolved& resolved) {
  if (!run_ || run_->number != resolved.run || run_->key != resolved.subscription) return {};
  if (!run_->resolving) return fail(ErrorCode::Protocol, "the peer answers what it was not asked");
  std::vector<std::string> unknown;
  for (std::uint64_t place : resolved.unknown) {
    if (place >= run_->asked_about.size()) return fail(ErrorCode::Protocol, "the peer does not know what nobody asked");
    unknown.push_back(std::move(run_->asked_about[place]));
  }
  run_->resolving = false;
  run_->asked_about.clear();
  if (auto shown = show(unknown); !shown) return shown;
  return resolve();
}

// We hold these, the remote has no trace of them. If they were deleted and the deletion was forgotten, it knows when it
// sees them; else it has never had them, or lost them.
Status Repair::show(const std::vector<std::string>& unknown) {
  const std::string& collection = predicate(run_->key).collection();
  std::vector<DocumentName> lacking;
  for (const std::string& id : unknown) {
    const auto document = shared_.store.load(collection, id);
    if (!document) return fail(document.error());
    if (!document->alive()) continue;
    if (run_->behind || feed_.misses(collection, id, *document)) lacking.push_back({collection, id});
  }
  if (auto queued = feed_.correct(std::move(lacking)); !queued) return queued;
  return feed_.pump();
}

Status Repair::finish() {
  const Run run = std::move(*run_);
  run_.reset();
  const Position position{run.theirs->head, run.theirs->head};
  if (auto restarted = intake_.restart(run.key, position); !restarted) return restarted;
  moved_ = true;
  outlet_.send(encode(Match{run.key, run.number, Match::How::Done, 0, 0}));
  release(run.key);
  return start();
}

Result<bool> Repair::pump() {
  if (run_) {
    if (auto resolved = resolve(); !resolved) return fail(std::move(resolved.error()));
  }
  return std::exchange(moved_, false);
}

}  // namespace fermata::sync
