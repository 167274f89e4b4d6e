#include "cli/control_session.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "cli/access.hpp"
#include "cli/control_protocol.hpp"
#include "cli/control_server.hpp"
#include "cli/gap_record.hpp"
#include "cli/watcher.hpp"

namespace fermata::cli {
namespace {

const Map kNoParameters;

const Map& parameters_of(const Map& request) {
  const Map* parameters = map_of(request, "parameters");
  return parameters == nullptr ? kNoParameters : *parameters;
}

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::Malformed, std::string(what));
}

}  // namespace

void ControlSession::run() {
  Status status = socket_.write_line(hello_line());
  while (status) {
    auto line = socket_.read_line(kForever);
    if (!line) {
      status = fail(line.error());
      break;
    }
    auto request = parse_line(*line);
    status = request ? handle(*request) : Status(fail(request.error()));
  }
  // Said to a client that broke the rules; one that simply left does not hear it.
  if (!status && status.error().code != ErrorCode::Closed) status = answer(status.error());
}

Status ControlSession::handle(const Map& request) {
  const std::string* op = text_of(request, "op");
  if (op == nullptr) return malformed("a request needs an \"op\"");
  if (*op == "execute") return execute(request);
  if (*op == "import") return import(request);
  if (*op == "export") return export_after(request);
  if (*op == "collections") return collections();
  if (*op == "watch") return watch(request);
  if (*op == "status") return socket_.write_line(to_json(Map{{"ok", true}, {"status", status_()}}));
  if (*op == "gaps") return gaps();
  if (*op == "backup") return backup(request);
  if (*op == "compact") return maintain([this](const Progress& progress) { return database_.compact(progress); });
  if (*op == "put_attachment") return put_attachment(request);
  if (*op == "read_attachment") return read_attachment(request);
  return malformed("unknown op \"" + *op + "\"; is the server older than this program?");
}

Status ControlSession::execute(const Map& request) {
  const std::string* statement = text_of(request, "statement");
  if (statement == nullptr) return malformed("\"execute\" needs a \"statement\"");
  auto result = database_.execute(*statement, parameters_of(request));
  if (!result) return answer(result.error());
  for (Map& item : result->items) {
    if (auto sent = socket_.write_line(object_line("item", std::move(item))); !sent) return sent;
  }
  for (std::string& id : result->mutated_ids) {
    if (auto sent = socket_.write_line(object_line("id", std::move(id))); !sent) return sent;
  }
  for (std::string& warning : result->warnings) {
    if (auto sent = socket_.write_line(object_line("warning", std::move(warning))); !sent) return sent;
  }
  return socket_.write_line(object_line("ok", true));
}

Status ControlSession::import(const Map& request) {
  const std::string* collection = text_of(request, "collection");
  if (collection == nullptr) return malformed("\"import\" needs a \"collection\"");
  auto records = read_records();
  if (!records) return fail(records.error());
  auto ids = database_.import_records(*collection, std::move(*records));
  if (!ids) return answer(ids.error());
  return socket_.write_line(to_json(Map{{"ok", true}, {"count", static_cast<std::int64_t>(ids->size())}}));
}

Result<std::vector<DocumentRecord>> ControlSession::read_records() {
  std::vector<DocumentRecord> records;
  std::size_t bytes = 0;
  while (true) {
    auto line = socket_.read_line(kForever);
    if (!line) return fail(line.error());
    bytes += line->size();
    if (bytes > ControlServer::kMaxImportBytes) {
      return fail(ErrorCode::LimitExceeded, "one transaction through a server is limited to 1 GiB");
    }
    auto message = parse_record_line(*line);
    if (!message) return fail(message.error());
    if (const std::string* op = text_of(message->other, "op"); op != nullptr && *op == "commit") return records;
    if (!message->record) return malformed("an import takes {\"document\":{…}} and then {\"op\":\"commit\"}");
    records.push_back(std::move(*message->record));
  }
}

Status ControlSession::export_after(const Map& request) {
  const std::string* collection = text_of(request, "collection");
  const std::string* after = text_of(request, "after");
  if (collection == nullptr || after == nullptr) return malformed("\"export\" needs a \"collection\" and an \"after\"");
  auto records = database_.export_records(*collection, *after, kExportStep);
  if (!records) return answer(records.error());
  for (const DocumentRecord& record : *records) {
    if (auto sent = socket_.write_line(record_line(record)); !sent) return sent;
  }
  return socket_.write_line(object_line("ok", true));
}

Status ControlSession::collections() {
  auto list = database_.collections();
  if (!list) return answer(list.error());
  Map counts;
  for (const auto& [name, count] : *list) counts.emplace(name, static_cast<std::int64_t>(count));
  return socket_.write_line(to_json(Map{{"ok", true}, {"collections", std::move(counts)}}));
}

Status ControlSession::gaps() {
  auto ledger = gaps_of(database_);
  if (!ledger) return answer(ledger.error());
  ledger->emplace("ok", true);
  return socket_.write_line(to_json(*ledger));
}

