#include "cli/control_client.hpp"

#include <fmt/core.h>

#include "cli/control_protocol.hpp"

namespace fermata::cli {
namespace {

Error silent(const std::string& directory) {
  return {ErrorCode::Timeout, fmt::format("the server of {} does not answer within {} s; it seems to be suspended",
                                          directory, kServerTimeout.count())};
}

Error gone(const std::string& directory) {
  return {ErrorCode::Closed, fmt::format("the server of {} ended", directory)};
}

// Connected and greeted. A suspended process still accepts, by its kernel; only the greeting proves that it runs.
Result<LineSocket> connect_and_greet(const std::string& directory) {
  auto socket = connect_control(directory);
  if (!socket) return socket;
  auto line = socket->read_line(kServerTimeout);
  if (!line && line.error().code == ErrorCode::Timeout) return fail(silent(directory));
  // It ended between accepting and greeting: the same as nobody listening.
  if (!line) return fail(line.error());
  auto hello = parse_line(*line);
  if (!hello) return fail(hello.error());
  const auto version = hello->find("version");
  if (version == hello->end() || version->second != Value(kControlVersion)) {
    return fail(ErrorCode::VersionMismatch,
                fmt::format("the server of {} speaks another version of the control protocol; restart it", directory));
  }
  return socket;
}

Map statement_request(std::string_view op, const std::string& statement, const Map& parameters) {
  return Map{{"op", op}, {"statement", statement}, {"parameters", parameters}};
}

std::uint64_t count_of(const Value& value) {
  const auto* count = value.if_a<std::int64_t>();
  return count == nullptr || *count < 0 ? 0 : static_cast<std::uint64_t>(*count);
}

}  // namespace

Result<std::unique_ptr<ControlClient>> ControlClient::connect(const std::string& directory) {
  auto socket = connect_and_greet(directory);
  if (!socket) return fail(socket.error());
  return std::unique_ptr<ControlClient>(new ControlClient(directory, std::move(*socket)));
}

Result<std::string> ControlClient::receive_line() {
  while (true) {
    auto line = socket_.read_line(kServerTimeout);
    if (line) return line;
    if (line.error().code == ErrorCode::Closed) return fail(gone(directory_));
    if (line.error().code != ErrorCode::Timeout) return fail(line.error());
    if (auto alive = connect_and_greet(directory_); !alive) return fail(alive.error());
  }
}

Result<Map> ControlClient::receive() {
  const auto line = receive_line();
  if (!line) return fail(line.error());
  return parse_line(*line);
}

Result<Map> ControlClient::ask(const Map& request) {
  if (!socket_.write_line(to_json(request))) return fail(gone(directory_));
  return receive();
}

Result<QueryResult> ControlClient::execute(const std::string& statement, const Map& parameters) {
  auto answer = ask(statement_request("execute", statement, parameters));
  QueryResult result;
  while (answer && !answer->contains("ok")) {
    const auto item = answer->find("item");
    if (Map* document = item == answer->end() ? nullptr : item->second.if_a<Map>()) {
      result.items.push_back(std::move(*document));
    } else if (const std::string* id = text_of(*answer, "id")) {
      result.mutated_ids.push_back(*id);
    } else if (const std::string* warning = text_of(*answer, "warning")) {
      result.warnings.push_back(*warning);
    }
    answer = receive();
  }
  if (!answer) return fail(answer.error());
  return result;
}

Result<std::size_t> ControlClient::import(const std::string& collection, std::vector<DocumentRecord> records) {
  Status sent = socket_.write_line(to_json(Map{{"op", "import"}, {"collection", collection}}));
  for (std::size_t i = 0; sent && i < records.size(); ++i) sent = socket_.write_line(record_line(records[i]));
  if (sent) sent = socket_.write_line(object_line("op", "commit"));
  if (!sent && sent.error().code == ErrorCode::Timeout) return fail(silent(directory_));
  // Even after a failed write: the server may have said why before it closed.
  auto answer = receive();
  if (!answer) return fail(answer.error());
  const auto count = answer->find("count");
  return count == answer->end() ? 0 : count_of(count->second);
}

Result<std::vector<DocumentRecord>> ControlClient::export_after(const std::string& collection,
                                                                const std::string& after_id) {
  const Map request{{"op", "export"}, {"collection", collection}, {"after", after_id}};
  if (!socket_.write_line(to_json(request))) return fail(gone(directory_));
  std::vector<DocumentRecord> records;
  while (true) {
    const auto line = receive_line();
    if (!line) return fail(line.error());
    auto message = parse_record_line(*line);
    if (!message) return fail(message.error());
    if (!message->record) return records;
    records.push_back(std::move(*message->record));
  }
}

Result<CollectionCounts> ControlClient::collections() {
  auto answer = ask(Map{{"op", "collections"}});
  if (!answer) return fail(answer.error());
  CollectionCounts counts;
  if (const Map* collections = map_of(*answer, "collections")) {
    for (const auto& [name, count] : *collections) counts.emplace_back(name, count_of(count));
  }
  return counts;
}

Result<Map> ControlClient::status() {
  auto answer = ask(Map{{"op", "status"}});
  if (!answer) return fail(answer.error());
  const Map* status = map_of(*answer, "status");
  return status == nullptr ? Map{} : *status;
}

Result<Map> ControlClient::gaps() {
  return ask(Map{{"op", "gaps"}});
}

Status ControlClient::backup(const std::string& target, const Progress& progress) {
  return follow(Map{{"op", "backup"}, {"target", target}}, progress);
}

Status ControlClient::compact(const Progress& progress) {
  return follow(Map{{"op", "compact"}}, progress);
}

Status ControlClient::follow(const Map& request, const Progress& progress) {
  auto answer = ask(request);
  while (answer && !answer->contains("ok")) {
    const Map* state = map_of(*answer, "progress");
    if (state != nullptr && state->contains("done") && state->contains("total")) {
      progress(count_of(state->at("done")), count_of(state->at("total")));
    }
    answer = receive();
  }
  return answer ? Status() : fail(answer.error());
}

Result<Attachment> ControlClient::put_attachment(const Database::AttachmentSource& source,
                                                 const AttachmentMetadata& metadata) {
  constexpr std::size_t kPiece = 64u << 10;
  const Map described(metadata.begin(), metadata.end());
  Status sent = socket_.write_line(to_json(Map{{"op", "put_attachment"}, {"metadata", described}}));
  while (sent) {
    Bytes piece(kPiece);
    const auto count = source(piece);
    if (!count) return fail(count.error());
    if (*count == 0) break;
    piece.resize(*count);
    sent = socket_.write_line(object_line("bytes", std::move(piece)));
  }
  if (sent) sent = socket_.write_line(object_line("op", "commit"));
  if (!sent && sent.error().code == ErrorCode::Timeout) return fail(silent(directory_));
  // Even after a failed write: the server may have said why before it closed.
  auto answer = receive();
  if (!answer) return fail(answer.error());
  const auto made = answer->find("attachment");
  const auto* attachment = made == answer->end() ? nullptr : made->second.if_a<Attachment>();
  if (attachment == nullptr) return fail(ErrorCode::Malformed, "the server did not say what it has put");
  return *attachment;
}

Status ControlClient::read_attachment(const ContentHash& hash, const ContentSink& take) {
  auto answer = ask(Map{{"op", "read_attachment"}, {"hash", Bytes(hash.begin(), hash.end())}});
  for (; answer && !answer->contains("ok"); answer = receive()) {
    const auto piece = answer->find("bytes");
    const auto* bytes = piece == answer->end() ? nullptr : piece->second.if_a<Bytes>();
    if (bytes == nullptr) return fail(ErrorCode::Malformed, "the server sent something else than content");
    if (auto taken = take(*bytes); !taken) return taken;
  }
  return answer ? Status() : fail(answer.error());
}

Status ControlClient::watch(const std::string& select, const Map& parameters, const WatchEvents& events) {
  if (!socket_.write_line(to_json(statement_request("watch", select, parameters)))) return fail(gone(directory_));
  while (true) {
    auto line = socket_.read_line(kForever, events.end_fd);
    if (!line) {
      if (is_readable(events.end_fd)) return {};
      return fail(line.error().code == ErrorCode::Closed ? gone(directory_) : line.error());
    }
    auto message = parse_line(*line);
    if (!message) return fail(message.error());
    if (message->contains("ready")) events.on_ready();
    if (const Map* change = map_of(*message, "change")) {
      if (auto status = events.on_change(*change); !status) return status;
    }
  }
}

}  // namespace fermata::cli
