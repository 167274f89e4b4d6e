#include "store/transaction_state.hpp"

#include <fmt/format.h>

namespace fermata::store {

// Names may hold any character, so only a length tells where the first ends.
std::string Transaction::State::key_of(std::string_view collection, std::string_view id) {
  constexpr std::size_t kDigits = 4;  // collections' names are short
  std::string key;
  key.reserve(kDigits + 1 + collection.size() + id.size());
  key.append(std::to_string(collection.size())).append(1, ' ').append(collection).append(id);
  return key;
}

Result<Transaction::State::Entry*> Transaction::State::entry(std::string_view collection, std::string_view id) {
  if (!failure) {
    return fail(failure.error());
  }
  if (collection.empty() || id.empty()) {
    return fail(ErrorCode::InvalidArgument, "a document needs a collection and an id; neither may be empty");
  }
  if (last_met != nullptr && last_met->id == id && last_met->collection == collection) {
    return last_met;
  }
  std::string key = key_of(collection, id);
  if (const auto known = entries.find(key); known != entries.end()) {
    return last_met = &known->second;
  }
  Entry fresh{.collection = std::string(collection), .id = std::string(id)};
  if (!is_beyond_all(collection, id)) {
    if (auto loaded = load(fresh); !loaded) {
      return fail(std::move(loaded).error());
    }
  }
  return last_met = &entries.emplace(std::move(key), std::move(fresh)).first->second;
}

bool Transaction::State::is_beyond_all(std::string_view collection, std::string_view id) const {
  const auto known = store.known_collections.find(collection);
  return known != store.known_collections.end() && id > known->second.greatest_id;
}

Status Transaction::State::load(Entry& fresh) {
  auto known_as = store.writer->collection_number(fresh.collection);
  if (!known_as) {
    return fail(std::move(known_as).error());
  }
  auto statement =
      store.writer->prepare("SELECT rowid, body, meta, version, keep FROM documents WHERE collection = ? AND id = ?");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  auto found = statement->bind(1, *known_as).bind(2, fresh.id).step();
  if (!found) {
    return note(fail(std::move(found).error()));
  }
  if (!*found) {
    return {};
  }
  auto document = store.decode(*statement, 1, fresh.collection, fresh.id);
  if (!document) {
    return fail(std::move(document).error());
  }
  fresh.rowid = statement->number(0);
  fresh.document = *std::move(document);
  fresh.existed = true;
  fresh.alive_before = fresh.document.alive();
  fresh.version_before = statement->number(3);
  fresh.keep = statement->number(4) != 0;
  if (fresh.alive_before) fresh.names = names_in(statement->blob(1));
  return {};
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

Result<Store::Impl::Collection*> Transaction::State::collection(const std::string& name) {
  if (const auto known = store.known_collections.find(name); known != store.known_collections.end()) {
    return &known->second;
  }
  auto select = store.writer->prepare(
      "SELECT c.id, s.live, s.digest_low, s.digest_high, (SELECT max(id) FROM documents WHERE collection = c.id) "
      "FROM collections AS c LEFT JOIN state AS s ON s.id = c.id WHERE c.name = ?");
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
  Store::Impl::Collection met;
  if (*found) {
    met = {select->number(0),
           {.count = select->number(1), .low = select->number(2), .high = select->number(3)},
           select->text(4)};
  } else {
    if (auto inserted = insert->bind(1, name).run(); !inserted) {
      return fail(std::move(inserted).error());
    }
    met.number = store.writer->last_rowid();
    new_collections.push_back(name);
  }
  return &store.known_collections.emplace(name, met).first->second;
}

Result<crdt::Digest*> Transaction::State::digest(const std::string& name) {
  if (const auto begun = digests.find(name); begun != digests.end()) {
    return &begun->second;
  }
  auto known = collection(name);
  if (!known) {
    return fail(std::move(known).error());
  }
  return &digests.emplace(name, (*known)->digest).first->second;
}

void Transaction::State::bind_row(Statement& statement, const Entry& entry, ByteView body, ByteView meta) const {
  statement.bind(1, entry.document.life()).bind(2, entry.seq).bind(3, entry.version);
  if (!entry.document.alive()) {
    const WallTime buried = store.options.clock->wall_now();
    statement.bind(4, static_cast<std::uint64_t>(buried.time_since_epoch().count()));
  }
  statement.bind(5, std::uint64_t{entry.keep ? 1u : 0u}).bind_blob(6, body).bind_blob(7, meta);
}

Status Transaction::State::write_row(Entry& entry) {
  const Bytes body = entry.document.encode_body();
  const Bytes meta = entry.document.encode_metadata();
  // A merged document may grow beyond the limit, since refusing it would keep peers apart for ever; and what is that
  // large can still be deleted.
  if (kind == Kind::Local && entry.document.alive() && body.size() + meta.size() > kMaxDocumentBytes) {
    return fail(ErrorCode::LimitExceeded, fmt::format("document '{}' of '{}' would take more than {} MiB; split it",
                                                      entry.id, entry.collection, kMaxDocumentBytes >> 20));
  }
  if (kind == Kind::Local && entry.document.alive() && body.size() + meta.size() > kLargeDocumentBytes) {
    large.push_back({entry.collection, entry.id, body.size() + meta.size()});
  }
  entry.fingerprint = entry.document.fingerprint();
  entry.version =
      entry.document.alive() ? crdt::version_of(entry.collection, entry.id, entry.fingerprint) : std::uint64_t{0};
  if (entry.rowid == 0) {
    return insert_row(entry, body, meta);
  }
  if (!entry.names.empty()) note_unnamed(entry, body);
  auto update = store.writer->prepare(
      "UPDATE documents SET life = ?, seq = ?, version = ?, buried = ?, keep = ?, body = ?, meta = ? WHERE rowid = ?");
  if (!update) {
    return fail(std::move(update).error());
  }
  bind_row(*update, entry, body, meta);
  return update->bind(8, entry.rowid).run();
}

Status Transaction::State::insert_row(Entry& entry, ByteView body, ByteView meta) {
  auto known = collection(entry.collection);
  if (!known) {
    return fail(std::move(known).error());
  }
  auto insert = store.writer->prepare(
      "INSERT INTO documents(life, seq, version, buried, keep, body, meta, collection, id) VALUES(?, ?, ?, ?, ?, ?, ?, "
      "?, ?)");
  if (!insert) {
    return fail(std::move(insert).error());
  }
  bind_row(*insert, entry, body, meta);
  Status done = insert->bind(8, (*known)->number).bind(9, entry.id).run();
  entry.rowid = done ? store.writer->last_rowid() : 0;
  return done;
}

void Transaction::State::note_unnamed(const Entry& entry, ByteView body) {
  std::set<ContentHash> gone(entry.names.begin(), entry.names.end());
  if (entry.document.alive()) {
    for (const ContentHash& hash : names_in(body)) gone.erase(hash);
  }
  unnamed.merge(gone);
}

Status Transaction::State::touch_unnamed() {
  return touch(*store.writer, unnamed, store.attachments.now_ms());
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

Status Transaction::State::update_digests() {
  for (const Entry* entry : changed) {
    auto sum = digest(entry->collection);
    if (!sum) {
      return fail(std::move(sum).error());
    }
    (*sum)->remove(entry->version_before);
    (*sum)->add(entry->version);
  }
  for (const auto& [name, sum] : digests) {
    const Store::Impl::Collection& known = store.known_collections.at(name);
    if (sum == known.digest) {
      continue;
    }
    if (auto saved = save_digest(*store.writer, known.number, sum); !saved) {
      return saved;
    }
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
  const WallTime wall = store.options.clock->wall_now();
  if (wall < next.written || wall - next.written >= kWrittenEvery) {
    next.written = wall;
    if (auto saved = save_written(*store.writer, next); !saved) {
      return saved;
    }
  }
  if (store.names_unsaved) {
    if (auto saved = save_names(*store.writer, next); !saved) {
      return saved;
    }
  }
  if (auto committed = store.writer->run("COMMIT"); !committed) {
    return committed;
  }
  finished = true;
  store.names_unsaved = false;
  if (store.identity.clean) {
    // What begin() asked for, so that "not clean" is on the platter before anybody sees this commit.
    static_cast<void>(store.writer->execute(store.synchronous()));
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
    done = write_out().and_then([&] { return update_digests(); }).and_then([&] { return touch_unnamed(); });
  }
  if (done) {
    done = changed.empty() ? store.writer->run("COMMIT") : save_identity();
  }
  if (!done) {
    roll_back();
    lock.unlock();
    return fail(std::move(done).error());
  }
  committed();
  const std::uint64_t last = store.identity.local_seq;
  lock.unlock();
  return last;
}

void Transaction::State::committed() {
  finished = true;
  for (const auto& [name, sum] : digests) {
    store.known_collections.at(name).digest = sum;
  }
  for (const Entry* entry : changed) {
    std::string& greatest = store.known_collections.at(entry->collection).greatest_id;
    greatest = std::max(greatest, entry->id);
  }
  for (auto& [name, next] : graves) {
    store.graves.insert_or_assign(name, std::move(next));
  }
  if (store.listener && (!changed.empty() || !evicted.empty())) {
    announce();
  }
  if (!unnamed.empty()) {
    store.attachments.tell_due();
  }
}

void Transaction::State::announce() {
  CommitEvent event{.first_local_seq = changed.empty() ? store.identity.local_seq + 1 : changed.front()->seq,
                    .source = source,
                    .changes = {},
                    .evicted = std::move(evicted)};
  event.changes.reserve(changed.size());
  for (Entry* entry : changed) {
    event.changes.push_back({.collection = std::move(entry->collection),
                             .id = std::move(entry->id),
                             .local_seq = entry->seq,
                             .existed_before = entry->existed,
                             .alive_before = entry->alive_before,
                             .alive_after = entry->document.alive(),
                             .version_before = entry->version_before,
                             .version_after = entry->version,
                             .fingerprint_after = entry->fingerprint,
                             .before = std::move(entry->before),
                             .after = LazyView(std::move(entry->document))});
  }
  store.listener(std::move(event));
}

void Transaction::State::roll_back() {
  if (finished) {
    return;
  }
  finished = true;
  store.writer->roll_back();
  for (const std::string& name : new_collections) {
    store.known_collections.erase(name);
  }
  store.writer->forget_collections();
}

}  // namespace fermata::store
