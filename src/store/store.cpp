#include "store/store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <fstream>

#include "store/store_impl.hpp"

namespace fermata::store {

namespace {

// How long a destroyed store waits for readers on other threads, which should have ended before.
constexpr Duration kCloseWithin = std::chrono::seconds(10);

}  // namespace

std::string StoreOptions::system_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  static_cast<void>(quiesce(kCloseWithin));
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  {
    const std::lock_guard guard(impl->write_mutex);
    if (auto opened = impl->open_files(); !opened) {
      return fail(std::move(opened).error());
    }
  }
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::set_commit_listener(std::function<void(CommitEvent&&)> listener) {
  const std::lock_guard guard(impl_->write_mutex);
  impl_->listener = std::move(listener);
}

void Store::set_reopen_listener(std::function<void()> listener) {
  const std::lock_guard guard(impl_->write_mutex);
  impl_->reopen_listener = std::move(listener);
}

void Store::on_connection(std::function<void(sqlite3*)> setup) {
  const std::lock_guard guard(impl_->write_mutex);
  if (impl_->writer != nullptr) {
    setup(impl_->writer->handle());
  }
  impl_->readers.add_setup(std::move(setup));
}

Status Store::Impl::with_reader(const std::function<Status(Connection&)>& use) {
  for (;;) {
    auto lease = readers.take();
    if (!lease) {
      return fail(std::move(lease).error());
    }
    if (lease->has_value()) {
      return use(***lease);
    }
    const std::lock_guard guard(write_mutex);
    if (auto opened = ensure_open(); !opened) {
      return opened;
    }
  }
}

Status Store::Impl::with_writer(const std::function<Status(Connection&)>& use) {
  const std::lock_guard guard(write_mutex);
  if (auto opened = ensure_open(); !opened) {
    return opened;
  }
  const int changes = sqlite3_total_changes(writer->handle());
  Status done = use(*writer);
  // Whatever was written, or somebody else would seem to have done it.
  if (done && writer != nullptr && sqlite3_total_changes(writer->handle()) != changes) {
    return note_written_if_due();
  }
  return done;
}

Status Store::Impl::note_written_if_due() {
  const WallTime wall = options.clock->wall_now();
  if (wall >= identity.written && wall - identity.written < kWrittenEvery) {
    return {};
  }
  identity.written = wall;
  return save_note(identity);
}

// With our names, and before the time: who finds the time right takes the names that stand there for those who wrote.
Status Store::Impl::save_note(const Identity& next) {
  Status saved;
  if (names_unsaved) {
    saved = save_names(*writer, next).and_then([&] { return save_state(*writer, next); });
  }
  return saved.and_then([&] { return save_written(*writer, next); });
}

Status Store::Impl::with_snapshot(const std::function<Status(Connection&)>& use) {
  return with_reader([&](Connection& connection) {
    if (auto begun = connection.run("BEGIN"); !begun) {
      return begun;
    }
    Status done = use(connection);
    connection.reset_statements();
    Status ended = connection.run("END");
    return done ? ended : done;
  });
}

Attachments& Store::attachments() {
  return impl_->attachments;
}

Status Store::read(const std::function<Status(Connection&)>& read) {
  return impl_->with_snapshot(read);
}

Status Store::read_once(const std::function<Status(Connection&)>& read) {
  return impl_->with_reader(read);
}

Result<std::uint64_t> Store::read_at_head(const std::function<Status(Connection&)>& read) {
  std::uint64_t head = 0;
  Status done = impl_->with_snapshot([&](Connection& connection) {
    auto found = impl_->read_head(connection);
    if (!found) {
      return Status(fail(std::move(found).error()));
    }
    head = *found;
    return read(connection);
  });
  return done ? Result<std::uint64_t>(head) : fail(std::move(done).error());
}

Error Store::Impl::undecodable(std::string_view collection, std::string_view id, std::string_view why) const {
  return {ErrorCode::Corrupt,
          fmt::format("{}: document '{}' of '{}' does not decode ({}); restore a copy, or sync into a new directory",
                      options.directory, id, collection, why)};
}

Result<crdt::Document> Store::Impl::decode(const Statement& row, int column, std::string_view collection,
                                           std::string_view id) const {
  auto document = crdt::Document::decode(row.blob(column), row.blob(column + 1));
  return document ? std::move(document) : fail(undecodable(collection, id, document.error().message));
}

Result<crdt::Document> Store::load(std::string_view collection, std::string_view id) {
  crdt::Document document;
  auto done = impl_->with_reader([&](Connection& connection) -> Status {
    auto statement = connection.prepare(
        "SELECT body, meta FROM documents WHERE collection = (SELECT id FROM collections WHERE name = ?) AND id = ?");
    if (!statement) {
      return fail(std::move(statement).error());
    }
    auto found = statement->bind(1, collection).bind(2, id).step();
    if (!found || !*found) {
      return found ? Status() : fail(std::move(found).error());
    }
    auto decoded = impl_->decode(*statement, 0, collection, id);
    if (!decoded) {
      return fail(std::move(decoded).error());
    }
    document = *std::move(decoded);
    return {};
  });
  return done ? Result<crdt::Document>(std::move(document)) : fail(std::move(done).error());
}

std::uint64_t Store::last_local_seq() const {
  return impl_->published_local_seq;
}

std::uint64_t Store::purged_seq() const {
  return impl_->published_purged_seq;
}

crdt::ActorId Store::actor() const {
  return impl_->published_actor;
}

Epoch Store::epoch() const {
  const std::lock_guard guard(impl_->epoch_mutex);
  return impl_->published_epoch;
}

Result<std::uint32_t> Store::source_number(const Epoch& remote_epoch) {
  std::uint32_t number = 0;
  auto done = impl_->with_writer([&](Connection& connection) -> Status {
    if (const auto known = impl_->source_numbers.find(remote_epoch); known != impl_->source_numbers.end()) {
      number = known->second;
      return {};
    }
    auto insert = connection.prepare("INSERT OR IGNORE INTO sources(epoch) VALUES(?)");
    auto select = connection.prepare("SELECT number FROM sources WHERE epoch = ?");
    for (auto* statement : {&insert, &select}) {
      if (!*statement) {
        return fail(std::move(*statement).error());
      }
    }
    if (auto inserted = insert->bind(1, remote_epoch).run(); !inserted) {
      return inserted;
    }
    if (auto found = select->bind(1, remote_epoch).step(); !found) {
      return fail(std::move(found).error());
    }
    number = static_cast<std::uint32_t>(select->number(0));
    impl_->source_numbers.emplace(remote_epoch, number);
    return {};
  });
  return done ? Result<std::uint32_t>(number) : fail(std::move(done).error());
}

Result<std::uint64_t> Store::cursor(const Epoch& remote_epoch, std::uint64_t subscription_key) {
  std::uint64_t seq = 0;
  auto done = impl_->with_reader([&](Connection& connection) -> Status {
    auto statement = connection.prepare("SELECT seq FROM cursors WHERE epoch = ? AND subscription_key = ?");
    if (!statement) {
      return fail(std::move(statement).error());
    }
    auto found = statement->bind(1, remote_epoch).bind(2, subscription_key).step();
    if (!found) {
      return fail(std::move(found).error());
    }
    seq = *found ? statement->number(0) : 0;
    return {};
  });
  return done ? Result<std::uint64_t>(seq) : fail(std::move(done).error());
}

Result<Epoch> Store::last_epoch_of(const std::string& device_id) {
  Epoch epoch;
  auto done = impl_->with_reader([&](Connection& connection) -> Status {
    auto statement = connection.prepare("SELECT epoch FROM devices WHERE device_id = ?");
    if (!statement) {
      return fail(std::move(statement).error());
    }
    auto found = statement->bind(1, device_id).step();
    if (!found) {
      return fail(std::move(found).error());
    }
    epoch = *found ? statement->text(0) : Epoch();
    return {};
  });
  return done ? Result<Epoch>(std::move(epoch)) : fail(std::move(done).error());
}

Status Store::remember_epoch(const std::string& device_id, const Epoch& epoch) {
  return impl_->with_writer([&](Connection& connection) -> Status {
    auto forget = connection.prepare(
        "DELETE FROM cursors WHERE epoch IN (SELECT epoch FROM devices WHERE device_id = ?1 AND epoch <> ?2) "
        "AND epoch NOT IN (SELECT epoch FROM devices WHERE device_id <> ?1)");
    auto statement = connection.prepare("INSERT OR REPLACE INTO devices(device_id, epoch) VALUES(?, ?)");
    // Numbers that documents mention are never given out anew: the next is always one more than the greatest.
    auto retire = connection.prepare(
        "DELETE FROM sources WHERE epoch NOT IN (SELECT epoch FROM devices) "
        "AND number < (SELECT max(number) FROM sources)");
    for (auto* each : {&forget, &statement, &retire}) {
      if (!*each) {
        return fail(std::move(*each).error());
      }
    }
    impl_->source_numbers.clear();
    return forget->bind(1, device_id)
        .bind(2, epoch)
        .run()
        .and_then([&] { return statement->bind(1, device_id).bind(2, epoch).run(); })
        .and_then([&] { return retire->run(); });
  });
}

Status Store::remember(std::string_view key, const std::string& text) {
  const std::string name = fmt::format("kept.{}", key);
  return impl_->with_writer([&](Connection& connection) { return save_name(connection, name, text); });
}

Result<std::string> Store::recall(std::string_view key) {
  const std::string name = fmt::format("kept.{}", key);
  std::string text;
  auto found = impl_->with_reader([&](Connection& connection) -> Status {
    auto loaded = load_name(connection, name);
    if (!loaded) {
      return fail(std::move(loaded).error());
    }
    text = *std::move(loaded);
    return {};
  });
  if (!found) {
    return fail(std::move(found).error());
  }
  return text;
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Store::collections() {
  std::vector<std::pair<std::string, std::uint64_t>> names;
  auto done = impl_->with_reader([&](Connection& connection) -> Status {
    auto statement = connection.prepare(
        "SELECT c.name, s.live FROM collections AS c JOIN state AS s ON s.id = c.id WHERE s.live <> 0 ORDER BY c.name");
    if (!statement) {
      return fail(std::move(statement).error());
    }
    auto found = statement->step();
    for (; found && *found; found = statement->step()) {
      names.emplace_back(statement->text(0), statement->number(1));
    }
    return found ? Status() : fail(std::move(found).error());
  });
  return done ? Result<std::vector<std::pair<std::string, std::uint64_t>>>(std::move(names))
              : fail(std::move(done).error());
}

}  // namespace fermata::store
