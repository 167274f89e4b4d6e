// The two programs of the demo, desk and phone: ordinary apps on the public interface. Each obeys lines on a descriptor
// and tells what it sees as JSON lines on another.
#include "cli/demo_peer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <fermata/fermata.hpp>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "cli/demo_record.hpp"
#include "cli/files.hpp"
#include "cli/import_file.hpp"

namespace fermata::cli {
namespace {

constexpr auto kTickEvery = std::chrono::milliseconds(100);

// One JSON line per event, in one write each. Thread-safe.
class Reporter {
 public:
  explicit Reporter(int fd) : fd_(fd) {}
  void tell(Map event) {
    event.try_emplace("t_ns", now_ns());
    const std::string line = to_json(Value(std::move(event))) + "\n";
    const std::lock_guard lock(mutex_);
    // The stage reads on; if it is gone, so is our purpose, and the closed command stream ends us.
    [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
  }

 private:
  std::mutex mutex_;
  int fd_;
};

// Lines from a descriptor. next() waits; an empty result is the end.
class Commands {
 public:
  explicit Commands(int fd) : fd_(fd) {}
  std::optional<std::string> next() {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      char chunk[256];
      const ssize_t size = ::read(fd_, chunk, sizeof chunk);
      if (size <= 0) return std::nullopt;
      buffer_.append(chunk, static_cast<std::size_t>(size));
    }
  }

 private:
  int fd_;
  std::string buffer_;
};

// Changes one field of one document after another, every 100 ms, while told to.
class Writer {
 public:
  Writer(Database& database, Reporter& reporter, std::vector<std::string> ids)
      : database_(database), reporter_(reporter), ids_(std::move(ids)), thread_([this] { run(); }) {}
  ~Writer() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void set_writing(bool writing) {
    const std::lock_guard lock(mutex_);
    writing_ = writing;
    wake_.notify_all();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    auto due = std::chrono::steady_clock::now();
    while (!ended_) {
      if (!writing_) {
        wake_.wait(lock);
        due = std::chrono::steady_clock::now();
        continue;
      }
      if (wake_.wait_until(lock, due) != std::cv_status::timeout) continue;
      due += kTickEvery;
      lock.unlock();
      write_one();
      lock.lock();
    }
  }

  void write_one() {
    const std::int64_t number = ++number_;
    const std::string& id = ids_[static_cast<std::size_t>(number) % ids_.size()];
    const std::int64_t at = now_ns();
    const auto written =
        database_.execute("UPDATE subdivisions SET tick = :n WHERE _id = :id", {{"n", Value(number)}, {"id", id}});
    if (!written || written->mutated_ids.empty()) {
      reporter_.tell({{"event", "failed"}, {"message", written ? "the document is gone" : written.error().message}});
      return;
    }
    reporter_.tell({{"event", "written"}, {"number", Value(number)}, {"t_ns", Value(at)}});
  }

