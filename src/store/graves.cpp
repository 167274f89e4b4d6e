// What a store remembers of deletions when it has forgotten the tombstones: whose commits it knows, so that it
// recognises what somebody brings back, and above which life a name may be used again.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/store_impl.hpp"

namespace fermata::store {

// A tombstone that is old enough, in documents_buried's order.
struct Store::Impl::Due {
  ChangedDocument tombstone;
  PurgePlace place;
  bool keep = false;
};

namespace {

std::string kept_name(std::string_view collection) {
  return fmt::format("kept.graves {}", collection);
}

// Decimal numbers with a space between them; what does not read as one ends it.
std::vector<std::uint64_t> read_numbers(const std::string& text) {
  std::vector<std::uint64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc()) {
      break;
    }
    numbers.push_back(number);
    at = read.ptr == end ? end : read.ptr + 1;
  }
  return numbers;
}

}  // namespace

// Less than was written is never wrong: then less is known.
Result<const Store::Impl::Graves*> Store::Impl::load_graves(std::string_view collection) {
  if (const auto known = graves.find(collection); known != graves.end()) {
    return &known->second;
  }
  auto text = load_name(*writer, kept_name(collection));
  if (!text) {
    return fail(std::move(text).error());
  }
  const std::vector<std::uint64_t> numbers = read_numbers(*text);
  Graves loaded;
  if (numbers.size() >= 2) {
    loaded.purged_life = numbers[0];
    loaded.evicted = numbers[1] != 0;
  }
  for (std::size_t i = 2; i + 1 < numbers.size(); i += 2) {
    loaded.known.emplace(numbers[i], numbers[i + 1]);
  }
  return &graves.emplace(collection, std::move(loaded)).first->second;
}

Status Store::Impl::save_graves(std::string_view collection, const Graves& next) {
  std::string text = fmt::format("{} {}", next.purged_life, next.evicted ? 1 : 0);
  for (const auto& [known_actor, seq] : next.known) {
    text += fmt::format(" {} {}", known_actor, seq);
  }
  return save_name(*writer, kept_name(collection), text);
}

// For a collection with a number there always is: a number costs its giver a document.
Result<bool> Store::Impl::has_room_for_graves(std::string_view collection) {
  auto row = writer->prepare(
      "SELECT EXISTS(SELECT 1 FROM collections WHERE name = ?1) OR EXISTS(SELECT 1 FROM meta WHERE key = ?2) OR "
      "(SELECT count(*) FROM meta WHERE key >= 'kept.graves ' AND key < 'kept.graves!') < ?3");
  if (!row) {
    return fail(std::move(row).error());
  }
  const std::string name = kept_name(collection);
  auto found = row->bind(1, collection).bind(2, name).bind(3, std::uint64_t{kMaxForeignGraves}).step();
  if (!found) {
    return fail(std::move(found).error());
  }
  return row->number(0) != 0;
}

Status Store::Impl::change_graves(std::string_view collection, const std::function<void(Graves&)>& change) {
  return with_writer([&](Connection&) -> Status {
    auto current = load_graves(collection);
    if (!current) {
      return fail(std::move(current).error());
    }
    Graves next = **current;
    change(next);
    if (next == **current) {
      return {};
    }
    if (auto saved = save_graves(collection, next); !saved) {
      return saved;
    }
    graves.insert_or_assign(std::string(collection), std::move(next));
    return {};
  });
}

bool Store::Impl::knows(const Graves& of, const crdt::Dot& dot) const {
  if (!of.evicted && dot.actor == identity.actor && dot.seq <= identity.commit_seq) {
    return true;
  }
  const auto known = of.known.find(dot.actor);
  return known != of.known.end() && dot.seq <= known->second;
}

// One that holds nothing could not be recognised.
bool Store::Impl::knows_all(const Graves& of, const crdt::Document& document) const {
  const auto& registers = document.registers();
  return !registers.empty() && std::all_of(registers.begin(), registers.end(),
                                           [&](const crdt::Register& each) { return knows(of, each.dot); });
}

Result<KnownCommits> Store::known(std::string_view collection) {
  KnownCommits all;
  auto done = impl_->with_writer([&](Connection&) -> Status {
    auto graves = impl_->load_graves(collection);
    if (!graves) {
      return fail(std::move(graves).error());
    }
    all = (*graves)->known;
    if (!(*graves)->evicted) {
      std::uint64_t& own = all[impl_->identity.actor];
      own = std::max(own, impl_->identity.commit_seq);
    }
    return {};
  });
  return done ? Result<KnownCommits>(std::move(all)) : fail(std::move(done).error());
}

Status Store::learn(std::string_view collection, const KnownCommits& known) {
  return impl_->change_graves(collection, [&](Impl::Graves& graves) {
    for (const auto& [actor, seq] : known) {
      if (actor == impl_->identity.actor && seq > impl_->identity.commit_seq) {
        continue;
      }
      if (graves.known.size() >= kMaxKnownActors && !graves.known.contains(actor)) {
        continue;
      }
      std::uint64_t& mine = graves.known[actor];
      mine = std::max(mine, seq);
    }
  });
}

