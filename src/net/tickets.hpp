// What lets a returning dialer skip most of the handshake: at most one ticket per device, for one use each, so that
// nobody who watches the network can tell two connections of ours by it. In memory only. Loop thread only.
#pragma once

#include <deque>
#include <utility>

#include "base/transport.hpp"
#include "net/openssl.hpp"

namespace fermata::net {

class Tickets {
 public:
  // Replaces the device's older one. Beyond kMax the one kept longest goes.
  void keep(const DeviceId& device, TicketPtr ticket) {
    static_cast<void>(take(device));
    kept_.emplace_back(device, std::move(ticket));
    if (kept_.size() > kMax) kept_.pop_front();
  }
  // None is none.
  [[nodiscard]] TicketPtr take(const DeviceId& device) {
    for (auto each = kept_.begin(); each != kept_.end(); ++each) {
      if (each->first != device) continue;
      TicketPtr ticket = std::move(each->second);
      kept_.erase(each);
      return ticket;
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

  static constexpr std::size_t kMax = 256;

 private:
  std::deque<std::pair<DeviceId, TicketPtr>> kept_;
};

}  // namespace fermata::net
