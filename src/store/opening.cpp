#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>

#include "store/check.hpp"
#include "store/file_identity.hpp"
#include "store/migration.hpp"
#include "store/store_impl.hpp"
#include "store/wal_damage.hpp"

namespace fermata::store {

Epoch Store::Impl::new_epoch() const {
  std::array<std::uint8_t, 16> bytes{};
  options.random->fill(bytes);
  return to_hex(bytes);
}

crdt::ActorId Store::Impl::new_actor() const {
  crdt::ActorId actor = 0;
  while (actor == 0) {
    actor = options.random->u64();
  }
  return actor;
}

Status Store::Impl::ensure_open() {
  return writer != nullptr ? Status() : open_files();
}

Status Store::Impl::open_files() {
  if (options.vfs.empty()) {
    // After the first opening a missing directory means that somebody took it away, not that we should start anew.
    const bool must_exist = options.must_exist || opened_before;
    const auto missing = must_exist ? MissingDirectory::Refuse : MissingDirectory::Create;
    if (auto prepared = prepare_directory(options.directory, missing); !prepared) {
      return prepared;
    }
    if (options.lock_directory) {
      auto taken = DirectoryLock::take(options.directory);
      if (!taken) {
        return fail(std::move(taken).error());
      }
      lock = *std::move(taken);
      lock->log_note().begin(options.boot_id);
    }
  }
  Status opened = open_database();
  if (!opened) {
    close_files();
    return opened;
  }
  const bool again = std::exchange(opened_before, true);
  note_file();
  publish_identity();
  readers.open(options.directory + "/" + kDatabaseFile, vfs->name(), options.directory);
  if (again && reopen_listener) {
    reopen_listener();
  }
  if (again) {
    attachments.tell_due();
  }
  return {};
}

std::uint32_t Store::Impl::noted_frames() const {
  return lock == nullptr ? 0 : lock->log_note().frames(options.boot_id).value_or(0);
}

bool Store::Impl::there_was_a_database() const {
  return (lock != nullptr && lock->knows_of_database()) || noted_frames() != 0;
}

// An interrupted creation leaves a file without tables, and has to be begun again. Where there has been a database, or
// there is a log, which SQLite would throw away, the same is damage; and so is less than a page, which nobody writes.
Status Store::Impl::expect_file() const {
  const std::string file = options.directory + "/" + kDatabaseFile;
  const bool is_expected =
      there_was_a_database() || file_bytes(file + "-wal") != 0 || file_bytes(file) > kEmptyFileBytes;
  const std::string shortness = shortness_of_database(options.directory);
  if (!is_expected || shortness.empty()) {
    return {};
  }
  return fail(lost(shortness));
}

Error Store::Impl::lost(std::string_view how) const {
  return {ErrorCode::Corrupt,
          fmt::format("{}: {}, though there has been a database: restore a copy, or sync into a new directory; remove "
                      "the files {}, {}-wal and lock to begin here anew",
                      options.directory, how, kDatabaseFile, kDatabaseFile)};
}

// More than the first page: what has reached the file from the log was synced there before.
void Store::Impl::note_file() const {
  if (lock == nullptr || lock->knows_of_database()) {
    return;
  }
  const auto page = page_bytes(*writer);
  if (page && file_bytes(options.directory + "/" + kDatabaseFile) > static_cast<std::uintmax_t>(*page)) {
    lock->note_database();
  }
}

Status Store::Impl::open_database() {
  if (auto there = options.vfs.empty() ? expect_file() : Status(); !there) {
    return there;
  }
  last_changed = last_changes();
  const auto mode = options.must_exist || opened_before ? OpenMode::Existing : OpenMode::Create;
  auto wrapped = ChecksumVfs::around(options.vfs, lock != nullptr ? &lock->log_note() : nullptr);
  if (!wrapped) {
    return fail(std::move(wrapped).error());
  }
  vfs = *std::move(wrapped);
  auto connection = Connection::open(options.directory + "/" + kDatabaseFile, vfs->name(), mode, options.directory);
  if (!connection) {
    return fail(std::move(connection).error());
  }
  writer = *std::move(connection);
  writer->keep_log(true);  // until we know that it is whole
  auto content = inspect(*writer, options.directory);
  if (!content) {
    return fail(std::move(content).error());
  }
  if (*content == Content::Empty && mode == OpenMode::Existing) {
    return fail(ErrorCode::Corrupt,
                fmt::format("{}: its {} is empty: damaged, or its making was interrupted; restore a copy, or move "
                            "the directory away and create the database again",
                            options.directory, kDatabaseFile));
  }
  if (*content == Content::Empty && there_was_a_database()) {
    return fail(lost(fmt::format("its {} holds no tables", kDatabaseFile)));
  }
  if (auto prepared = prepare_writer(*content); !prepared) {
    return prepared;
  }
  if (auto settled = settle_identity(*content); !settled) {
    return settled;
  }
  for (const auto& setup : readers.setups()) {
    setup(writer->handle());
  }
  return {};
}

Status Store::Impl::prepare_writer(Content content) {
  if (content == Content::Database) {
    // Before anything more is read.
    if (auto demanded = demand_checksums(*writer); !demanded) {
      return demanded;
    }
  }
  if (auto whole = content == Content::Empty ? Status() : expect_log(); !whole) {
    return whole;
  }
  writer->keep_log(false);
  follow_log();
  return configure_writer(*writer)
      .and_then([&] { return add_checksums(*writer); })
      .and_then(
          [&] { return content == Content::OlderFormat ? migrate(*writer, options.clock->wall_now()) : Status(); })
      .and_then([&] { return writer->execute(synchronous()); });
}

std::string Store::Impl::file_identity() const {
  if (options.file_identity) {
    return *options.file_identity;
  }
  return options.vfs.empty() ? identity_of_file(options.directory + "/" + kDatabaseFile) : std::string();
}

Store::Impl::LastChanges Store::Impl::last_changes() const {
  if (!options.vfs.empty()) {
    return {};
  }
  const std::string file = options.directory + "/" + kDatabaseFile;
  return {.file = last_change(file), .log = last_change(file + "-wal")};
}

// Before anything is written over what is left of it.
Status Store::Impl::expect_log() {
  auto lost = lost_in_log(*writer, {.frames = noted_frames(), .file = file_identity(), .changed = last_changed.file});
  if (!lost || !*lost) {
    return lost ? Status() : fail(std::move(lost).error());
  }
  return fail(
      ErrorCode::Corrupt,
      fmt::format("{}: the database is damaged: {}; fermata check --repair keeps what can be read, or restore a "
                  "copy, or sync into a new directory",
                  options.directory, **lost));
}

// A hook of ours takes the place of SQLite's, which checkpoints.
void Store::Impl::follow_log() {
  constexpr int kCheckpointFrames = 2000;
  const auto after_commit = [](void* self, sqlite3* handle, const char* schema, int frames) {
    const Impl& impl = *static_cast<const Impl*>(self);
    if (impl.lock != nullptr) impl.lock->log_note().set(static_cast<std::uint32_t>(frames));
    if (frames >= kCheckpointFrames) sqlite3_wal_checkpoint(handle, schema);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(writer->handle(), after_commit, this);
}

const char* Store::Impl::synchronous() const {
  return options.durability == Durability::Full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
}

// Who we are in this life. After an unclean end the actor must not go on counting where the database says it stopped:
// commits after that point may be with others already. Nor may a copy of the database, however clean: its original may
// have gone on, beside it or before it was lost, so that peers know another log under this epoch. A new actor or epoch
// is only remembered here; the first commit (or a quiesce) saves it. Should that be lost, nobody has seen anything of
// that actor, or the boot id tells of the loss.
Status Store::Impl::settle_identity(Content content) {
  std::string file = file_identity();
  if (content == Content::Empty) {
    Identity fresh;
    fresh.file = file;
    fresh.actor = new_actor();
    fresh.epoch = new_epoch();
    fresh.boot_id = options.boot_id;
    if (auto created = create_schema(*writer, fresh); !created) {
      return created;
    }
  }
  auto loaded = load_identity(*writer);
  if (!loaded) {
    return fail(std::move(loaded).error());
  }
  identity = *std::move(loaded);
  become(std::move(file));
  clock = crdt::HybridClock(identity.stamp);
  known_collections.clear();
  graves.clear();
  source_numbers.clear();
  return {};
}

void Store::Impl::become(std::string file) {
  const bool copied = is_another_file(identity.file, file) ||
                      is_put_back(std::max(last_changed.file, last_changed.log), identity.written);
  if (!identity.clean || copied) {
    if (options.mutation != Mutation::ActorReused) {
      identity.actor = new_actor();
      identity.commit_seq = 0;
    }
    const bool lost = copied || options.boot_id.empty() || options.boot_id != identity.boot_id;
    if (lost && options.mutation != Mutation::EpochKept) {
      identity.epoch = new_epoch();
    }
  }
  if (file.empty()) {
    file = identity.file;
  }
  names_unsaved = copied || !identity.clean || identity.boot_id != options.boot_id || identity.file != file;
  identity.boot_id = options.boot_id;
  identity.file = std::move(file);
}

void Store::Impl::publish_identity() {
  published_local_seq = identity.local_seq;
  published_purged_seq = identity.purged_seq;
  published_actor = identity.actor;
  const std::lock_guard guard(epoch_mutex);
  published_epoch = identity.epoch;
}

void Store::Impl::close_files() {
  writer.reset();
  vfs.reset();
  lock.reset();
}

// What a checkpoint of the log takes at worst, on a slow disk. Without it nothing is lost: the next open reads the log.
bool Store::Impl::checkpoint_fits(Duration left) const {
  constexpr Duration kPerMebibyte = std::chrono::milliseconds(40);
  constexpr Duration kSync = std::chrono::milliseconds(60);
  sqlite3_file* const log = log_of(*writer);
  sqlite3_int64 bytes = 0;
  if (log == nullptr || log->pMethods->xFileSize(log, &bytes) != SQLITE_OK) return true;
  return kSync + kPerMebibyte * (bytes >> 20) <= left;
}

Status Store::Impl::leave_clean(Duration left) {
  if (!identity.clean || names_unsaved || sqlite3_total_changes(writer->handle()) != 0) {
    Identity closed = identity;
    closed.clean = true;
    closed.stamp = clock.last();
    closed.written = options.clock->wall_now();
    Status saved = writer->transact([&] {
      return save_state(*writer, closed).and_then([&] { return save_written(*writer, closed); }).and_then([&] {
        return save_names(*writer, closed);
      });
    });
    if (!saved) {
      return saved;
    }
    identity = std::move(closed);
    names_unsaved = false;
  }
  if (!checkpoint_fits(left)) {
    writer->keep_log(true);
    return {};
  }
  const int code = sqlite3_wal_checkpoint_v2(writer->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return fail(writer->error(code));
  }
  note_file();
  return {};
}

Status Store::quiesce(Duration within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  impl_->closing = true;
  Status done = impl_->close_until(deadline);
  impl_->closing = false;
  return done;
}

Status Store::Impl::close_until(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock held(write_mutex, deadline);
  if (!held.owns_lock()) {
    return fail(ErrorCode::Timeout, fmt::format("{}: a transaction did not end in time", options.directory));
  }
  if (writer == nullptr) {
    return {};
  }
  if (auto drained = readers.drain(deadline); !drained) {
    return drained;
  }
  Status left = leave_clean(deadline - std::chrono::steady_clock::now());
  close_files();
  return left;
}

}  // namespace fermata::store
