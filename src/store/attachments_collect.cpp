#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/cbor.hpp"
#include "store/attachments_impl.hpp"
#include "store/store_impl.hpp"

namespace fermata::store {
namespace {

// How every attachment in a body begins: the tag, an array of three, 32 bytes.
constexpr std::array<std::uint8_t, 8> kBegin{0xda,
                                             kAttachmentTag >> 24U & 0xff,
                                             kAttachmentTag >> 16U & 0xff,
                                             kAttachmentTag >> 8U & 0xff,
                                             kAttachmentTag & 0xff,
                                             0x83,
                                             0x58,
                                             0x20};

// So much of the documents is looked through in one step, or so many of them.
constexpr std::size_t kMarkBytes = 1u << 20;
constexpr std::size_t kMarkRows = 4096;
// Marked in the transaction that sweeps, at most about so many.
constexpr std::uint64_t kLateChanges = 256;

// The row of `meta` that says until when everything has been judged.
constexpr const char* kJudged = "attachments.judged";

constexpr const char* kSelectChanges = "SELECT seq, life % 2, body FROM documents WHERE seq > ? ORDER BY seq";

constexpr std::uint64_t kGraceMs = std::chrono::milliseconds(kAttachmentGrace).count();

Result<std::uint64_t> load_number(Connection& connection, std::string_view name) {
  auto text = load_name(connection, name);
  if (!text) return fail(std::move(text).error());
  std::uint64_t number = 0;
  std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

std::vector<ContentHash> names_in(ByteView body) {
  std::vector<ContentHash> names;
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  const std::string_view begin(reinterpret_cast<const char*>(kBegin.data()), kBegin.size());
  for (std::size_t at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at)) {
    at += begin.size();
    if (text.size() - at < ContentHash{}.size()) break;
    std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(at), ContentHash{}.size(), names.emplace_back().begin());
  }
  return names;
}

Status Attachments::for_each_naming(std::string_view collection, const VisitNaming& visit) {
  return store_.with_snapshot([&](Connection& connection) -> Status {
    auto rows = connection.prepare(
        "SELECT id, body FROM documents WHERE collection = (SELECT id FROM collections WHERE name = ?1) "
        "AND life % 2 = 1 AND instr(body, ?2) > 0");
    if (!rows) return fail(std::move(rows).error());
    rows->bind(1, collection).bind_blob(2, kBegin);
    auto found = rows->step();
    for (; found && *found; found = rows->step()) {
      const std::string id = rows->text(0);
      const auto value = decode_value(rows->blob(1));
      const Map* view = value ? value->if_a<Map>() : nullptr;
      if (view == nullptr) return fail(store_.undecodable(collection, id, "its body is no map"));
      visit(id, *view);
    }
    return found ? Status() : fail(std::move(found).error());
  });
}

Result<Attachments::Candidates> Attachments::find_candidates(Connection& connection, std::uint64_t now_ms) const {
  Candidates candidates;
  auto rows = connection.prepare("SELECT id, hash, stored, touched FROM attachments WHERE touched + ? <= ?");
  if (!rows) return fail(std::move(rows).error());
  rows->bind(1, kGraceMs).bind(2, now_ms);
  auto found = rows->step();
  for (; found && *found; found = rows->step()) {
    const ByteView bytes = rows->blob(1);
    Candidate candidate{.hash = std::nullopt, .bytes = rows->number(2), .due_ms = rows->number(3) + kGraceMs};
    if (bytes.size() == ContentHash{}.size()) std::ranges::copy(bytes, candidate.hash.emplace().begin());
    candidates.emplace(rows->number(0), candidate);
  }
  if (!found) return fail(std::move(found).error());
  return candidates;
}

Result<bool> Attachments::is_empty() {
  bool empty = true;
  auto done = store_.with_reader([&](Connection& connection) -> Status {
    auto row = connection.prepare("SELECT 1 FROM attachments LIMIT 1");
    if (!row) return fail(std::move(row).error());
    auto found = row->step();
    if (!found) return fail(std::move(found).error());
    empty = !*found;
    return {};
  });
  return done ? Result<bool>(empty) : fail(std::move(done).error());
}

// What is touched after a collection has judged it, or was too young for it, will be judged anew; what lost its name
// with its document was touched then. Only the remains of an interrupted removal wait for nothing.
Result<std::optional<WallTime>> Attachments::next_collection() {
  std::optional<WallTime> due;
  auto done = store_.with_snapshot([&](Connection& connection) -> Status {
    auto judged = load_number(connection, kJudged);
    auto row =
        connection.prepare("SELECT count(*), min(touched) FROM attachments WHERE touched + ?1 > ?2 OR hash IS NULL");
    if (!judged || !row) return fail(judged ? std::move(row).error() : std::move(judged).error());
    const bool clock_went_back = *judged > now_ms();
    auto found = row->bind(1, kGraceMs).bind(2, clock_went_back ? 0 : *judged).step();
    if (!found) return fail(std::move(found).error());
    if (row->number(0) != 0) due = WallTime(std::chrono::milliseconds(row->number(1))) + kAttachmentGrace;
    return {};
  });
  return done ? Result<std::optional<WallTime>>(due) : fail(std::move(done).error());
}

Result<CollectedContent> Attachments::collect() {
  Collection collection(*this);
  for (;;) {
    auto more = collection.step();
    if (!more) return fail(std::move(more).error());
    if (!*more) return collection.collected();
  }
}

Result<bool> Attachments::Collection::step() {
  if (next_ == nullptr) return false;
  if (auto done = (this->*next_)(); !done) {
    next_ = nullptr;  // it knows less than it has to
    return fail(std::move(done).error());
  }
  return next_ != nullptr;
}

Status Attachments::Collection::begin() {
  now_ms_ = attachments_.now_ms();
  auto begun = attachments_.store_.with_snapshot([&](Connection& connection) -> Status {
    auto candidates = attachments_.find_candidates(connection, now_ms_);
    auto head = attachments_.store_.read_head(connection);
    if (!candidates || !head) return fail(candidates ? std::move(head).error() : std::move(candidates).error());
    head_ = *head;
    unnamed_ = std::move(*candidates);
    return {};
  });
  for (const auto& [id, candidate] : unnamed_) {
    if (candidate.hash) ids_.emplace(*candidate.hash, id);
  }
  next_ = unnamed_.empty() ? nullptr : &Collection::mark_rows;
  return begun;
}

void Attachments::Collection::mark(ByteView body) {
  for (const ContentHash& hash : names_in(body)) {
    const auto named = ids_.find(hash);
    if (named == ids_.end()) continue;
    unnamed_.erase(named->second);
    ids_.erase(named);
  }
}

// `rows` have a number, whether the document lives, and its body. Result: the last number of a step; nothing at the
// end.
Result<std::optional<std::uint64_t>> Attachments::Collection::mark(Statement& rows, std::size_t at_most) {
  std::optional<std::uint64_t> last;
  for (std::size_t bytes = 0, count = 0; count < at_most && bytes < kMarkBytes; ++count) {
    auto found = rows.step();
    if (!found) return fail(std::move(found).error());
    if (!*found) return std::optional<std::uint64_t>();
    last = rows.number(0);
    if (rows.number(1) == 0) continue;
    bytes += rows.blob(2).size();
    mark(rows.blob(2));
  }
  return last;
}

// In the order of the table, which is quicker than that of the log.
Status Attachments::Collection::mark_rows() {
  return attachments_.store_.with_reader([&](Connection& connection) -> Status {
    auto rows = connection.prepare("SELECT rowid, life % 2, body FROM documents WHERE rowid > ? ORDER BY rowid");
    if (!rows) return fail(std::move(rows).error());
    rows->bind(1, row_);
    auto last = mark(*rows, kMarkRows);
    if (!last) return fail(std::move(last).error());
    row_ = last->value_or(row_);
    if (!*last) next_ = &Collection::mark_changes;
    return {};
  });
}

// What was committed since it began, until little is left for the transaction that hides.
Status Attachments::Collection::mark_changes() {
  return attachments_.store_.with_snapshot([&](Connection& connection) -> Status {
    auto head = attachments_.store_.read_head(connection);
    auto rows = connection.prepare(kSelectChanges);
    if (!head || !rows) return fail(head ? std::move(rows).error() : std::move(head).error());
    if (*head - head_ <= kLateChanges) {
      next_ = &Collection::hide;
      return {};
    }
    rows->bind(1, head_);
    auto last = mark(*rows, kMarkRows);
    if (!last) return fail(std::move(last).error());
    head_ = last->value_or(*head);
    return {};
  });
}

Status Attachments::Collection::hide() {
  // Held beyond the commit: whoever pins one later looks again, and finds that it has gone.
  const std::lock_guard pinned(attachments_.pins_->mutex);
  const auto& users = attachments_.pins_->users;
  auto done = attachments_.transact([&](Connection& connection) -> Status {
    auto rows = connection.prepare(kSelectChanges);
    if (!rows) return fail(std::move(rows).error());
    rows->bind(1, head_);
    auto marked = mark(*rows, SIZE_MAX);
    auto still = attachments_.find_candidates(connection, now_ms_);
    if (!marked || !still) return fail(marked ? std::move(still).error() : std::move(marked).error());
    std::uint64_t judged_ms = now_ms_;
    for (const auto& [id, candidate] : unnamed_) {
      if (users.contains(id)) judged_ms = std::min(judged_ms, candidate.due_ms - 1);
    }
    std::erase_if(unnamed_,
                  [&](const auto& each) { return !still->contains(each.first) || users.contains(each.first); });
    for (const auto& [id, candidate] : unnamed_) {
      if (auto hidden = make_invisible(connection, id); !hidden) return hidden;
    }
    return save_name(connection, kJudged, std::to_string(judged_ms));
  });
  next_ = unnamed_.empty() ? nullptr : &Collection::drop;
  return done;
}

Status Attachments::Collection::drop() {
  const auto [id, candidate] = *unnamed_.begin();
  auto gone = attachments_.drop_some(id);
  if (!gone || !*gone) return gone ? Status() : fail(std::move(gone).error());
  collected_.bytes += candidate.bytes;
  ++collected_.attachments;
  unnamed_.erase(unnamed_.begin());
  if (unnamed_.empty()) next_ = nullptr;
  return {};
}

}  // namespace fermata::store
