#include "query/database_core.hpp"

#include "query/select.hpp"
#include "query/sqlite_functions.hpp"

namespace fermata {

thread_local const Database::Impl::Inside* Database::Impl::Inside::innermost_ = nullptr;

Database::Impl::Impl(std::unique_ptr<store::Store> opened, const store::StoreOptions& options, Executor executor)
    : clock(*options.clock),
      random(*options.random),
      store(std::move(opened)),
      live(*store, std::move(executor)),
      collector(*store, clock) {
  store->on_connection([](sqlite3* connection) { query::register_functions(connection); });
  store->set_commit_listener(
      [this](store::CommitEvent&& event) { committed(std::make_shared<const store::CommitEvent>(std::move(event))); });
}

void Database::Impl::committed(const store::SharedCommit& event) {
  {
    const std::lock_guard lock(hook_mutex);
    if (hook) hook(event);
  }
  live.committed(event);
}

Status Database::Impl::check_not_nested() const {
  const Inside* inside = Inside::innermost_;
  while (inside != nullptr && &inside->impl_ != this) inside = inside->outer_;
  if (inside == nullptr) return {};
  return fail(ErrorCode::InvalidArgument,
              "this thread is inside a transaction or a snapshot of the database, and would wait for itself; use the "
              "execute() of the transaction");
}

std::vector<std::string> Database::Impl::warnings_about(const std::vector<store::LargeDocument>& documents) {
  std::vector<std::string> warnings;
  for (const store::LargeDocument& document : documents) {
    warnings.push_back(
        "document \"" + document.id + "\" of " + document.collection + " takes " +
        std::to_string(document.bytes / 1024) +
        " KiB; beyond 256 KiB every change is slow to store and to send: split it, or use an attachment");
  }
  return warnings;
}

query::WriteContext Database::Impl::write_context() {
  return {[this] { return id_sequence.next(clock.wall_now(), random); },
          [this](std::string_view collection, std::string_view id, const Map& fields) {
            const std::lock_guard lock(hook_mutex);
            return may_evict ? may_evict(collection, id, fields) : Status();
          }};
}

Result<QueryResult> Database::Impl::execute(query::Statement&& statement) {
  if (query::only_reads(statement)) {
    if (auto alone = check_not_nested(); !alone) return fail(alone.error());
    live.resume();
    Result<QueryResult> result;
    const auto run = [&](store::Connection& connection) -> Status {
      result = query::run_reading(connection, statement);
      return result ? Status() : fail(result.error());
    };
    const auto read = query::reads_once(statement) ? store->read_once(run) : store->read(run);
    if (!read) return fail(read.error());
    return result;
  }
  return transact([&](store::Transaction& t) { return query::run_writing(t, std::move(statement), write_context()); },
                  [&](const QueryResult& result) { return query::has_written(statement, result); });
}

std::unique_ptr<Database> Database::Impl::wrap(std::unique_ptr<Impl> impl) {
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(Options options) {
  store::StoreOptions store_options;
  store_options.directory = std::move(options.directory);
  store_options.must_exist = options.must_exist;
  store_options.durability = options.durability;
  return open_database(std::move(store_options), std::move(options.executor));
}

Result<QueryResult> Database::execute(std::string_view statement, const Map& parameters) {
  auto parsed = impl_->statements.parse(statement, parameters);
  if (!parsed) return fail(std::move(parsed.error()));
  return impl_->execute(std::move(*parsed));
}

Result<std::vector<std::string>> Database::import(std::string_view collection, std::vector<Map> documents) {
  std::vector<DocumentRecord> records;
  records.reserve(documents.size());
  for (Map& document : documents) records.push_back({.fields = std::move(document), .counters = {}});
  return import_records(collection, std::move(records));
}

Result<std::vector<std::string>> Database::import_records(std::string_view collection,
                                                          std::vector<DocumentRecord> records) {
  if (auto checked = query::check_collection_name(collection); !checked) return fail(checked.error());
  return impl_->transact(
      [&](store::Transaction& transaction) {
        return query::import(transaction, collection, std::move(records), impl_->write_context().make_id);
      },
      [](const query::Ids& ids) { return !ids.empty(); });
}

Result<std::vector<DocumentRecord>> Database::export_records(std::string_view collection, std::string_view after_id,
                                                             std::size_t at_most) {
  constexpr std::size_t kMaxBytes = 4u << 20;
  if (auto alone = impl_->check_not_nested(); !alone) return fail(alone.error());
  impl_->live.resume();
  auto documents = impl_->store->documents_after(collection, after_id, at_most, kMaxBytes);
  if (!documents) return fail(documents.error());
  std::vector<DocumentRecord> records;
  records.reserve(documents->size());
  for (const store::ChangedDocument& document : *documents) {
    DocumentRecord record{.fields = document.document.view(), .counters = document.document.counters()};
    record.fields.insert_or_assign(std::string(query::kIdField), Value(document.id));
    records.push_back(std::move(record));
  }
  return records;
}

namespace {

Result<query::SelectStatement> observable(std::string_view select, const Map& parameters) {
  auto parsed = query::parse_statement(select, parameters);
  if (!parsed) return fail(std::move(parsed.error()));
  auto* statement = std::get_if<query::SelectStatement>(&*parsed);
  if (statement == nullptr) return fail(ErrorCode::InvalidArgument, "only a SELECT can be observed");
  return std::move(*statement);
}

}  // namespace

Result<Observation> Database::observe(std::string_view select, std::function<void(const QueryResult&)> callback,
                                      const Map& parameters) {
  auto statement = observable(select, parameters);
  if (!statement) return fail(std::move(statement.error()));
  if (auto alone = impl_->check_not_nested(); !alone) return fail(alone.error());
  impl_->live.resume();
  return impl_->live.observe(std::move(*statement), std::move(callback));
}

Result<Observation> Database::observe_changes(std::string_view select,
                                              std::function<void(const ResultChange&)> callback,
                                              const Map& parameters) {
  auto statement = observable(select, parameters);
  if (!statement) return fail(std::move(statement.error()));
  if (auto alone = impl_->check_not_nested(); !alone) return fail(alone.error());
  impl_->live.resume();
  return impl_->live.observe_changes(std::move(*statement), std::move(callback));
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Database::collections() {
  if (auto alone = impl_->check_not_nested(); !alone) return fail(alone.error());
  impl_->live.resume();
  return impl_->store->collections();
}

Status Database::checkpoint() {
  if (auto alone = impl_->check_not_nested(); !alone) return alone;
  impl_->live.resume();
  return impl_->store->checkpoint();
}

Status Database::backup(const std::string& directory, const Progress& progress) {
  if (auto alone = impl_->check_not_nested(); !alone) return alone;
  impl_->live.resume();
  return impl_->store->backup(directory, progress);
}

Status Database::compact(const Progress& progress) {
  if (auto alone = impl_->check_not_nested(); !alone) return alone;
  impl_->live.resume();
  if (auto collected = collect_attachments(); !collected) return fail(collected.error());
  return impl_->store->compact(progress);
}

Status Database::quiesce(std::chrono::milliseconds within) {
  if (auto alone = impl_->check_not_nested(); !alone) return alone;
  const auto begun = impl_->clock.now();
  const auto left = [&] { return within - (impl_->clock.now() - begun); };
  Status quiesced = fail(ErrorCode::Timeout, "a live query was still reading; the database stays open");
  if (impl_->live.pause(within) && impl_->collector.pause(left())) quiesced = impl_->store->quiesce(left());
  // After any other error everything is closed all the same.
  if (!quiesced && quiesced.error().code == ErrorCode::Timeout) {
    impl_->live.resume();
    impl_->collector.resume();
  }
  return quiesced;
}

Result<std::unique_ptr<Database>> open_database(store::StoreOptions options, Executor executor) {
  const store::StoreOptions kept = options;
  auto opened = store::Store::open(std::move(options));
  if (!opened) return fail(opened.error());
  return Database::Impl::wrap(std::make_unique<Database::Impl>(std::move(*opened), kept, std::move(executor)));
}

void set_eviction_rule(Database& database, EvictionRule rule) {
  const std::lock_guard lock(database.impl().hook_mutex);
  database.impl().may_evict = std::move(rule);
}

store::Store& store_of(Database& database) {
  return *database.impl().store;
}

void resume_observers(Database& database) {
  database.impl().live.resume();
}

void set_commit_hook(Database& database, Database::Impl::CommitHook hook) {
  const std::lock_guard lock(database.impl().hook_mutex);
  database.impl().hook = std::move(hook);
}

}  // namespace fermata
