// The TLS transport behind its interface: who listens, who dials, which links there are. See transport.hpp for the
// meaning of each call. Loop thread only.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "net/dialer.hpp"
#include "net/link.hpp"
#include "net/listener.hpp"
#include "net/tickets.hpp"

namespace fermata::net {

class TransportCore final : public Link::Owner, public std::enable_shared_from_this<TransportCore> {
 public:
  TransportCore(AsioLoop& loop, const Identity& identity, TransportOptions options);

  void set_events(TransportEvents events);
  [[nodiscard]] Result<std::string> listen(const std::string& address);
  void keep_dialing(const std::string& address);
  void send(LinkId link, Bytes frame);
  void close(LinkId link, const Error& why);
  void stop_accepting();
  void suspend(Duration within, std::function<void()> done);
  void resume();
  [[nodiscard]] TransportStats stats() const;

  // Closes everything at once; no callback afterwards.
  void destroy();

  void link_opened(Link& link) override;
  void link_frame(Link& link, Bytes frame) override;
  void link_gone(Link& link, const Error& why, Ending ending) override;
  void link_ticket(Link& link, TicketPtr ticket) override;
  TransportStats& counters() override { return stats_; }

 private:
  struct Entry {
    std::shared_ptr<Link> link;
    std::weak_ptr<Dialer> dialer;  // empty for accepted links
  };

  void accepted(Fd socket, const Endpoint& remote);
  Link& add_link(Link::Setup setup, const std::weak_ptr<Dialer>& dialer);
  void make_room_for_handshake();
  void make_room_beside(const Link& opened);
  void link_ended(const Link& link, Dialer* dialer);
  [[nodiscard]] bool linked_to(const DeviceId& device) const;
  void suspension_over();
  void log_ending(const Link& link, const std::string& dialed_address, const Error& why, Ending ending);
  void log_once(const std::string& line);

  AsioLoop& loop_;
  Identity identity_;
  TransportOptions options_;
  std::shared_ptr<const TransportEvents> events_;  // shared, because a callback may replace it or destroy us
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<Dialer>> dialers_;
  std::map<LinkId, Entry> links_;
  std::set<LinkId> handshakes_;  // of accepted links that never opened, oldest first
  LinkId last_link_ = 0;
  TransportStats stats_;
  Tickets tickets_;
  std::set<std::string> logged_;

  bool suspended_ = false;
  std::vector<std::function<void()>> suspended_callbacks_;
  Timer suspend_deadline_;
};

}  // namespace fermata::net
