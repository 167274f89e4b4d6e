// What a Database is made of. Internal to this folder.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "query/collector.hpp"
#include "query/database_impl.hpp"
#include "query/live_queries.hpp"
#include "query/statement_cache.hpp"
#include "query/statement_run.hpp"

namespace fermata {

struct Database::Impl {
  using CommitHook = std::function<void(const store::SharedCommit&)>;

  Impl(std::unique_ptr<store::Store> opened, const store::StoreOptions& options, Executor executor);
  // The store is silenced first: its listener points into what is destroyed next.
  ~Impl() { store->set_commit_listener({}); }

  [[nodiscard]] static std::unique_ptr<Database> wrap(std::unique_ptr<Impl> impl);
  void committed(const store::SharedCommit& event);

  // Fails inside a transaction or snapshot of this thread, where waiting for another would never end.
  [[nodiscard]] Status check_not_nested() const;
  // Marks this thread as being inside of one, as long as it lives.
  class Inside;

  // Runs `write` as one transaction; commits only if `wrote` says so of its result.
  template <class Write, class Wrote>
  auto transact(const Write& write, const Wrote& wrote) -> decltype(write(std::declval<store::Transaction&>()));

  [[nodiscard]] static std::vector<std::string> warnings_about(const std::vector<store::LargeDocument>& documents);
  [[nodiscard]] Result<QueryResult> execute(query::Statement&& statement);
  // For use inside a transaction only: the store's mutex then guards the sequence and the random source.
  [[nodiscard]] query::WriteContext write_context();

  Clock& clock;
  Random& random;
  Uuid7Sequence id_sequence;
  std::mutex hook_mutex;
  CommitHook hook;
  query::MayEvict may_evict;
  query::StatementCache statements;
  std::unique_ptr<store::Store> store;
  query::LiveQueries live;
  query::Collector collector;
};

class Database::Impl::Inside {
 public:
  explicit Inside(const Impl& impl) : impl_(impl), outer_(innermost_) { innermost_ = this; }
  ~Inside() { innermost_ = outer_; }
  Inside(const Inside&) = delete;

 private:
  friend struct Database::Impl;
  static thread_local const Inside* innermost_;
  const Impl& impl_;
  const Inside* outer_;  // of another database, or none
};

template <class Write, class Wrote>
auto Database::Impl::transact(const Write& write, const Wrote& wrote)
    -> decltype(write(std::declval<store::Transaction&>())) {
  if (auto alone = check_not_nested(); !alone) return fail(alone.error());
  live.resume();
  auto transaction = store->begin();
  if (!transaction) return fail(transaction.error());
  auto result = write(*transaction);
  if (!result || !wrote(*result)) return result;
  if (auto committed_to = transaction->commit(); !committed_to) return fail(committed_to.error());
  if constexpr (requires { result->warnings; }) result->warnings = warnings_about(transaction->large_documents());
  return result;
}

}  // namespace fermata
