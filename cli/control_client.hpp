// A database that another process serves.
#pragma once

#include "cli/access.hpp"
#include "cli/line_socket.hpp"

namespace fermata::cli {

// How long a server may stay silent. A long request is no silence: the client then asks, on a second connection,
// whether the server is alive at all.
inline constexpr std::chrono::seconds kServerTimeout{5};

class ControlClient final : public Access {
 public:
  // Errors: NotFound or Closed (nobody serves: open the database), Timeout (suspended), VersionMismatch.
  [[nodiscard]] static Result<std::unique_ptr<ControlClient>> connect(const std::string& directory);

  [[nodiscard]] Result<QueryResult> execute(const std::string& statement, const Map& parameters) override;
  [[nodiscard]] Result<std::size_t> import(const std::string& collection, std::vector<DocumentRecord> records) override;
  [[nodiscard]] Result<std::vector<DocumentRecord>> export_after(const std::string& collection,
                                                                 const std::string& after_id) override;
  [[nodiscard]] Result<CollectionCounts> collections() override;
  [[nodiscard]] Result<Map> status() override;
  [[nodiscard]] Result<Map> gaps() override;
  [[nodiscard]] Status backup(const std::string& target, const Progress& progress) override;
  [[nodiscard]] Status compact(const Progress& progress) override;
  [[nodiscard]] Result<Attachment> put_attachment(const Database::AttachmentSource& source,
                                                  const AttachmentMetadata& metadata) override;
  [[nodiscard]] Status read_attachment(const ContentHash& hash, const ContentSink& take) override;
  [[nodiscard]] Status watch(const std::string& select, const Map& parameters, const WatchEvents& events) override;

 private:
  ControlClient(std::string directory, LineSocket socket)
      : directory_(std::move(directory)), socket_(std::move(socket)) {}
  [[nodiscard]] Result<std::string> receive_line();
  [[nodiscard]] Result<Map> receive();
  [[nodiscard]] Result<Map> ask(const Map& request);  // one request, one answer
  [[nodiscard]] Status follow(const Map& request, const Progress& progress);

  std::string directory_;
  LineSocket socket_;
};

}  // namespace fermata::cli
