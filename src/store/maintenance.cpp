// What is done to a whole database while it is in use: checkpoint, backup, compaction.
#include <fmt/format.h>
#include <sqlite3.h>

#include <condition_variable>
#include <thread>

#include "store/maintenance.hpp"
#include "store/store_impl.hpp"

namespace fermata::store {

namespace {

constexpr Duration kProgressEvery = std::chrono::milliseconds(50);
// SQLite's steps between two looks at whether the store is wanted closed.
constexpr int kStepsBetweenLooks = 1000;

int wants_to_stop(void* flag) {
  return *static_cast<const std::atomic<bool>*>(flag) ? 1 : 0;
}

// Ends a statement of the connection early once the store is to be closed.
class Interruptible {
 public:
  Interruptible(Connection& connection, std::atomic<bool>& stop) : connection_(connection) {
    sqlite3_progress_handler(connection_.handle(), kStepsBetweenLooks, wants_to_stop, &stop);
  }
  ~Interruptible() { sqlite3_progress_handler(connection_.handle(), 0, nullptr, nullptr); }
  Interruptible(const Interruptible&) = delete;

 private:
  Connection& connection_;
};

Status run_unless_closing(Connection& connection, std::atomic<bool>& stop, const std::function<Status()>& run) {
  const Interruptible interruptible(connection, stop);
  return run();
}

// Counts what the connection reads from its file and writes to it.
class Metered {
 public:
  Metered(Connection& connection, std::atomic<std::uint64_t>& bytes) : connection_(connection) {
    meter_pages(connection_.handle(), &bytes);
  }
  ~Metered() { meter_pages(connection_.handle(), nullptr); }
  Metered(const Metered&) = delete;

 private:
  Connection& connection_;
};

Result<std::uint64_t> number_from(Connection& connection, const char* sql) {
  auto statement = connection.prepare(sql);
  if (!statement) {
    return fail(std::move(statement).error());
  }
  auto found = statement->step();
  return found ? Result<std::uint64_t>(statement->number(0)) : fail(std::move(found).error());
}

// Bytes of the file that hold something.
Result<std::uint64_t> bytes_in_use(Connection& connection) {
  auto pages = number_from(connection, "PRAGMA page_count");
  auto unused = number_from(connection, "PRAGMA freelist_count");
  auto page = number_from(connection, "PRAGMA page_size");
  for (auto* answer : {&pages, &unused, &page}) {
    if (!*answer) {
      return fail(std::move(*answer).error());
    }
  }
  return (*pages - *unused) * *page;
}

}  // namespace

Status with_progress(const Progress& progress, Meter& meter, const std::function<Status()>& work) {
  if (!progress) {
    return work();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Status> outcome;
  std::thread worker([&] {
    Status done = work();
    const std::lock_guard guard(mutex);
    outcome = std::move(done);
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, kProgressEvery, [&] { return outcome.has_value(); })) {
    lock.unlock();
    const std::uint64_t total = meter.total;
    progress(std::min<std::uint64_t>(meter.done, total), total);
    lock.lock();
  }
  lock.unlock();
  worker.join();
  if (*outcome) {
    progress(meter.total, meter.total);
  }
  return *std::move(outcome);
}

// What somebody changed in the file after `written` looks like a copy that was put back (opening.cpp).
Status Store::Impl::note_written() {
  Identity next = identity;
  next.written = options.clock->wall_now();
  Status saved = writer->transact([&] { return save_note(next); });
  if (saved) {
    identity = std::move(next);
  }
  return saved;
}

Status Store::Impl::sync_log() {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(writer->handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log == nullptr || log->pMethods == nullptr) {
    return {};
  }
  const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
  return code == SQLITE_OK ? Status() : fail(writer->error(code));
}

Status Store::Impl::empty_log() {
  if (auto synced = sync_log(); !synced) {
    return synced;
  }
  // Waits for nobody: what running reads still need stays in the log until the next one.
  sqlite3_busy_timeout(writer->handle(), 0);
  const int code = sqlite3_wal_checkpoint_v2(writer->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  Status done = code == SQLITE_OK || code == SQLITE_BUSY ? Status() : fail(writer->error(code));
  writer->wait_for_locks();
  return done;
}

Status Store::checkpoint() {
  return impl_->with_writer(
      [&](Connection&) { return impl_->note_written().and_then([&] { return impl_->empty_log(); }); });
}

Error Store::Impl::stopped_or(Error error, std::string_view doing) const {
  if (closing) {
    return {ErrorCode::Closed, fmt::format("{}: closed during the {}; begin it again", options.directory, doing)};
  }
  return error;
}

// The order matters: everything is in the file before it is read whole, and the pages of the new one go there last.
Status Store::Impl::compact(Meter& meter) {
  auto bytes = bytes_in_use(*writer);
  if (!bytes) {
    return fail(std::move(bytes).error());
  }
  meter.total = 2 * *bytes;  // read and written
  if (auto emptied = empty_log(); !emptied) {
    return emptied;
  }
  const Metered metered(*writer, meter.done);
  Status done = run_unless_closing(*writer, closing, [&] { return vacuum(*writer); });
  if (!done) {
    return fail(stopped_or(std::move(done).error(), "compaction"));
  }
  return note_written().and_then([&] { return empty_log(); });
}

Status Store::compact(const Progress& progress) {
  Meter meter;
  return with_progress(progress, meter,
                       [&] { return impl_->with_writer([&](Connection&) { return impl_->compact(meter); }); });
}

Status Store::Impl::copy_into(const std::string& file, Meter& meter) {
  Status done = with_reader([&](Connection& connection) -> Status {
    auto bytes = bytes_in_use(connection);
    if (!bytes) {
      return fail(std::move(bytes).error());
    }
    meter.total = *bytes;
    const Metered metered(connection, meter.done);
    auto copy = connection.prepare("VACUUM INTO ?");
    if (!copy) {
      return fail(std::move(copy).error());
    }
    copy->bind(1, file);
    Status copied = run_unless_closing(connection, closing, [&] { return copy->run(); });
    return copied ? copied : fail(stopped_or(std::move(copied).error(), "backup"));
  });
  return done.and_then([&] { return make_somebody_else(file); });
}

// Whoever opens the copy finds an unclean end in another boot, wherever the file is by then.
Status Store::Impl::make_somebody_else(const std::string& file) const {
  auto wrapped = ChecksumVfs::around(options.vfs);
  if (!wrapped) {
    return fail(std::move(wrapped).error());
  }
  auto connection = Connection::open(file, (*wrapped)->name(), OpenMode::Existing, file);
  if (!connection) {
    return fail(std::move(connection).error());
  }
  Connection& copy = **connection;
  return demand_checksums(copy)
      .and_then([&] { return copy.execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL;"); })
      .and_then([&] {
        return copy.transact([&] {
          return copy.execute("UPDATE state SET clean = 0 WHERE id = 0")
              .and_then([&] { return save_name(copy, "boot_id", ""); })
              .and_then([&] { return save_name(copy, "file", ""); });
        });
      });
}

Status Store::backup(const std::string& directory, const Progress& progress) {
  Meter meter;
  return with_progress(progress, meter, [&]() -> Status {
    if (!impl_->options.vfs.empty()) {
      return impl_->copy_into(directory + "/" + kDatabaseFile, meter);
    }
    auto made = NewDirectory::make(directory);
    if (!made) {
      return fail(std::move(made).error());
    }
    return impl_->copy_into((*made)->path() + "/" + kDatabaseFile, meter).and_then([&] { return (*made)->commit(); });
  });
}

}  // namespace fermata::store
