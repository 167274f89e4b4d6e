// A stranger talks to an engine on a real store, while the engine's own app writes and time passes. Whatever it says,
// it costs itself its link at most: another session stays.
#include <memory>

#include "base/hash.hpp"
#include "base/random.hpp"
#include "check.hpp"
#include "clock.hpp"
#include "steps.hpp"
#include "support/memory_vfs.hpp"
#include "sync/engine.hpp"
#include "sync/messages.hpp"

namespace fermata::sync {
namespace {

constexpr LinkId kFriend = 1;
constexpr int kInputsPerStore = 200;  // opening one takes longer than most inputs

struct Victim {
  Victim() {
    store::StoreOptions options;
    options.directory = "/victim";
    options.vfs = disk.vfs();
    options.clock = &clock;
    options.random = &random;
    options.boot_id = disk.boot_id();
    options.lock_directory = false;
    store = std::move(store::Store::open(options).value());
    store->set_commit_listener([this](store::CommitEvent&& event) { commits.push_back(std::move(event)); });
  }
  void put(std::uint8_t which) {
    auto transaction = store->begin().value();
    const std::string id(1, static_cast<char>('a' + which % 8));
    const char* collection = which < 128 ? "cars" : "cups";
    const bool alive = transaction.load(collection, id).value().alive();
    const Status done = !alive            ? transaction.insert(collection, id, {{"x", which}, {"y", Map{{"z", 1}}}})
                        : which % 32 == 0 ? transaction.remove(collection, id)
                                          : transaction.set(collection, id, {"x"}, which);
    FUZZ_EXPECT(done.has_value());
    FUZZ_EXPECT(transaction.commit().has_value());
  }
  fuzz::HandClock clock;
  SeededRandom random{1};
  support::MemoryDisk disk;
  std::unique_ptr<store::Store> store;
  std::deque<store::CommitEvent> commits;
};

class Talk {
 public:
  explicit Talk(Victim& victim) : victim_(victim), engine_(*victim.store, options()) {
    engine_.subscribe(query::Predicate::parse("SELECT * FROM cars WHERE x < 9", {}).value(), now_);
    engine_.subscribe(query::Predicate::parse("SELECT * FROM cups", {}).value(), now_);
    engine_.link_opened({kFriend, "friend", "here", false}, now_);
    engine_.frame_received(kFriend, encode(Hello{kSpoken, 0, "friends epoch", "friend", 0, {}}), now_);
    open();
  }
  void take(const fuzz::Step& step) {
    const std::uint8_t argument = step.bytes.empty() ? 0 : step.bytes.front();
    switch (step.what % 8) {
      case 5:
        victim_.put(argument);
        break;
      case 6:
        now_ += std::chrono::milliseconds(argument * 100);
        victim_.clock.wall += std::chrono::milliseconds(argument * 100);
        engine_.on_deadline(now_);
        break;
      case 7:
        engine_.link_closed(link_, now_);
        open();
        break;
      default:
        engine_.frame_received(link_, step.bytes, now_);
    }
    settle();
  }
  void end() {
    settle();
    FUZZ_EXPECT(engine_.sessions().size() <= 2);
    FUZZ_EXPECT(!engine_.sessions().empty() && engine_.sessions().front().link == kFriend);
  }

 private:
  static EngineOptions options() {
    EngineOptions options;
    options.device = "victim";
    options.name = "victim";
    options.heartbeat = options.dead_after = std::chrono::hours(1);
    options.tombstone_ttl = std::chrono::seconds(30);
    return options;
  }
  void open() {  // Somebody else each time: whoever has broken the protocol is not listened to for a while.
    ++link_;
    engine_.link_opened({link_, "stranger " + std::to_string(link_), "there", false}, now_);
  }
  void settle() {
    for (; !victim_.commits.empty(); victim_.commits.pop_front()) engine_.committed(victim_.commits.front(), now_);
    while (auto action = engine_.poll()) {
      if (const auto* frame = std::get_if<SendFrame>(&*action)) FUZZ_EXPECT(frame->frame.size() <= kMaxFrame);
      if (const auto* close = std::get_if<CloseLink>(&*action)) FUZZ_EXPECT(close->link != kFriend);
    }
  }

  Victim& victim_;
  Instant now_{};
  Engine engine_;
  LinkId link_ = kFriend;
};

}  // namespace
}  // namespace fermata::sync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fermata;
  static std::unique_ptr<sync::Victim> victim;
  static int inputs = 0;
  if (inputs++ % sync::kInputsPerStore == 0) victim = std::make_unique<sync::Victim>();
  fuzz::Steps steps({data, size});
  sync::Talk talk(*victim);
  while (const auto step = steps.next()) talk.take(*step);
  talk.end();
  return 0;
}