Status ControlSession::backup(const Map& request) {
  const std::string* target = text_of(request, "target");
  if (target == nullptr) return malformed("\"backup\" needs a \"target\"");
  return maintain([&](const Progress& progress) { return database_.backup(*target, progress); });
}

// A client that leaves meanwhile does not end the work.
Status ControlSession::maintain(const std::function<Status(const Progress&)>& work) {
  const Status done = work([this](std::uint64_t bytes, std::uint64_t total) {
    const Map progress{{"done", static_cast<std::int64_t>(bytes)}, {"total", static_cast<std::int64_t>(total)}};
    static_cast<void>(socket_.write_line(object_line("progress", progress)));
  });
  return done ? socket_.write_line(object_line("ok", true)) : answer(done.error());
}

namespace {

// The pieces of a content as they come from the client, up to its "commit".
class IncomingContent {
 public:
  explicit IncomingContent(LineSocket& socket) : socket_(socket) {}

  Result<std::size_t> read(std::span<std::uint8_t> into) {
    while (used_ == piece_.size() && !ended_) {
      if (auto next = receive(); !next) return fail(next.error());
    }
    const std::size_t count = std::min(into.size(), piece_.size() - used_);
    std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(used_), count, into.begin());
    used_ += count;
    return count;
  }
  // What is still to come, which nobody needs. Error: of the socket.
  Status pass_over() {
    while (!ended_) {
      if (auto next = receive(); !next) {
        failure_ = next;
        return next;
      }
    }
    return {};
  }
  [[nodiscard]] const Status& failure() const { return failure_; }

 private:
  Status receive() {
    auto line = socket_.read_line(kForever);
    auto object = line ? parse_line(*line) : Result<Map>(fail(line.error()));
    if (!object) return failure_ = fail(object.error());
    used_ = 0;
    piece_.clear();
    if (const std::string* op = text_of(*object, "op"); op != nullptr && *op == "commit") {
      ended_ = true;
      return {};
    }
    const auto at = object->find("bytes");
    Bytes* bytes = at == object->end() ? nullptr : at->second.if_a<Bytes>();
    if (bytes == nullptr) return failure_ = malformed("a content is {\"bytes\":…} and then {\"op\":\"commit\"}");
    piece_ = std::move(*bytes);
    return {};
  }

  LineSocket& socket_;
  Bytes piece_;
  std::size_t used_ = 0;
  bool ended_ = false;
  Status failure_;
};

}  // namespace

Status ControlSession::put_attachment(const Map& request) {
  AttachmentMetadata metadata;
  if (const Map* described = map_of(request, "metadata")) {
    for (const auto& [key, value] : *described) {
      const auto* text = value.if_a<std::string>();
      if (text == nullptr) return malformed("the metadata of an attachment is text");
      metadata.emplace(key, *text);
    }
  }
  IncomingContent content(socket_);
  auto put = database_.put_attachment([&](std::span<std::uint8_t> into) { return content.read(into); }, metadata);
  if (content.failure()) static_cast<void>(content.pass_over());
  if (!content.failure()) return content.failure();
  if (!put) return answer(put.error());
  return socket_.write_line(to_json(Map{{"ok", true}, {"attachment", *put}}));
}

Status ControlSession::read_attachment(const Map& request) {
  const auto at = request.find("hash");
  const auto* bytes = at == request.end() ? nullptr : at->second.if_a<Bytes>();
  ContentHash hash{};
  if (bytes == nullptr || bytes->size() != hash.size()) return malformed("\"read_attachment\" needs a \"hash\"");
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  Status sent;
  const auto take = [&](std::span<const std::uint8_t> piece) {
    return sent = socket_.write_line(object_line("bytes", Bytes(piece.begin(), piece.end())));
  };
  const Status read = read_content(database_, hash, take);
  if (!sent) return sent;
  return read ? socket_.write_line(object_line("ok", true)) : answer(read.error());
}

// A watch has the rest of the connection: anything the client sends, its leaving above all, ends it.
Status ControlSession::watch(const Map& request) {
  const std::string* select = text_of(request, "statement");
  if (select == nullptr) return malformed("\"watch\" needs a \"statement\"");
  auto watcher = Watcher::start(database_, *select, parameters_of(request));
  if (!watcher) return answer(watcher.error());
  bool ready = false;
  while (true) {
    pollfd entries[2] = {{(*watcher)->fd(), POLLIN, 0}, {socket_.fd(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) return fail(ErrorCode::Io, "cannot wait for changes");
    if (entries[1].revents != 0) return fail(ErrorCode::Closed, "the client ended its watch");
    const auto changes = (*watcher)->take();
    if (!changes) continue;
    for (const Map& change : *changes) {
      if (auto sent = socket_.write_line(object_line("change", change)); !sent) return sent;
    }
    if (ready) continue;
    ready = true;
    if (auto sent = socket_.write_line(object_line("ready", true)); !sent) return sent;
  }
}

Status ControlSession::answer(const Error& error) {
  return socket_.write_line(error_line(error));
}

}  // namespace fermata::cli
