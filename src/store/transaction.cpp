#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <unordered_map>

#include "store/store_impl.hpp"

namespace fermata::store {

// Documents are loaded once, changed in memory, and written once, at the commit (or when somebody wants to query
// between).
struct Transaction::State {
  enum class Kind { Undecided, Local, Remote };

  struct Entry {
    std::string collection, id;
    std::uint64_t rowid = 0;  // 0: no row yet
    crdt::Document document;
    bool existed = false, alive_before = false;
    Map before;
    std::uint64_t seq = 0;  // 0: unchanged
    bool written = true;    // the row is as the document
  };

  State(Store::Impl& impl, std::unique_lock<std::timed_mutex> held)
      : store(impl), lock(std::move(held)), next_seq(impl.identity.local_seq + 1) {}
  ~State() { roll_back(); }

  Result<Entry*> entry(std::string_view collection, std::string_view id);
  Status decide(Kind wanted, std::uint32_t from);
  void remember_before(Entry& entry) const;
  void mark_changed(Entry& entry);
  template <class Change>
  Status write(std::string_view collection, std::string_view id, Change change);
  Status write_out();
  Status write_row(Entry& entry);
  Result<std::uint64_t> collection_number(const std::string& name);
  Status save_identity();
  Result<std::uint64_t> commit();
  void announce();
  void roll_back();
  // Keeps the first failure: what follows it must not be committed.
  Status note(Status status) {
    if (!status && failure) {
      failure = status;
    }
    return status;
  }

