#include "query/database_core.hpp"

namespace fermata {

struct Transaction::State {
  Database::Impl& database;
  store::Transaction& transaction;
  Status failure;
};

struct Snapshot::State {
  Database::Impl& database;
  store::Connection& connection;
};

Result<QueryResult> Transaction::execute(std::string_view statement, const Map& parameters) {
  if (!state_.failure) return fail(state_.failure.error());
  auto parsed = state_.database.statements.parse(statement, parameters);
  auto result = parsed ? query::run_writing(state_.transaction, std::move(*parsed), state_.database.write_context())
                       : Result<QueryResult>(fail(std::move(parsed.error())));
  if (!result) state_.failure = fail(result.error());
  return result;
}

Result<QueryResult> Snapshot::execute(std::string_view statement, const Map& parameters) const {
  const auto parsed = state_.database.statements.parse(statement, parameters);
  if (!parsed) return fail(parsed.error());
  if (query::only_reads(*parsed)) return query::run_reading(state_.connection, *parsed);
  return fail(ErrorCode::InvalidArgument, "a snapshot is for reading; write in a transaction");
}

Status Database::transaction(const std::function<Status(Transaction&)>& work) {
  if (auto alone = impl_->check_not_nested(); !alone) return alone;
  impl_->live.resume();
  auto begun = impl_->store->begin();
  if (!begun) return fail(begun.error());
  const Impl::Inside inside(*impl_);
  Transaction::State state{*impl_, *begun, {}};
  Transaction transaction(state);
  Status done = work(transaction);
  if (done) done = state.failure;  // an error that the app passed over
  if (!done) return done;
  const auto committed = begun->commit();
  return committed ? Status() : fail(committed.error());
}

Status Database::snapshot(const std::function<Status(const Snapshot&)>& work) {
  if (auto alone = impl_->check_not_nested(); !alone) return alone;
  impl_->live.resume();
  return impl_->store->read([&](store::Connection& connection) {
    const Impl::Inside inside(*impl_);
    Snapshot::State state{*impl_, connection};
    return work(Snapshot(state));
  });
}

}  // namespace fermata
