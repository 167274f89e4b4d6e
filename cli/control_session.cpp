#include "cli/control_session.hpp"

#include <poll.h>

#include <cerrno>

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
  if (*op == "collections") return collections();
  if (*op == "watch") return watch(request);
  if (*op == "status") return socket_.write_line(to_json(Map{{"ok", true}, {"status", status_()}}));
  if (*op == "gaps") return gaps();
  if (*op == "backup") return backup(request);
  if (*op == "compact") return maintain([this](const Progress& progress) { return database_.compact(progress); });
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
  return socket_.write_line(object_line("ok", true));
}

Status ControlSession::import(const Map& request) {
  const std::string* collection = text_of(request, "collection");
  if (collection == nullptr) return malformed("\"import\" needs a \"collection\"");
  auto documents = read_documents();
  if (!documents) return fail(documents.error());
  auto ids = database_.import(*collection, std::move(*documents));
  if (!ids) return answer(ids.error());
  return socket_.write_line(to_json(Map{{"ok", true}, {"count", static_cast<std::int64_t>(ids->size())}}));
}

Result<std::vector<Map>> ControlSession::read_documents() {
  std::vector<Map> documents;
  std::size_t bytes = 0;
  while (true) {
    auto line = socket_.read_line(kForever);
    if (!line) return fail(line.error());
    bytes += line->size();
    if (bytes > ControlServer::kMaxImportBytes) {
      return fail(ErrorCode::LimitExceeded, "an import through a server is limited to 1 GiB; split the file");
    }
    auto object = parse_line(*line);
    if (!object) return fail(object.error());
    if (const std::string* op = text_of(*object, "op"); op != nullptr && *op == "commit") return documents;
    const auto document = object->find("document");
    Map* fields = document == object->end() ? nullptr : document->second.if_a<Map>();
    if (fields == nullptr) return malformed("an import takes {\"document\":{…}} and then {\"op\":\"commit\"}");
    documents.push_back(std::move(*fields));
  }
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
