#include <mutex>

#include "query/database_impl.hpp"
#include "query/live_queries.hpp"
#include "query/mutation.hpp"
#include "query/parser.hpp"
#include "query/sqlite_functions.hpp"

namespace fermata {

using CommitHook = std::function<void(const store::SharedCommit&)>;

struct Database::Impl {
  Impl(std::unique_ptr<store::Store> opened, const store::StoreOptions& options, Executor executor)
      : clock(*options.clock), random(*options.random), store(std::move(opened)), live(*store, std::move(executor)) {
    store->on_connection([](sqlite3* connection) { query::register_functions(connection); });
    store->set_commit_listener([this](store::CommitEvent&& event) {
      committed(std::make_shared<const store::CommitEvent>(std::move(event)));
    });
  }
  // The store is silenced first: its listener points into what is destroyed next.
  ~Impl() { store->set_commit_listener({}); }

  static Result<std::unique_ptr<Database>> open(store::StoreOptions options, Executor executor) {
    const store::StoreOptions kept = options;
    auto opened = store::Store::open(std::move(options));
    if (!opened) return fail(opened.error());
    return std::unique_ptr<Database>(
        new Database(std::make_unique<Impl>(std::move(*opened), kept, std::move(executor))));
  }

  void committed(const store::SharedCommit& event) {
    {
      const std::lock_guard lock(hook_mutex);
      if (hook) hook(event);
    }
    live.committed(event);
  }

  // Runs `write` as one transaction; commits only if it wrote something.
  template <class Write>
  Result<query::Ids> transact(const Write& write) {
    auto transaction = store->begin();
    if (!transaction) return fail(transaction.error());
    Result<query::Ids> ids = write(*transaction);
    if (!ids || ids->empty()) return ids;
    if (auto committed = transaction->commit(); !committed) return fail(committed.error());
    return ids;
  }

  // Inside a transaction only: the store's mutex then guards the sequence and the random source.
  [[nodiscard]] query::MakeId make_id() {
    return [this] { return id_sequence.next(clock.wall_now(), random); };
  }

  Result<query::Ids> write(query::InsertStatement&& statement) {
    return transact([&](store::Transaction& t) { return query::insert(t, std::move(statement), make_id()); });
  }
  Result<query::Ids> write(const query::UpdateStatement& statement) {
    return transact([&](store::Transaction& t) { return query::update(t, statement); });
  }
  Result<query::Ids> write(const query::DeleteStatement& statement) {
    return transact([&](store::Transaction& t) { return query::erase(t, statement); });
  }

  Result<QueryResult> execute(query::Statement&& statement) {
    if (const auto* select = std::get_if<query::SelectStatement>(&statement)) return query::read_all(*store, *select);
    Result<query::Ids> ids;
    if (auto* insert = std::get_if<query::InsertStatement>(&statement)) ids = write(std::move(*insert));
    if (const auto* update = std::get_if<query::UpdateStatement>(&statement)) ids = write(*update);
    if (const auto* erase = std::get_if<query::DeleteStatement>(&statement)) ids = write(*erase);
    if (!ids) return fail(std::move(ids.error()));
    return QueryResult{.items = {}, .mutated_ids = std::move(*ids)};
  }

  Clock& clock;
  Random& random;
  Uuid7Sequence id_sequence;
  std::mutex hook_mutex;
  CommitHook hook;
  std::unique_ptr<store::Store> store;
  query::LiveQueries live;
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(Options options) {
  store::StoreOptions store_options;
  store_options.directory = std::move(options.directory);
  store_options.must_exist = options.must_exist;
  return Impl::open(std::move(store_options), std::move(options.executor));
}

Result<QueryResult> Database::execute(std::string_view statement, const Map& parameters) {
  auto parsed = query::parse_statement(statement, parameters);
  if (!parsed) return fail(std::move(parsed.error()));
  impl_->live.resume();
  return impl_->execute(std::move(*parsed));
}

Result<std::vector<std::string>> Database::import(std::string_view collection, std::vector<Map> documents) {
  if (auto checked = query::check_collection_name(collection); !checked) return fail(checked.error());
  impl_->live.resume();
  return impl_->transact([&](store::Transaction& transaction) {
    return query::import(transaction, collection, std::move(documents), impl_->make_id());
  });
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
  impl_->live.resume();
  return impl_->live.observe(std::move(*statement), std::move(callback));
}

Result<Observation> Database::observe_changes(std::string_view select,
                                              std::function<void(const ResultChange&)> callback,
                                              const Map& parameters) {
  auto statement = observable(select, parameters);
  if (!statement) return fail(std::move(statement.error()));
  impl_->live.resume();
  return impl_->live.observe_changes(std::move(*statement), std::move(callback));
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Database::collections() {
  impl_->live.resume();
  return impl_->store->collections();
}

Status Database::quiesce(std::chrono::milliseconds within) {
  const auto begun = impl_->clock.now();
  Status quiesced = fail(ErrorCode::Timeout, "a live query was still reading; the database stays open");
  if (impl_->live.pause(within)) quiesced = impl_->store->quiesce(within - (impl_->clock.now() - begun));
  // After any other error everything is closed all the same.
  if (!quiesced && quiesced.error().code == ErrorCode::Timeout) impl_->live.resume();
  return quiesced;
}

Result<std::unique_ptr<Database>> open_database(store::StoreOptions options, Executor executor) {
  return Database::Impl::open(std::move(options), std::move(executor));
}

store::Store& store_of(Database& database) {
  return *database.impl().store;
}

void resume_observers(Database& database) {
  database.impl().live.resume();
}

void set_commit_hook(Database& database, CommitHook hook) {
  const std::lock_guard lock(database.impl().hook_mutex);
  database.impl().hook = std::move(hook);
}

}  // namespace fermata
