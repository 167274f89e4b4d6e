// One connection of the control socket, seen from the server.
#pragma once

#include <fermata/database.hpp>
#include <functional>

#include "cli/line_socket.hpp"

namespace fermata::cli {

// Answers requests until the client leaves, breaks the rules, or the socket is shut down. Runs on one thread.
class ControlSession {
 public:
  ControlSession(Database& database, const std::function<Map()>& status, LineSocket& socket)
      : database_(database), status_(status), socket_(socket) {}

  void run();

 private:
  // An Error here ends the connection; the failure of a request is an answer like any other.
  [[nodiscard]] Status handle(const Map& request);
  [[nodiscard]] Status execute(const Map& request);
  [[nodiscard]] Status import(const Map& request);
  [[nodiscard]] Status collections();
  [[nodiscard]] Status gaps();
  [[nodiscard]] Status backup(const Map& request);
  [[nodiscard]] Status maintain(const std::function<Status(const Progress&)>& work);
  [[nodiscard]] Status put_attachment(const Map& request);
  [[nodiscard]] Status read_attachment(const Map& request);
  [[nodiscard]] Status watch(const Map& request);
  [[nodiscard]] Status export_after(const Map& request);
  [[nodiscard]] Result<std::vector<DocumentRecord>> read_records();
  [[nodiscard]] Status answer(const Error& error);

  Database& database_;
  const std::function<Map()>& status_;
  LineSocket& socket_;
};

}  // namespace fermata::cli
