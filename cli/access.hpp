// A database as the verbs see it, whether this process opens it or another one serves it.
#pragma once

#include <fermata/database.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fermata::cli {

// Where a watch reports to. An Error from `on_change` ends the watch with it.
struct WatchEvents {
  std::function<void()> on_ready;  // the first result is complete
  std::function<Status(const Map& change)> on_change;
  int end_fd = -1;  // readable: end the watch, without error
};

// Of one answer to an export, at most.
inline constexpr std::size_t kExportStep = 1000;

using ContentSink = std::function<Status(std::span<const std::uint8_t>)>;
using CollectionCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// One thread at a time. Errors as those of Database; through a server also Timeout and Closed.
class Access {
 public:
  virtual ~Access() = default;
  [[nodiscard]] virtual Result<QueryResult> execute(const std::string& statement, const Map& parameters) = 0;
  // One transaction. Result: how many documents.
  [[nodiscard]] virtual Result<std::size_t> import(const std::string& collection,
                                                   std::vector<DocumentRecord> records) = 0;
  // The next documents behind an id; none at the end. See Database::export_records.
  [[nodiscard]] virtual Result<std::vector<DocumentRecord>> export_after(const std::string& collection,
                                                                         const std::string& after_id) = 0;
  [[nodiscard]] virtual Result<CollectionCounts> collections() = 0;
  // {"serving":bool,"collections":{…}}, and when serving {"peer":{…},"background_sync":{…}}.
  [[nodiscard]] virtual Result<Map> status() = 0;
  // {"gaps":[…]}, see gap_record.hpp.
  [[nodiscard]] virtual Result<Map> gaps() = 0;
  // Database::backup and compact; a server tells how far it has come, too.
  [[nodiscard]] virtual Status backup(const std::string& target, const Progress& progress) = 0;
  [[nodiscard]] virtual Status compact(const Progress& progress) = 0;
  [[nodiscard]] virtual Result<Attachment> put_attachment(const Database::AttachmentSource& source,
                                                          const AttachmentMetadata& metadata) = 0;
  // Hands the content over from front to end. An Error from `take` ends it.
  [[nodiscard]] virtual Status read_attachment(const ContentHash& hash, const ContentSink& take) = 0;
  [[nodiscard]] virtual Status watch(const std::string& select, const Map& parameters, const WatchEvents& events) = 0;
};

// Through the control socket if somebody serves the directory, else by opening it. Errors: as Database::open, and
// Timeout if the server does not answer.
[[nodiscard]] Result<std::unique_ptr<Access>> open_access(const std::string& directory);

// Hands the content of an attachment over in pieces. Errors: those of Database::open_attachment, of its reader, of
// `take`.
[[nodiscard]] Status read_content(Database& database, const ContentHash& hash, const ContentSink& take);

// The {"serving":false,…} of a database that this process has open.
[[nodiscard]] Map local_status(Database& database);

// To be asked before serving: Busy if somebody answers, or could, on the directory's control socket.
[[nodiscard]] Status check_not_served(const std::string& directory);

}  // namespace fermata::cli