Result<std::uint64_t> Store::purged_life(std::string_view collection) {
  std::uint64_t life = 0;
  auto done = impl_->with_writer([&](Connection&) -> Status {
    auto graves = impl_->load_graves(collection);
    if (!graves) {
      return fail(std::move(graves).error());
    }
    life = (*graves)->purged_life;
    return {};
  });
  return done ? Result<std::uint64_t>(life) : fail(std::move(done).error());
}

Status Store::raise_purged_life(std::string_view collection, std::uint64_t life) {
  bool room = false;
  auto looked = impl_->with_writer([&](Connection&) -> Status {
    auto found = impl_->has_room_for_graves(collection);
    room = found && *found;
    return found ? Status() : fail(std::move(found).error());
  });
  if (!looked || !room) {
    return looked;
  }
  return impl_->change_graves(collection, [&](Impl::Graves& graves) {
    graves.purged_life = std::max(graves.purged_life, std::min(life, kMaxPurgedLife));
  });
}

// --- purging ---

Result<std::vector<Store::Impl::Due>> Store::Impl::read_due(WallTime before, PurgePlace from, std::size_t at_most) {
  auto rows = writer->prepare(
      "SELECT c.name, d.id, d.seq, d.body, d.meta, d.buried, d.rowid, d.keep FROM documents AS d JOIN collections AS c "
      "ON c.id = d.collection WHERE d.buried < ? AND (d.buried, d.rowid) > (?, ?) ORDER BY d.buried, d.rowid LIMIT ?");
  if (!rows) {
    return fail(std::move(rows).error());
  }
  rows->bind(1, static_cast<std::uint64_t>(before.time_since_epoch().count())).bind(2, from.buried).bind(3, from.row);
  rows->bind(4, std::uint64_t{std::min<std::size_t>(at_most, INT64_MAX)});
  std::vector<Due> due;
  for (;;) {
    auto found = rows->step();
    if (!found || !*found) {
      return found ? Result<std::vector<Due>>(std::move(due)) : fail(std::move(found).error());
    }
    auto tombstone = read_changed(*rows);
    if (!tombstone) {
      return fail(std::move(tombstone).error());
    }
    due.push_back({*std::move(tombstone), {rows->number(5), rows->number(6)}, rows->number(7) != 0});
  }
}

Result<Store::Impl::Forgotten> Store::Impl::forget_known(const std::vector<Due>& due, const PurgeLimits& limits) {
  Forgotten forgotten{.purged = {0, identity.purged_seq}, .graves = {}};
  auto& [purged, changed] = forgotten;
  for (const Due& each : due) {
    const std::string& collection = each.tombstone.collection;
    const auto limit = limits.find(collection);
    auto known = load_graves(collection);
    if (!known) {
      return fail(std::move(known).error());
    }
    // Purged without raising purged_life beyond the bound, its name could be used again in a life that a tombstone
    // elsewhere ends. Remembering is never wrong.
    const bool raises_too_far = each.tombstone.document.life() > kMaxPurgedLife;
    if (limit == limits.end() || each.tombstone.local_seq > limit->second || each.keep || raises_too_far ||
        !knows_all(**known, each.tombstone.document)) {
      continue;
    }
    auto row = writer->prepare("DELETE FROM documents WHERE rowid = ?");
    if (!row) {
      return fail(std::move(row).error());
    }
    if (auto deleted = row->bind(1, each.place.row).run(); !deleted) {
      return fail(std::move(deleted).error());
    }
    Graves& next = changed.try_emplace(collection, **known).first->second;
    next.purged_life = std::max(next.purged_life, each.tombstone.document.life());
    purged.highest = std::max(purged.highest, each.tombstone.local_seq);
    ++purged.count;
  }
  for (const auto& [collection, next] : changed) {
    if (auto saved = save_graves(collection, next); !saved) {
      return fail(std::move(saved).error());
    }
  }
  if (auto noted = note_purge(purged); !noted) {
    return fail(std::move(noted).error());
  }
  return forgotten;
}

void Store::Impl::remember_forgotten(Forgotten&& forgotten) {
  for (auto& [collection, next] : forgotten.graves) {
    graves.insert_or_assign(collection, std::move(next));
  }
  identity.purged_seq = forgotten.purged.highest;
  published_purged_seq = forgotten.purged.highest;
  published_purged += forgotten.purged.count;
}

Result<PurgeStep> Store::purge_known(WallTime before, const PurgeLimits& limits, PurgePlace from, std::size_t at_most) {
  PurgeStep step;
  auto done = impl_->with_writer([&](Connection& connection) -> Status {
    auto due = impl_->read_due(before, from, at_most);
    if (!due || due->empty()) {
      return due ? Status() : fail(std::move(due).error());
    }
    if (due->size() == at_most) {
      step.next = due->back().place;
    }
    Impl::Forgotten forgotten;
    Status kept = connection.transact([&]() -> Status {
      auto found = impl_->forget_known(*due, limits);
      if (!found) {
        return fail(std::move(found).error());
      }
      forgotten = *std::move(found);
      return {};
    });
    if (!kept) {
      return kept;
    }
    step.forgotten = forgotten.purged.count;
    impl_->remember_forgotten(std::move(forgotten));
    return {};
  });
  return done ? Result<PurgeStep>(step) : fail(std::move(done).error());
}

std::uint64_t Store::purged() const {
  return impl_->published_purged;
}

WallTime Store::wall_now() const {
  return impl_->options.clock->wall_now();
}

}  // namespace fermata::store
