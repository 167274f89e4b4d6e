// Writes the inputs that the fuzzers start from: what two honest engines say to each other.
// Usage: fuzz_seeds DIRECTORY
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/random.hpp"
#include "base/uuid.hpp"
#include "clock.hpp"
#include "crdt/delta_codec.hpp"
#include "steps.hpp"
#include "support/memory_vfs.hpp"
#include "sync/engine.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {
namespace {

struct Peer {
  explicit Peer(std::string device) : random(device.size()) {
    store::StoreOptions store_options;
    store_options.directory = "/" + device;
    store_options.vfs = disk.vfs();
    store_options.clock = &clock;
    store_options.random = &random;
    store_options.boot_id = disk.boot_id();
    store_options.lock_directory = false;
    store = std::move(store::Store::open(store_options).value());
    store->set_commit_listener([this](store::CommitEvent&& event) { commits.push_back(std::move(event)); });
    options.device = options.name = std::move(device);
    options.tombstone_ttl = std::chrono::seconds(5);
    engine = std::make_unique<Engine>(*store, options);
  }
  void subscribe(const char* select) { engine->subscribe(query::Predicate::parse(select, {}).value(), {}); }
  template <class Change>
  void write(Change change) {
    auto transaction = store->begin().value();
    (void)change(transaction);
    (void)transaction.commit();
  }
  std::vector<Bytes> frames() {
    for (; !commits.empty(); commits.pop_front()) engine->committed(commits.front(), {});
    std::vector<Bytes> all;
    while (auto action = engine->poll()) {
      if (auto* frame = std::get_if<SendFrame>(&*action)) all.push_back(std::move(frame->frame));
    }
    return all;
  }
  fuzz::HandClock clock;
  SeededRandom random;
  support::MemoryDisk disk;
  EngineOptions options;
  std::unique_ptr<store::Store> store;
  std::deque<store::CommitEvent> commits;
  std::unique_ptr<Engine> engine;
};

class Seeds {
 public:
  explicit Seeds(std::filesystem::path to) : to_(std::move(to)) {}
  void write(const char* target, const Bytes& input) {
    std::filesystem::create_directories(to_ / target);
    std::ofstream out(to_ / target / ("seed" + std::to_string(++count_)), std::ios::binary);
    out.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  }

