// Mark and sweep. The mark reads a snapshot, beside writers; what was written meanwhile is marked in the transaction
// that sweeps, so that nothing goes that a document names.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <set>

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

// Also what merely looks like one, in bytes or text: then something is kept for longer.
void mark_in(ByteView body, std::set<ContentHash>& named) {
  for (auto at = body.begin();;) {
    at = std::search(at, body.end(), kBegin.begin(), kBegin.end());
    if (at == body.end()) return;
    at += kBegin.size();
    ContentHash hash{};
    if (static_cast<std::size_t>(body.end() - at) < hash.size()) return;
    std::copy_n(at, hash.size(), hash.begin());
    named.insert(hash);
  }
}

// `since`: the documents that changed after this place of the log; nothing: all, in the order of the table, which is
// quicker than that of the log.
Status mark(Connection& connection, std::optional<std::uint64_t> since, std::set<ContentHash>& named) {
  auto rows =
      connection.prepare(since ? "SELECT body FROM documents WHERE seq > ?2 AND life % 2 = 1 AND instr(body, ?1) > 0"
                               : "SELECT body FROM documents WHERE life % 2 = 1 AND instr(body, ?1) > 0");
  if (!rows) return fail(std::move(rows).error());
  rows->bind_blob(1, kBegin);
  if (since) rows->bind(2, *since);
  auto found = rows->step();
  for (; found && *found; found = rows->step()) mark_in(rows->blob(0), named);
  return found ? Status() : fail(std::move(found).error());
}

}  // namespace

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

Result<Attachments::Candidates> Attachments::find_candidates(Connection& connection) const {
  constexpr std::chrono::milliseconds kGrace = kAttachmentGrace;
  Candidates candidates;
  auto rows = connection.prepare("SELECT id, hash, stored FROM attachments WHERE touched + ? <= ?");
  if (!rows) return fail(std::move(rows).error());
  rows->bind(1, static_cast<std::uint64_t>(kGrace.count())).bind(2, now_ms());
  auto found = rows->step();
  for (; found && *found; found = rows->step()) {
    const std::uint64_t id = rows->number(0);
    const ByteView bytes = rows->blob(1);
    Candidate candidate{.hash = std::nullopt, .bytes = rows->number(2)};
    if (bytes.size() == ContentHash{}.size()) std::ranges::copy(bytes, candidate.hash.emplace().begin());
    candidates.emplace(id, candidate);
  }
  if (!found) return fail(std::move(found).error());
  return candidates;
}

Result<Attachments::Candidates> Attachments::find_unnamed(std::uint64_t& head) {
  Candidates unnamed;
  auto done = store_.with_snapshot([&](Connection& connection) -> Status {
    auto candidates = find_candidates(connection);
    auto read = store_.read_head(connection);
    if (!candidates || !read) return fail(candidates ? std::move(read).error() : std::move(candidates).error());
    head = *read;
    unnamed = std::move(*candidates);
    if (unnamed.empty()) return {};
    std::set<ContentHash> named;
    if (auto marked = mark(connection, std::nullopt, named); !marked) return marked;
    std::erase_if(unnamed, [&](const auto& each) { return each.second.hash && named.contains(*each.second.hash); });
    return {};
  });
  return done ? Result<Candidates>(std::move(unnamed)) : fail(std::move(done).error());
}

Result<Attachments::Candidates> Attachments::hide(Candidates unnamed, std::uint64_t head) {
  // Held beyond the commit: whoever pins one later looks again, and finds that it has gone.
  const std::lock_guard pinned(pins_->mutex);
  auto done = transact([&](Connection& connection) -> Status {
    std::set<ContentHash> named;
    if (auto marked = mark(connection, head, named); !marked) return marked;
    auto still = find_candidates(connection);
    if (!still) return fail(std::move(still).error());
    std::erase_if(unnamed, [&](const auto& each) {
      return !still->contains(each.first) || pins_->users.contains(each.first) ||
             (each.second.hash && named.contains(*each.second.hash));
    });
    for (const auto& [id, candidate] : unnamed) {
      if (auto hidden = make_invisible(connection, id); !hidden) return hidden;
    }
    return {};
  });
  return done ? Result<Candidates>(std::move(unnamed)) : fail(std::move(done).error());
}

Result<CollectedContent> Attachments::collect() {
  std::uint64_t head = 0;
  auto unnamed = find_unnamed(head);
  if (unnamed && !unnamed->empty()) unnamed = hide(std::move(*unnamed), head);
  if (!unnamed) return fail(std::move(unnamed).error());
  CollectedContent collected;
  for (const auto& [id, candidate] : *unnamed) {
    if (auto dropped = drop(id); !dropped) return fail(std::move(dropped).error());
    collected.bytes += candidate.bytes;
    ++collected.attachments;
  }
  return collected;
}

}  // namespace fermata::store
