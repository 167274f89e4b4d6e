// Looks names up without blocking the loop.
#pragma once

#include <functional>
#include <vector>

#include "net/address.hpp"
#include "net/asio_loop.hpp"

namespace fermata::net {

// Calls back in a later turn, with NotFound if there is no answer. A call cannot be cancelled: the system's resolver
// may take its time, on a thread of its own, and whoever asked may be gone by then; `done` must allow for that.
void resolve(AsioLoop& loop, const HostPort& address, std::function<void(Result<std::vector<Endpoint>>)> done);

// How a dialer looks names up: resolve(), or a test's own answers.
using Resolver =
    std::function<void(AsioLoop&, const HostPort&, std::function<void(Result<std::vector<Endpoint>>)> done)>;

}  // namespace fermata::net
