// Lets other processes of this user reach an open database: DIR/control.sock, see control_protocol.hpp.
#pragma once

#include <atomic>
#include <fermata/database.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "cli/line_socket.hpp"

namespace fermata::cli {

// A thread that accepts and one for each connection, at most kMaxConnections. Whatever comes over a connection ends at
// worst that connection. Must not outlive the database.
class ControlServer {
 public:
  static constexpr std::size_t kMaxConnections = 64;
  static constexpr std::size_t kMaxImportBytes = 1u << 30;

  // `status` answers the status request; called from connection threads.
  // Errors: Io, NoSpace.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> start(Database& database, std::string directory,
                                                                    std::function<Map()> status);
  // Ends every connection, waits for requests that run, removes the socket.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct Connection {
    explicit Connection(Fd fd) : socket(std::move(fd), kMaxRequest) {}
    LineSocket socket;
    std::atomic<bool> done{false};
    std::thread thread;
  };

  ControlServer(Database& database, std::string directory, std::function<Map()> status);
  void accept_loop();
  void accept_one();
  void reap();

  Database& database_;
  std::string directory_;
  std::function<Map()> status_;
  Fd listener_;
  Fd stop_;                            // an eventfd: readable once the end has come
  std::list<Connection> connections_;  // accept thread only, until it has ended
  std::thread acceptor_;
};

}  // namespace fermata::cli
