// What the layers above need of a Database beyond its public face.
#pragma once

#include <fermata/database.hpp>

#include "store/store.hpp"

namespace fermata {

// Opens over a store that the caller configured (clock, random, VFS): the peer, the simulator, tests.
[[nodiscard]] Result<std::unique_ptr<Database>> open_database(store::StoreOptions options, Executor executor);
[[nodiscard]] store::Store& store_of(Database& database);
// One more listener of commits, beside live queries. Same rule as Store::set_commit_listener. Set once, before use;
// empty clears.
void set_commit_hook(Database& database, std::function<void(const store::SharedCommit&)> hook);

// Whether a document may be evicted; an Error says why not. Called inside transactions: must be quick and call nothing
// of the database. Empty permits everything.
using EvictionRule = std::function<Status(std::string_view collection, std::string_view id, const Map& fields)>;
void set_eviction_rule(Database& database, EvictionRule rule);

// Live queries stand still after a quiesce() until the database is used; this is such a use, without opening a file.
void resume_observers(Database& database);

}  // namespace fermata
