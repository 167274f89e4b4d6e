#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "store/transaction_state.hpp"

namespace fermata::store {

template <class Change>
Status Transaction::State::write(std::string_view collection, std::string_view id, Change change) {
  auto found = entry(collection, id);
  if (!found) {
    return fail(std::move(found).error());
  }
  if (auto decided = decide(Kind::Local, 0); !decided) {
    return decided;
  }
  Entry& target = **found;
  remember_before(target);
  crdt::Commit commit = now;
  commit.local_seq = target.seq != 0 ? target.seq : next_seq;
  Status done = change(target.document, commit);
  if (done) {
    mark_changed(target);
  }
  return done;
}

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;

Result<Transaction> Store::begin() {
  std::unique_lock lock(impl_->write_mutex);
  Status begun = impl_->ensure_open();
  if (begun && impl_->identity.clean) {
    begun = impl_->writer->execute("PRAGMA synchronous = FULL");
  }
  if (begun) {
    begun = impl_->writer->run("BEGIN IMMEDIATE");
  }
  if (!begun) {
    return fail(std::move(begun).error());
  }
  return Transaction(std::make_unique<Transaction::State>(*impl_, std::move(lock)));
}

Status Store::evict(std::string_view collection, std::string_view id) {
  auto transaction = begin();
  if (!transaction) {
    return fail(std::move(transaction).error());
  }
  if (auto evicted = transaction->evict(collection, id); !evicted) {
    return evicted;
  }
  auto committed = transaction->commit();
  return committed ? Status() : fail(std::move(committed).error());
}

Result<crdt::Document> Transaction::load(std::string_view collection, std::string_view id) {
  auto entry = state_->entry(collection, id);
  if (!entry) {
    return fail(std::move(entry).error());
  }
  return (*entry)->document;
}

Result<std::uint64_t> Transaction::life(std::string_view collection, std::string_view id) {
  auto entry = state_->entry(collection, id);
  if (!entry) {
    return fail(std::move(entry).error());
  }
  return (*entry)->document.life();
}

Status Transaction::insert(std::string_view collection, std::string_view id, const Map& fields) {
  auto found = state_->entry(collection, id);
  auto graves = state_->graves_of(collection);
  if (!found || !graves) {
    return fail(!found ? std::move(found).error() : std::move(graves).error());
  }
  const crdt::Document& before = (*found)->document;
  const bool keep = before.exists() && !before.alive() && !state_->store.knows_all(**graves, before);
  Status done = state_->write(collection, id, [&](auto& document, crdt::Commit commit) {
    commit.purged_life = (*graves)->purged_life;
    return document.insert(fields, commit);
  });
  if (done && keep) {
    (*found)->keep = true;
  }
  return done;
}

Status Transaction::set(std::string_view collection, std::string_view id, const crdt::Path& path, const Value& value) {
  return state_->write(collection, id,
                       [&](auto& document, const auto& commit) { return document.set(path, value, commit); });
}

Status Transaction::increment(std::string_view collection, std::string_view id, const crdt::Path& path,
                              std::int64_t amount) {
  return state_->write(collection, id,
                       [&](auto& document, const auto& commit) { return document.increment(path, amount, commit); });
}

Status Transaction::unset(std::string_view collection, std::string_view id, const crdt::Path& path) {
  return state_->write(collection, id,
                       [&](auto& document, const auto& commit) { return document.unset(path, commit); });
}

Status Transaction::remove(std::string_view collection, std::string_view id) {
  return state_->write(collection, id, [&](auto& document, const auto& commit) { return document.remove(commit); });
}

Result<bool> Transaction::merge(crdt::Delta&& delta, std::uint32_t source) {
  if (source == 0) {
    return fail(ErrorCode::InvalidArgument, "0 is no remote's source number; ask source_number() for one");
  }
  auto found = state_->entry(delta.collection, delta.id);
  if (!found) {
    return fail(std::move(found).error());
  }
  if (auto decided = state_->decide(State::Kind::Remote, source); !decided) {
    return fail(std::move(decided).error());
  }
  const auto newest = std::max_element(delta.registers.begin(), delta.registers.end(),
                                       [](const auto& a, const auto& b) { return a.stamp < b.stamp; });
  if (newest != delta.registers.end()) {
    state_->store.clock.observe(newest->stamp, state_->store.options.clock->wall_now());
  }
  State::Entry& target = **found;
  state_->remember_before(target);
  const std::uint64_t seq = target.seq != 0 ? target.seq : state_->next_seq;
  if (!target.document.merge(std::move(delta), {.local_seq = seq, .source = source})) {
    return false;
  }
  state_->mark_changed(target);
  return true;
}

Status Transaction::save_cursor(const Cursor& cursor) {
  if (!state_->failure) {
    return state_->failure;
  }
  auto statement =
      state_->store.writer->prepare("INSERT OR REPLACE INTO cursors(epoch, subscription_key, seq) VALUES(?, ?, ?)");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  statement->bind(1, cursor.remote_epoch).bind(2, cursor.subscription_key).bind(3, cursor.remote_seq);
  return state_->note(statement->run());
}

Status Transaction::evict(std::string_view collection, std::string_view id) {
  return state_->evict(collection, id);
}

Status Transaction::keep_cursors(const std::vector<std::uint64_t>& subscription_keys) {
  if (!state_->failure) {
    return state_->failure;
  }
  std::string kept;
  for (const std::uint64_t key : subscription_keys) {
    // As SQLite's integers, which are signed, have them.
    kept += fmt::format("{}{}", kept.empty() ? "" : ",", static_cast<std::int64_t>(key));
  }
  const std::string sql = fmt::format("DELETE FROM cursors WHERE subscription_key NOT IN ({})", kept);
  return state_->note(state_->store.writer->execute(sql.c_str()));
}

Result<bool> Transaction::has_known(const crdt::Delta& delta) {
  auto graves = state_->graves_of(delta.collection);
  if (!graves) {
    return fail(std::move(graves).error());
  }
  const std::uint64_t life = crdt::kept_life(delta.life);
  return std::any_of(delta.registers.begin(), delta.registers.end(), [&](const crdt::Register& each) {
    return each.life == life && state_->store.knows(**graves, each.dot);
  });
}

Status Transaction::bury(const crdt::Delta& delta) {
  return state_->write(delta.collection, delta.id, [&](auto& document, const auto& commit) {
    document.merge(delta, {.local_seq = commit.local_seq, .source = 0});
    return document.alive() ? document.remove(commit) : Status();
  });
}

Status Transaction::remember(std::string_view key, const std::string& text) {
  if (!state_->failure) {
    return state_->failure;
  }
  return state_->note(save_name(*state_->store.writer, fmt::format("kept.{}", key), text));
}

Connection& Transaction::connection() {
  // Rows must show what this transaction did so far. A failure to write them surfaces at the commit.
  static_cast<void>(state_->write_out());
  return *state_->store.writer;
}

const std::vector<LargeDocument>& Transaction::large_documents() const {
  return state_->large;
}

Status Transaction::create_index(const Index& index) {
  if (auto written = state_->write_out(); !written) {
    return written;
  }
  auto existing = load_indexes(*state_->store.writer);
  if (!existing) {
    return fail(std::move(existing).error());
  }
  const auto same_name = [&](const Index& each) { return each.name == index.name; };
  if (std::any_of(existing->begin(), existing->end(), same_name)) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("there is an index {} already; drop it first, or say IF NOT EXISTS", index.name));
  }
  if (existing->size() >= kMaxIndexes || index.fields.size() > kMaxIndexedFields) {
    return fail(ErrorCode::LimitExceeded, fmt::format("a database has at most {} indexes, and an index {} fields",
                                                      kMaxIndexes, kMaxIndexedFields));
  }
  auto collection = state_->collection(index.collection);
  if (!collection) {
    return fail(std::move(collection).error());
  }
  return state_->note(store::create_index(*state_->store.writer, index, (*collection)->number));
}

Status Transaction::drop_index(std::string_view name) {
  auto existing = load_indexes(*state_->store.writer);
  if (!existing) {
    return fail(std::move(existing).error());
  }
  const auto found =
      std::find_if(existing->begin(), existing->end(), [&](const Index& each) { return each.name == name; });
  if (found == existing->end()) {
    return fail(ErrorCode::NotFound, fmt::format("there is no index {}; SHOW INDEXES lists them", name));
  }
  return state_->note(store::drop_index(*state_->store.writer, *found));
}

Result<std::uint64_t> Transaction::commit() {
  return state_->commit();
}

}  // namespace fermata::store
