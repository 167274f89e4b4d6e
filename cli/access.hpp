// A database as the verbs see it, whether this process opens it or another one serves it.
#pragma once

#include <fermata/database.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fermata::cli {

// Where a watch reports to. An Error from `on_change` ends the watch with it.
struct WatchEvents {
  std::function<void()> on_ready;  // the first result is complete
  std::function<Status(const Map& change)> on_change;
  int end_fd = -1;  // readable: end the watch, without error
};

using CollectionCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// One thread at a time. Errors as those of Database; through a server also Timeout and Closed.
class Access {
 public:
  virtual ~Access() = default;
  [[nodiscard]] virtual Result<QueryResult> execute(const std::string& statement, const Map& parameters) = 0;
  // One transaction. `progress` is told how many documents are handed over. Result: how many were.
  [[nodiscard]] virtual Result<std::size_t> import(const std::string& collection, std::vector<Map> documents,
                                                   const std::function<void(std::size_t)>& progress) = 0;
  [[nodiscard]] virtual Result<CollectionCounts> collections() = 0;
  // {"serving":bool,"collections":{…}}, and when serving {"peer":{…},"background_sync":{…}}.
  [[nodiscard]] virtual Result<Map> status() = 0;
  // {"gaps":[…]}, see gap_record.hpp.
  [[nodiscard]] virtual Result<Map> gaps() = 0;
  // Database::backup and compact; a server tells how far it has come, too.
  [[nodiscard]] virtual Status backup(const std::string& target, const Progress& progress) = 0;
  [[nodiscard]] virtual Status compact(const Progress& progress) = 0;
  [[nodiscard]] virtual Status watch(const std::string& select, const Map& parameters, const WatchEvents& events) = 0;
};

// Through the control socket if somebody serves the directory, else by opening it. Errors: as Database::open, and
// Timeout if the server does not answer.
[[nodiscard]] Result<std::unique_ptr<Access>> open_access(const std::string& directory);

// The {"serving":false,…} of a database that this process has open.
[[nodiscard]] Map local_status(Database& database);

// To be asked before serving: Busy if somebody answers, or could, on the directory's control socket.
[[nodiscard]] Status check_not_served(const std::string& directory);

}  // namespace fermata::cli
