#include "store/check.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "store/checksum_vfs.hpp"
#include "store/cut_file.hpp"
#include "store/directory_lock.hpp"
#include "store/file_identity.hpp"
#include "store/wal_damage.hpp"

namespace fermata::store {

namespace {

constexpr const char* kWhatToDo = "this cannot be repaired here; restore a backup, or sync into a new directory";

// The parts of one check that stay open.
struct Opened {
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<ChecksumVfs> vfs;
  bool lost_commits = false;  // as MendOptions
};

std::string file_of(const CheckOptions& options) {
  return options.directory + "/" + kDatabaseFile;
}

// Without a log nothing needs to be written to read the database, not even a lock.
OpenMode mode_of(const CheckOptions& options) {
  const bool has_log = !options.vfs.empty() || file_bytes(file_of(options) + "-wal") != 0;
  return has_log ? OpenMode::Existing : OpenMode::Immutable;
}

Status open_vfs(const CheckOptions& options, Opened& opened) {
  if (options.vfs.empty()) {
    if (auto prepared = prepare_directory(options.directory, MissingDirectory::Refuse); !prepared) {
      return prepared;
    }
    const auto unwritable = options.mode == CheckMode::Report ? Unwritable::Share : Unwritable::Refuse;
    auto lock = DirectoryLock::take(options.directory, unwritable);
    if (!lock) {
      return fail(std::move(lock).error());
    }
    opened.lock = *std::move(lock);
  }
  auto vfs = ChecksumVfs::around(options.vfs);
  if (!vfs) {
    return fail(std::move(vfs).error());
  }
  opened.vfs = *std::move(vfs);
  return {};
}

tl::unexpected<Error> damaged(const CheckOptions& options, std::string_view how) {
  return fail(ErrorCode::Corrupt, fmt::format("{}: {}", options.directory, how));
}

// SQLite makes an index of the log beside it, even to read.
Error explained(Error error, const CheckOptions& options, OpenMode mode) {
  const bool is_about_log = error.code == ErrorCode::Io && mode == OpenMode::Existing && options.vfs.empty();
  if (!is_about_log || ::access(options.directory.c_str(), W_OK) == 0) {
    return error;
  }
  return {error.code, fmt::format("{}: its log {}-wal cannot be read where nothing can be written; copy the directory "
                                  "to where it can be written to, and check that",
                                  options.directory, kDatabaseFile)};
}

Result<std::unique_ptr<Connection>> connect(const CheckOptions& options, const Opened& opened, OpenMode mode) {
  // Of what is too short SQLite would throw the log away.
  const std::string shortness = options.vfs.empty() ? shortness_of_database(options.directory) : "";
  if (!shortness.empty()) {
    return damaged(options, shortness);
  }
  auto connection = Connection::open(file_of(options), opened.vfs->name(), mode, options.directory);
  if (!connection) {
    return connection;
  }
  (*connection)->keep_log(true);
  auto content = inspect(**connection, options.directory);
  if (!content) {
    return fail(std::move(content).error());
  }
  if (*content == Content::Empty) {
    return damaged(options, fmt::format("its {} holds no tables", kDatabaseFile));
  }
  if (*content == Content::OlderFormat) {
    return fail(ErrorCode::VersionMismatch,
                fmt::format("{}: the database has an older format; open it once, which migrates it, and check it then",
                            options.directory));
  }
  if (auto demanded = demand_checksums(**connection); !demanded) {
    return fail(std::move(demanded).error());
  }
  return connection;
}

ExpectedLog expected_log(const CheckOptions& options, const Opened& opened) {
  if (opened.lock == nullptr) {
    return {};
  }
  return {.frames = opened.lock->log_note().frames(options.boot_id).value_or(0),
          .file = identity_of_file(file_of(options)),
          .changed = last_change(file_of(options))};
}

// Only where there is no log.
std::optional<CutFile> find_cut(const CheckOptions& options) {
  return mode_of(options) == OpenMode::Immutable ? store::find_cut(file_of(options)) : std::nullopt;
}

// Everything that there is to say about the database as it is now.
Status look(const CheckOptions& options, Opened& opened, Meter& meter, CheckReport& report) {
  const OpenMode mode = mode_of(options);
  const auto cut = find_cut(options);
  if (cut) {
    report.found.push_back(
        fmt::format("its {} is cut off: {} of {} bytes are left", kDatabaseFile, cut->bytes_left, cut->bytes_expected));
  }
  auto connection = connect(options, opened, mode);
  if (!connection) {
    if (connection.error().code != ErrorCode::Corrupt) {
      return fail(explained(std::move(connection).error(), options, mode));
    }
    std::string why = std::move(connection).error().message;
    if (why.ends_with(kAfterDamage)) why.resize(why.size() - kAfterDamage.size());  // which is what we are at
    if (!cut) report.found.push_back(std::move(why));
    return {};
  }
  auto lost = lost_in_log(**connection, expected_log(options, opened));
  if (!lost && lost.error().code != ErrorCode::Corrupt) {  // which is found again
    return fail(std::move(lost).error());
  }
  if (lost && *lost) {
    opened.lost_commits = true;
    report.found.push_back(**lost);
  }
  auto pages = (*connection)->ask("PRAGMA page_count");
  auto size = (*connection)->ask("PRAGMA page_size");
  if (pages && size) {
    meter.total = meter.done + 3 * std::stoull(*pages) * std::stoull(*size);  // each page, SQLite's look, and ours
  }
  meter_pages((*connection)->handle(), &meter.done);
  Status done = Checker(**connection, report).run();
  meter_pages((*connection)->handle(), nullptr);
  return done;
}

// Whether all that is in use can be read; what is not in use complains only of that.
Result<bool> reads_whole(Connection& connection) {
  auto rows = connection.prepare("PRAGMA integrity_check");
  if (!rows) {
    return fail(std::move(rows).error());
  }
  for (;;) {
    auto found = rows->step();
    if (!found || !*found) {
      return found ? Result<bool>(true) : fail(std::move(found).error());
    }
    if (rows->text(0).find("error code") != std::string::npos) {
      return false;
    }
  }
}

Status check_point(Connection& writer) {
  const int code = sqlite3_wal_checkpoint_v2(writer.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : fail(writer.error(code));
}

// Damaged pages that nothing refers to would be in the way of the VACUUM all the same.
Status clear_unused(Connection& writer) {
  auto whole = reads_whole(writer);
  auto bytes = page_bytes(writer);
  if (!whole || !bytes) {
    return fail(!whole ? std::move(whole).error() : std::move(bytes).error());
  }
  if (!*whole) {
    return fail(writer.error(SQLITE_CORRUPT));
  }
  sqlite3* const handle = writer.handle();
  const int code =
      visit_damaged_pages(handle, *bytes, [&](std::uint64_t page) { return clear_page(handle, *bytes, page); });
  return code == SQLITE_OK ? Status() : fail(writer.error(code));
}

Status repair(const CheckOptions& options, Opened& opened, CheckReport& report) {
  auto writer = connect(options, opened, OpenMode::Existing);
  if (!writer) {
    return fail(std::move(writer).error());
  }
  if (auto configured = configure_writer(**writer); !configured) {
    return configured;
  }
  {
    auto reader = connect(options, opened, OpenMode::Existing);
    if (!reader) {
      return fail(std::move(reader).error());
    }
    const MendOptions how{.now = options.clock->wall_now(), .lost_commits = opened.lost_commits};
    if (auto mended = mend(**reader, **writer, how, report.repaired); !mended) {
      return mended;
    }
  }
  return check_point(**writer)
      .and_then([&] { return clear_unused(**writer); })
      .and_then([&] { return vacuum(**writer); })
      .and_then([&] { return save_written(**writer, {.written = options.clock->wall_now()}); })
      .and_then([&] { return check_point(**writer); })
      .and_then([&]() -> Status {
        if (opened.lock != nullptr) opened.lock->log_note().forget();
        return {};
      });
}

Status repair_cut(const CheckOptions& options, Opened& opened, CheckReport& report) {
  const auto cut = find_cut(options);
  Status repaired = cut ? set_length(file_of(options), cut->bytes_expected) : Status();
  if (!repaired) {
    return repaired;
  }
  repaired = repair(options, opened, report);
  if (!repaired && cut) {
    static_cast<void>(set_length(file_of(options), cut->bytes_left));
  }
  return repaired;
}

Status run(const CheckOptions& options, Meter& meter, CheckReport& report) {
  Opened opened;
  if (auto prepared = open_vfs(options, opened); !prepared) {
    return prepared;
  }
  Status looked = look(options, opened, meter, report);
  report.remaining = report.found;
  if (!looked || report.found.empty() || options.mode == CheckMode::Report) {
    return looked;
  }
  if (auto repaired = repair_cut(options, opened, report); !repaired && repaired.error().code != ErrorCode::Corrupt) {
    return repaired;
  }
  CheckReport after;
  looked = look(options, opened, meter, after);
  report.documents = after.documents;
  report.tombstones = after.tombstones;
  report.attachments = after.attachments;
  report.remaining = std::move(after.found);
  return looked;
}

}  // namespace

Result<CheckReport> check(const CheckOptions& options) {
  Meter meter;
  CheckReport report;
  Status done = with_progress(options.progress, meter, [&] { return run(options, meter, report); });
  if (!done) {
    return fail(std::move(done).error());
  }
  if (options.mode == CheckMode::Repair && !report.sound()) {
    report.remaining.emplace_back(kWhatToDo);
  }
  return report;
}

}  // namespace fermata::store

namespace fermata {

Result<CheckReport> check_database(const std::string& directory, CheckMode mode, const Progress& progress) {
  return store::check({.directory = directory, .mode = mode, .progress = progress});
}

}  // namespace fermata
