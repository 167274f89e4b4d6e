// What the two halves of Attachments share. Private to it.
#pragma once

#include "store/attachments.hpp"

namespace fermata::store {

// How many use each attachment. Outlives the store if a user does.
struct Attachments::Pins {
  std::mutex mutex;
  std::map<std::uint64_t, std::size_t> users;
};

// Within a transaction, like the next.
[[nodiscard]] Status create_attachments(Connection& connection);

// Nobody finds it from now on, and collect() goes on with it if we are interrupted.
[[nodiscard]] Status make_invisible(Connection& connection, std::uint64_t id);

}  // namespace fermata::store
