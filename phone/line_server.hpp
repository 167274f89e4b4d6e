// The Unix socket on which the program talks to the phone: lines of UTF-8 ended by '\n', in both directions.
#pragma once

#include <cstdint>
#include <fermata/result.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "phone/loop.hpp"

namespace fermata::phone {

class LineServer {
 public:
  using ClientId = std::uint64_t;  // counts from 1
  struct Callbacks {
    std::function<void(ClientId, std::string_view line)> on_line;
    std::function<void(ClientId)> on_gone;
  };

  // Errors: Io; InvalidArgument, when the path is too long for a socket.
  [[nodiscard]] static Result<std::unique_ptr<LineServer>> listen(Loop& loop, const std::string& path,
                                                                  Callbacks callbacks);

  // Without the newline; to 0: to every client. A client that does not read is cut off when its socket is full.
  void send(ClientId client, std::string_view line);

 private:
  struct Client {
    Fd fd;
    std::string received;
    std::unique_ptr<Loop::Watch> watch;
  };

  LineServer(Loop& loop, Fd listener, Callbacks callbacks);
  void accept_one();
  void read_from(ClientId id);
  void drop(ClientId id);

  Loop& loop_;
  Fd listener_;
  Callbacks callbacks_;
  std::unique_ptr<Loop::Watch> watch_;
  std::map<ClientId, Client> clients_;
  ClientId last_id_ = 0;
};

}  // namespace fermata::phone