  Store::Impl& store;
  std::unique_lock<std::timed_mutex> lock;
  Kind kind = Kind::Undecided;
  std::uint32_t source = 0;
  crdt::Commit now;  // of a local transaction
  std::uint64_t next_seq;
  std::unordered_map<std::string, Entry> entries;  // by collection, NUL, id
  std::vector<Entry*> changed;                     // in order of local seq
  std::vector<std::string> new_collections;
  Status failure;
  bool finished = false;
};

Result<Transaction::State::Entry*> Transaction::State::entry(std::string_view collection, std::string_view id) {
  if (!failure) {
    return fail(failure.error());
  }
  if (collection.empty() || id.empty()) {
    return fail(ErrorCode::InvalidArgument, "a document needs a collection and an id; neither may be empty");
  }
  std::string key(collection);
  key.append(1, '\0').append(id);
  if (const auto known = entries.find(key); known != entries.end()) {
    return &known->second;
  }
  auto statement = store.writer->prepare(
      "SELECT rowid, body, meta FROM documents WHERE id = ? AND collection = (SELECT id FROM collections WHERE name = "
      "?)");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  auto found = statement->bind(1, id).bind(2, collection).step();
  if (!found) {
    static_cast<void>(note(fail(found.error())));
    return fail(std::move(found).error());
  }
  Entry fresh{.collection = std::string(collection), .id = std::string(id)};
  if (*found) {
    auto document = store.decode(*statement, 1, collection, id);
    if (!document) {
      return fail(std::move(document).error());
    }
    fresh.rowid = statement->number(0);
    fresh.document = *std::move(document);
    fresh.existed = true;
    fresh.alive_before = fresh.document.alive();
  }
  return &entries.emplace(std::move(key), std::move(fresh)).first->second;
}

Status Transaction::State::decide(Kind wanted, std::uint32_t from) {
  if (kind == Kind::Undecided) {
    kind = wanted;
    source = from;
    if (kind == Kind::Local) {
      now.dot = {store.identity.actor, store.identity.commit_seq + 1};
      now.stamp = store.clock.tick(store.options.clock->wall_now());
    }
  }
  if (kind != wanted || source != from) {
    return fail(ErrorCode::InvalidArgument,
                "one transaction is either local or merges one remote's changes; use a transaction for each");
  }
  return {};
}

void Transaction::State::remember_before(Entry& entry) const {
  if (entry.seq == 0 && entry.existed && store.listener) {
    entry.before = entry.document.view();
  }
}

void Transaction::State::mark_changed(Entry& entry) {
  if (entry.seq == 0) {
    entry.seq = next_seq++;
    changed.push_back(&entry);
  }
  entry.written = false;
}

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

Result<std::uint64_t> Transaction::State::collection_number(const std::string& name) {
  if (const auto known = store.collection_numbers.find(name); known != store.collection_numbers.end()) {
    return known->second;
  }
  auto select = store.writer->prepare("SELECT id FROM collections WHERE name = ?");
  auto insert = store.writer->prepare("INSERT INTO collections(name) VALUES(?)");
  for (auto* statement : {&select, &insert}) {
    if (!*statement) {
      return fail(std::move(*statement).error());
    }
  }
  auto found = select->bind(1, name).step();
  if (!found) {
    return fail(std::move(found).error());
  }
  std::uint64_t number = *found ? select->number(0) : 0;
  if (!*found) {
    if (auto inserted = insert->bind(1, name).run(); !inserted) {
      return fail(std::move(inserted).error());
    }
    number = store.writer->last_rowid();
    new_collections.push_back(name);
  }
  store.collection_numbers.emplace(name, number);
  return number;
}

Status Transaction::State::write_row(Entry& entry) {
  const Bytes body = entry.document.encode_body();
  const Bytes meta = entry.document.encode_metadata();
  // A merged document may grow beyond the limit, since refusing it would keep peers apart for ever.
  if (kind == Kind::Local && body.size() + meta.size() > kMaxDocumentBytes) {
    return fail(ErrorCode::LimitExceeded, fmt::format("document '{}' of '{}' would take more than {} MiB; split it",
                                                      entry.id, entry.collection, kMaxDocumentBytes >> 20));
  }
  if (entry.rowid != 0) {
    auto update = store.writer->prepare("UPDATE documents SET life = ?, seq = ?, body = ?, meta = ? WHERE rowid = ?");
    if (!update) {
      return fail(std::move(update).error());
    }
    update->bind(1, entry.document.life()).bind(2, entry.seq).bind_blob(3, body).bind_blob(4, meta);
    return update->bind(5, entry.rowid).run();
  }
  auto number = collection_number(entry.collection);
  if (!number) {
    return fail(std::move(number).error());
  }
  auto insert =
      store.writer->prepare("INSERT INTO documents(collection, id, life, seq, body, meta) VALUES(?, ?, ?, ?, ?, ?)");
  if (!insert) {
    return fail(std::move(insert).error());
  }
  insert->bind(1, *number).bind(2, entry.id).bind(3, entry.document.life()).bind(4, entry.seq);
  Status done = insert->bind_blob(5, body).bind_blob(6, meta).run();
  entry.rowid = done ? store.writer->last_rowid() : 0;
  return done;
}

Status Transaction::State::write_out() {
  for (Entry* entry : changed) {
    if (entry->written) {
      continue;
    }
    if (auto done = note(write_row(*entry)); !done) {
      return done;
    }
    entry->written = true;
  }
  return {};
}

Status Transaction::State::save_identity() {
  Identity next = store.identity;
  next.commit_seq += kind == Kind::Local ? 1 : 0;
  next.stamp = store.clock.last();
  next.local_seq = next_seq - 1;
  next.clean = false;
  if (auto saved = save_state(*store.writer, next); !saved) {
    return saved;
  }
  if (store.names_unsaved) {
    if (auto saved = save_names(*store.writer, next); !saved) {
      return saved;
    }
  }
  if (auto committed = store.writer->execute("COMMIT"); !committed) {
    return committed;
  }
  finished = true;
  store.names_unsaved = false;
  if (store.identity.clean) {
    // What begin() asked for, so that "not clean" is on the platter before anybody sees this commit.
    static_cast<void>(store.writer->execute("PRAGMA synchronous = NORMAL"));
  }
  store.identity = std::move(next);
  store.publish_identity();
  return {};
}

Result<std::uint64_t> Transaction::State::commit() {
  if (finished) {
    return fail(ErrorCode::Closed, "the transaction was committed before; begin another one");
  }
  Status done = failure;
  if (done) {
    done = write_out();
  }
  if (done) {
    done = changed.empty() ? store.writer->execute("COMMIT") : save_identity();
  }
  if (!done) {
    roll_back();
    lock.unlock();
    return fail(std::move(done).error());
  }
  finished = true;
  announce();
  const std::uint64_t last = store.identity.local_seq;
  lock.unlock();
  return last;
}

void Transaction::State::announce() {
  if (changed.empty() || !store.listener) {
    return;
  }
  CommitEvent event{.first_local_seq = changed.front()->seq, .source = source, .changes = {}};
  event.changes.reserve(changed.size());
  for (Entry* entry : changed) {
    event.changes.push_back({.collection = std::move(entry->collection),
                             .id = std::move(entry->id),
                             .local_seq = entry->seq,
                             .existed_before = entry->existed,
                             .alive_before = entry->alive_before,
                             .alive_after = entry->document.alive(),
                             .before = std::move(entry->before),
                             .after = entry->document.view()});
  }
  store.listener(std::move(event));
}

void Transaction::State::roll_back() {
  if (finished) {
    return;
  }
  finished = true;
  // Some errors, a full disk among them, have rolled back already.
  if (store.writer->in_transaction()) {
    static_cast<void>(store.writer->execute("ROLLBACK"));
  }
  for (const std::string& name : new_collections) {
    store.collection_numbers.erase(name);
  }
}

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;

Result<Transaction> Store::begin() {
  std::unique_lock lock(impl_->write_mutex);
  Status begun = impl_->ensure_open();
  if (begun && impl_->identity.clean) {
    begun = impl_->writer->execute("PRAGMA synchronous = FULL");
  }
  if (begun) {
    begun = impl_->writer->execute("BEGIN IMMEDIATE");
  }
  if (!begun) {
    return fail(std::move(begun).error());
  }
  return Transaction(std::make_unique<Transaction::State>(*impl_, std::move(lock)));
}

Result<crdt::Document> Transaction::load(std::string_view collection, std::string_view id) {
  auto entry = state_->entry(collection, id);
  if (!entry) {
    return fail(std::move(entry).error());
  }
  return (*entry)->document;
}

Status Transaction::insert(std::string_view collection, std::string_view id, const Map& fields) {
  return state_->write(collection, id,
                       [&](auto& document, const auto& commit) { return document.insert(fields, commit); });
}

Status Transaction::set(std::string_view collection, std::string_view id, const crdt::Path& path, const Value& value) {
  return state_->write(collection, id,
                       [&](auto& document, const auto& commit) { return document.set(path, value, commit); });
}

Status Transaction::unset(std::string_view collection, std::string_view id, const crdt::Path& path) {
  return state_->write(collection, id,
                       [&](auto& document, const auto& commit) { return document.unset(path, commit); });
}

Status Transaction::remove(std::string_view collection, std::string_view id) {
  return state_->write(collection, id, [&](auto& document, const auto& commit) { return document.remove(commit); });
}

Status Transaction::merge(const crdt::Delta& delta, std::uint32_t source) {
  if (source == 0) {
    return fail(ErrorCode::InvalidArgument, "0 is no remote's source number; ask source_number() for one");
  }
  auto found = state_->entry(delta.collection, delta.id);
  if (!found) {
    return fail(std::move(found).error());
  }
  if (auto decided = state_->decide(State::Kind::Remote, source); !decided) {
    return decided;
  }
  const auto newest = std::max_element(delta.registers.begin(), delta.registers.end(),
                                       [](const auto& a, const auto& b) { return a.stamp < b.stamp; });
  if (newest != delta.registers.end()) {
    state_->store.clock.observe(newest->stamp, state_->store.options.clock->wall_now());
  }
  State::Entry& target = **found;
  state_->remember_before(target);
  const std::uint64_t seq = target.seq != 0 ? target.seq : state_->next_seq;
  if (target.document.merge(delta, {.local_seq = seq, .source = source})) {
    state_->mark_changed(target);
  }
  return {};
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

sqlite3* Transaction::connection() {
  // Rows must show what this transaction did so far. A failure to write them surfaces at the commit.
  static_cast<void>(state_->write_out());
  return state_->store.writer->handle();
}

Result<std::uint64_t> Transaction::commit() {
  return state_->commit();
}

}  // namespace fermata::store