  Database& database_;
  Reporter& reporter_;
  const std::vector<std::string> ids_;
  std::int64_t number_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool writing_ = false;
  bool ended_ = false;
  std::thread thread_;
};

Result<std::unique_ptr<Peer>> open_peer(const DemoPeerOptions& options) {
  auto secret = Secret::from_file(options.secret_file);
  if (!secret) return fail(secret.error());
  return Peer::open({.directory = options.directory, .secret = *secret, .name = options.role});
}

Result<int> run_desk(const DemoPeerOptions& options, Reporter& reporter, Commands& commands) {
  auto peer = open_peer(options);
  if (!peer) return fail(peer.error());
  std::vector<std::string> ids;
  const auto import = [&](const std::string& collection, std::vector<DocumentRecord> records) -> Result<std::size_t> {
    auto batch = (*peer)->database().import_records(collection, std::move(records));
    if (!batch) return fail(batch.error());
    ids.insert(ids.end(), batch->begin(), batch->end());
    return batch->size();
  };
  const ImportRequest request{.collection = "subdivisions", .file = options.import_file, .read = {.id_field = "code"}};
  auto imported = import_file(request, [&]() -> Result<ImportBatch> { return import; },
                              {.progress = [](auto...) {}, .skipped = [](const auto&) {}});
  if (!imported) return fail(imported.error());
  if (auto started = (*peer)->start({.listen = {"127.0.0.1:0"}}); !started) return fail(started.error());
  reporter.tell({{"event", "ready"},
                 {"address", (*peer)->status().listening.at(0)},
                 {"documents", Value(static_cast<std::int64_t>(ids.size()))}});

  Writer writer((*peer)->database(), reporter, std::move(ids));
  while (const auto command = commands.next()) {
    if (*command == "write") writer.set_writing(true);
    if (*command == "rest") writer.set_writing(false);
    if (*command == "quit") break;
  }
  return 0;
}

std::int64_t count_of(Database& database) {
  const auto collections = database.collections();
  if (!collections) return 0;
  for (const auto& [name, count] : *collections) {
    if (name == "subdivisions") return static_cast<std::int64_t>(count);
  }
  return 0;
}

// Tells of each numbered change once, when the observer first sees it.
class ChangeReporter {
 public:
  explicit ChangeReporter(Reporter& reporter) : reporter_(reporter) {}
  void operator()(const QueryResult& result) {
    const std::int64_t at = now_ns();
    for (const Map& document : result.items) {
      const Value* tick = find_path(document, "tick");
      const auto* number = tick == nullptr ? nullptr : tick->if_a<std::int64_t>();
      if (number == nullptr || !seen_.insert(*number).second) continue;
      reporter_.tell({{"event", "delivered"}, {"number", Value(*number)}, {"t_ns", Value(at)}});
    }
  }

 private:
  Reporter& reporter_;
  std::set<std::int64_t> seen_;
};

void tell_status(Peer& peer, Reporter& reporter) {
  const CatchUp catch_up = peer.status().catch_up;
  const BackgroundSyncStatus background = BackgroundSync::shared().status();
  reporter.tell({{"event", "status"},
                 {"round_trips", Value(static_cast<std::int64_t>(catch_up.round_trips))},
                 {"catch_up_ms", catch_up.ms},
                 {"interruptions", Value(static_cast<std::int64_t>(background.interruptions))},
                 {"recoveries", Value(static_cast<std::int64_t>(background.recoveries))}});
}

Result<int> run_phone(const DemoPeerOptions& options, Reporter& reporter, Commands& commands) {
  auto peer = open_peer(options);
  if (!peer) return fail(peer.error());
  Database& database = (*peer)->database();
  auto wanted = (*peer)->subscribe("SELECT * FROM subdivisions");
  if (!wanted) return fail(wanted.error());
  // Fires with every change to a document, and is cheap to answer: the progress of the initial sync.
  auto progress = database.observe("SELECT * FROM subdivisions LIMIT 1", [&](const QueryResult&) {
    reporter.tell({{"event", "count"}, {"documents", Value(count_of(database))}});
  });
  if (!progress) return fail(progress.error());
  if (auto started = (*peer)->start({.connect = {options.connect}}); !started) return fail(started.error());
  std::optional<Observation> changes;
  while (const auto command = commands.next()) {
    if (*command == "watch") {
      progress = Observation();
      // The newest 400 reach back 40 s, longer than any act.
      auto observed =
          database.observe("SELECT * FROM subdivisions WHERE tick IS NOT MISSING ORDER BY tick DESC LIMIT 400",
                           ChangeReporter(reporter));
      if (!observed) return fail(observed.error());
      changes = std::move(*observed);
    }
    if (*command == "background-sync on") BackgroundSync::shared().start();
    if (*command == "background-sync off") BackgroundSync::shared().stop();
    if (*command == "status") tell_status(**peer, reporter);
    if (*command == "quit") break;
  }
  return 0;
}

}  // namespace

Result<int> run_demo_peer(const DemoPeerOptions& options) {
  const Fd reports(::open(options.reports.c_str(), O_WRONLY | O_CLOEXEC));
  if (!reports) return fail(errno_error("cannot open " + options.reports, errno));
  const Fd lines(::open(options.commands.c_str(), O_RDONLY | O_CLOEXEC));
  if (!lines) return fail(errno_error("cannot open " + options.commands, errno));
  Reporter reporter(reports.fd());
  Commands commands(lines.fd());
  return options.role == "desk" ? run_desk(options, reporter, commands) : run_phone(options, reporter, commands);
}

}  // namespace fermata::cli
