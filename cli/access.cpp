#include "cli/access.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <cerrno>
#include <thread>

#include "cli/control_client.hpp"
#include "cli/control_server.hpp"
#include "cli/gap_record.hpp"
#include "cli/watcher.hpp"

namespace fermata::cli {
namespace {

// Another short verb may hold the directory just now, or a server that starts may not listen yet: both pass.
constexpr std::chrono::seconds kBusyPatience{3};
constexpr std::chrono::milliseconds kBusyPause{20};

bool means_nobody_serves(const Error& error) {
  return error.code == ErrorCode::NotFound || error.code == ErrorCode::Closed;
}

class LocalAccess final : public Access {
 public:
  LocalAccess(std::string directory, std::unique_ptr<Database> database)
      : directory_(std::move(directory)), database_(std::move(database)) {}

  Result<QueryResult> execute(const std::string& statement, const Map& parameters) override {
    return database_->execute(statement, parameters);
  }

  Result<std::size_t> import(const std::string& collection, std::vector<DocumentRecord> records) override {
    auto ids = database_->import_records(collection, std::move(records));
    if (!ids) return fail(ids.error());
    return ids->size();
  }

  Result<std::vector<DocumentRecord>> export_after(const std::string& collection,
                                                   const std::string& after_id) override {
    return database_->export_records(collection, after_id, kExportStep);
  }

  Result<CollectionCounts> collections() override { return database_->collections(); }

  Result<Map> status() override { return local_status(*database_); }

  Result<Map> gaps() override { return gaps_of(*database_); }

  Status backup(const std::string& target, const Progress& progress) override {
    return database_->backup(target, progress);
  }

  Status compact(const Progress& progress) override { return database_->compact(progress); }

  Result<Attachment> put_attachment(const Database::AttachmentSource& source,
                                    const AttachmentMetadata& metadata) override {
    return database_->put_attachment(source, metadata);
  }

  Status read_attachment(const ContentHash& hash, const ContentSink& take) override {
    return read_content(*database_, hash, take);
  }

  // A watch that nobody can write to would never show a change, so the other verbs are let in meanwhile.
  Status watch(const std::string& select, const Map& parameters, const WatchEvents& events) override {
    auto server = ControlServer::start(*database_, directory_, [this] { return local_status(*database_); });
    if (!server) return fail(server.error());
    auto watcher = Watcher::start(*database_, select, parameters);
    if (!watcher) return fail(watcher.error());
    bool ready = false;
    while (true) {
      pollfd entries[2] = {{(*watcher)->fd(), POLLIN, 0}, {events.end_fd, POLLIN, 0}};
      if (::poll(entries, 2, -1) < 0 && errno != EINTR) return fail(ErrorCode::Io, "cannot wait for changes");
      if (entries[1].revents != 0) return {};
      const auto changes = (*watcher)->take();
      if (!changes) continue;
      for (const Map& change : *changes) {
        if (auto status = events.on_change(change); !status) return status;
      }
      if (!std::exchange(ready, true)) events.on_ready();
    }
  }

 private:
  std::string directory_;
  std::unique_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<Access>> open_access(const std::string& directory) {
  const auto patience_ends = std::chrono::steady_clock::now() + kBusyPatience;
  while (true) {
    auto client = ControlClient::connect(directory);
    if (client) return std::unique_ptr<Access>(std::move(*client));
    if (!means_nobody_serves(client.error())) return fail(client.error());
    auto database = Database::open({.directory = directory, .must_exist = true, .executor = {}});
    if (database) return std::make_unique<LocalAccess>(directory, std::move(*database));
    const bool busy = database.error().code == ErrorCode::Busy;
    if (!busy || std::chrono::steady_clock::now() >= patience_ends) return fail(database.error());
    std::this_thread::sleep_for(kBusyPause);
  }
}

Status read_content(Database& database, const ContentHash& hash, const ContentSink& take) {
  constexpr std::size_t kPiece = 64u << 10;
  auto reader = database.open_attachment(hash);
  if (!reader) return fail(reader.error());
  Bytes buffer(kPiece);
  for (;;) {
    auto count = reader->read(buffer);
    if (!count) return fail(count.error());
    if (*count == 0) return {};
    if (auto taken = take(std::span(buffer).first(*count)); !taken) return taken;
  }
}

Map local_status(Database& database) {
  Map counts;
  if (auto collections = database.collections()) {
    for (const auto& [name, count] : *collections) counts.emplace(name, static_cast<std::int64_t>(count));
  }
  return Map{{"serving", false}, {"collections", std::move(counts)}};
}

Status check_not_served(const std::string& directory) {
  auto client = ControlClient::connect(directory);
  if (!client && means_nobody_serves(client.error())) return {};
  if (!client && client.error().code != ErrorCode::Timeout) return fail(client.error());
  return fail(ErrorCode::Busy, fmt::format("{} is served already by another process; stop that one first", directory));
}

}  // namespace fermata::cli
