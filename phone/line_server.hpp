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

  static constexpr std::size_t kMostClients = 64;  // at once; one more is closed without a word

  // Errors: Io; InvalidArgument, when the path is too long for a socket.
  [[nodiscard]] static Result<std::unique_ptr<LineServer>> listen(Loop& loop, const std::string& path,
                                                                  Callbacks callbacks);

  // Without the newline; to 0: to every client. A client that does not read is cut off when its socket is full.
  // One that has hung up is gone once everything it said has been heard.
  void send(ClientId client, std::string_view line);
  // Lines that begin with "state " are numbered for each client, from 1. Does somebody who has read `count` of them
  // know the one that every client was told last (or, connected later, any)?
  [[nodiscard]] bool knows_state(ClientId client, std::uint64_t count) const;
  // On every client, also on those still waiting to be let in, without a word.
  void hang_up();

 private:
  struct Client {
    Fd fd;
    std::string received;
    std::unique_ptr<Loop::Watch> watch;
    std::uint64_t states = 0;          // sent so far
    std::uint64_t earliest_valid = 1;  // the number of the one that every client was told last
  };

  LineServer(Loop& loop, Fd listener, Callbacks callbacks);
  void admit_clients();
  void accept_one();
  void read_from(ClientId id);
  void drop(ClientId id);

  Loop& loop_;
  Fd listener_;
  Callbacks callbacks_;
  std::unique_ptr<Loop::Watch> watch_;
  std::unique_ptr<Loop::Timer> retry_;  // while there is no descriptor left for a client that waits
  std::map<ClientId, Client> clients_;
  ClientId last_id_ = 0;
};

}  // namespace fermata::phone
