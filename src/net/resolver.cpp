#include "net/resolver.hpp"

#include <system_error>
#include <thread>

namespace fermata::net {

void resolve(AsioLoop& loop, const HostPort& address, std::function<void(Result<std::vector<Endpoint>>)> done) {
  if (auto numeric = lookup(address, Names::NumericOnly)) {
    return loop.post([done = std::move(done), numeric = std::move(numeric)] { done(numeric); });
  }
  try {
    // Detached: nobody who stops a peer wants to wait for a name server that does not answer.
    std::thread([mailbox = loop.mailbox(), address, done] {
      mailbox->post([done, endpoints = lookup(address, Names::AskTheSystem)] { done(endpoints); });
    }).detach();
  } catch (const std::system_error&) {
    loop.post([done] { done(fail(ErrorCode::NotFound, "cannot look up names: the system starts no more threads")); });
  }
}

}  // namespace fermata::net
