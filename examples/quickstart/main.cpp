// Two programs in one: each run is a peer with a directory of its own. Start it twice, on one machine or on two:
//   quickstart alice 127.0.0.1:7411
//   quickstart bob   127.0.0.1:0    127.0.0.1:7411
// and every line that you type in one appears in the other. Ctrl-D ends it.
#include <fermata/fermata.hpp>
#include <iostream>
#include <string>

using namespace fermata;

namespace {

int complain(const Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

void show(const QueryResult& result) {
  for (const Map& note : result.items) std::cout << "  " << to_json(note) << '\n';
  std::cout << "-- " << result.items.size() << " notes" << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return complain({ErrorCode::InvalidArgument, "usage: quickstart DIRECTORY LISTEN [CONNECT]"});

  // Whoever knows the secret belongs to the group.
  auto secret = Secret::from_text("a secret of at least sixteen bytes");
  if (!secret) return complain(secret.error());
  auto peer = Peer::open({.directory = arguments[1], .secret = *secret, .name = arguments[1]});
  if (!peer) return complain(peer.error());
  Database& database = (*peer)->database();

  // What the others should send us, and what we want to be told of.
  auto wanted = (*peer)->subscribe("SELECT * FROM notes");
  if (!wanted) return complain(wanted.error());
  auto watcher = database.observe("SELECT * FROM notes ORDER BY _id", show);
  if (!watcher) return complain(watcher.error());

  NetworkOptions network{.listen = {arguments[2]}};
  if (count > 3) network.connect = {arguments[3]};
  if (auto started = (*peer)->start(network); !started) return complain(started.error());

  BackgroundSync::shared().start();  // keep syncing when the app leaves the screen

  for (std::string line; std::getline(std::cin, line);) {
    auto inserted = database.execute("INSERT INTO notes DOCUMENTS (:note)", {{"note", Map{{"text", line}}}});
    if (!inserted) return complain(inserted.error());
  }
  (*peer)->stop();
  return 0;
}