 private:
  std::filesystem::path to_;
  int count_ = 0;
};

// Moves frames until nobody says anything; what each says becomes part of an input that another engine will hear.
struct Conversation {
  Bytes said[2];
  void begin(Peer& a, Peer& b, LinkId link) {
    a.engine->link_opened({link, "bb", "b", true}, {});
    b.engine->link_opened({link, "a", "a", false}, {});
    settle(a, b, link);
  }
  static void end(Peer& a, Peer& b, LinkId link) {
    a.engine->link_closed(link, {});
    b.engine->link_closed(link, {});
  }
  void settle(Peer& a, Peer& b, LinkId link) {
    talk(a, b, link);
    // Quiet long enough for digests to be compared.
    const Instant later = Instant() + std::chrono::seconds(2 * link);
    a.engine->on_deadline(later);
    b.engine->on_deadline(later);
    talk(a, b, link);
  }
  void talk(Peer& a, Peer& b, LinkId link) {
    for (bool more = true; more;) {
      more = false;
      for (int side = 0; side < 2; ++side) {
        Peer& to = side == 0 ? b : a;
        for (const Bytes& frame : (side == 0 ? a : b).frames()) {
          more = true;
          fuzz::append_step(said[side], 0, frame);
          to.engine->frame_received(link, frame, {});
        }
      }
    }
  }
};

void changes(Peer& peer, const std::string& prefix) {
  peer.write([&](store::Transaction& t) { return t.insert("cars", prefix + "1", {{"x", 1}, {"y", Map{{"z", "t"}}}}); });
  peer.write([&](store::Transaction& t) { return t.insert("cars", prefix + "2", {{"x", 20}, {"l", Array{1, 2.5}}}); });
  peer.write([&](store::Transaction& t) { return t.set("cars", prefix + "1", {"y", "z"}, true); });
  peer.write(
      [&](store::Transaction& t) { return t.insert("cups", make_uuid7(peer.clock.wall_now(), peer.random), {}); });
  peer.write([&](store::Transaction& t) { return t.remove("cars", prefix + "2"); });
}

void conversations(Seeds& seeds) {
  for (const char* query : {"SELECT * FROM cars", "SELECT * FROM cars WHERE x < 9", "SELECT * FROM cups"}) {
    Peer a("a"), b("bb");
    a.subscribe("SELECT * FROM cars WHERE x > 5");
    b.subscribe(query);
    // Two that have never met, and have something to reconcile.
    changes(a, "p");
    changes(b, "q");
    b.write([&](store::Transaction& t) { return t.insert("cars", "p1", {{"x", 1}}); });
    (void)a.frames();
    (void)b.frames();
    for (LinkId link = 1; link < 4; ++link) {
      Conversation talk;
      talk.begin(a, b, link);
      changes(a, "a" + std::to_string(link));
      changes(b, "b" + std::to_string(link));
      talk.settle(a, b, link);
      a.write([&](store::Transaction& t) { return t.set("cars", "a11", {"x"}, static_cast<std::int64_t>(7 * link)); });
      talk.settle(a, b, link);
      Conversation::end(a, b, link);
      a.write([&](store::Transaction& t) { return t.set("cars", "a11", {"x"}, static_cast<std::int64_t>(5 * link)); });
      (void)a.frames();
      (void)b.frames();
      for (const Bytes& said : talk.said) {
        seeds.write("frames", said);
        Bytes input = said;
        fuzz::append_step(input, 5, Bytes{3});
        fuzz::append_step(input, 6, Bytes{9});
        seeds.write("engine", input);
      }
    }
  }
}

// Two that hold everything, of which one is away for longer than deletions are remembered.
void forgetting(Seeds& seeds) {
  Peer a("a"), b("bb");
  for (Peer* each : {&a, &b}) {
    each->subscribe("SELECT * FROM cars");
    changes(*each, each->options.device);
  }
  for (LinkId link = 1; link < 4; ++link) {
    Conversation talk;
    talk.begin(a, b, link);
    changes(b, "b" + std::to_string(link));
    talk.settle(a, b, link);
    Conversation::end(a, b, link);
    b.write([&](store::Transaction& t) { return t.remove("cars", "a1"); });
    a.write([&](store::Transaction& t) { return t.set("cars", "a1", {"x"}, static_cast<std::int64_t>(link)); });
    b.clock.wall += std::chrono::seconds(20);
    static_cast<void>(b.frames());
    static_cast<void>(a.frames());
    b.engine->on_deadline(Instant() + std::chrono::seconds(100 * link));
    for (const Bytes& said : talk.said) {
      seeds.write("frames", said);
      seeds.write("engine", said);
    }
  }
  if (b.store->purged() == 0) std::fprintf(stderr, "nothing was forgotten\n");
}

void documents(Seeds& seeds) {
  Peer a("a");
  changes(a, "d");
  for (const char* id : {"d1", "d2"}) {
    const crdt::Document document = a.store->load("cars", id).value();
    Bytes input;
    fuzz::append_step(input, 0, document.encode_body());
    fuzz::append_step(input, 0, document.encode_metadata());
    crdt::DeltaWriter writer;
    for (const std::uint64_t since : {0u, 1u, 2u}) {
      auto delta = document.delta_since(since, 0);
      if (!delta) continue;
      delta->collection = "cars";
      delta->id = id;
      writer.add(*delta);
      CborWriter out;
      writer.take(out);
      fuzz::append_step(input, 0, out.view());
    }
    seeds.write("document", input);
  }
}

void reconciliations(Seeds& seeds) {
  std::vector<std::uint64_t> items;
  for (std::uint64_t n = 1; n < 40; ++n) items.push_back(n * 0x9e3779b97f4a7c15u);
  std::sort(items.begin(), items.end());
  Bytes input;
  fuzz::append_step(input, 0, Bytes{1, 2, 3});
  fuzz::append_step(input, 0, pack_items(items, 0));
  SymbolEncoder encoder(items, 7);
  fuzz::append_step(input, 1, pack_symbols(encoder.next(60), 0, items.size()));
  seeds.write("reconcile", input);
}

}  // namespace
}  // namespace fermata::sync

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  fermata::sync::Seeds seeds(argv[1]);
  fermata::sync::conversations(seeds);
  fermata::sync::forgetting(seeds);
  fermata::sync::documents(seeds);
  fermata::sync::reconciliations(seeds);
  return 0;
}
