#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

#include "net_fixture.hpp"

namespace fermata::net {
namespace {

// How often this thread went to sleep, from the kernel's books.
long voluntary_switches() {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("voluntary_ctxt_switches:", 0) == 0) return std::stol(line.substr(24));
  }
  return -1;
}

TEST(AsioLoop, RunsTimersInTheirOrderAndNeverEarly) {
  const auto loop = make_asio_loop();
  const Instant start = loop->now();
  std::string order;
  const auto at = [&](int ms, char name) {
    const Instant when = start + milliseconds(ms);
    return loop->call_at(when, [&order, &loop = *loop, when, name] {
      EXPECT_GE(loop.now(), when);
      order += name;
    });
  };
  at(30, 'd'), at(10, 'a'), at(20, 'c'), at(10, 'b'), at(-1000, '-');
  const auto dropped = at(15, 'x');
  loop->cancel(dropped);
  loop->cancel(dropped);
  loop->cancel(0);
  loop->cancel(4711);
  loop->call_at(start + milliseconds(40), [&] { stop(*loop); });
  run(*loop);
  EXPECT_EQ(order, "-abcd");
}

TEST(AsioLoop, ATimerMayCancelAnotherThatIsDueWithIt) {
  const auto loop = make_asio_loop();
  const Instant when = loop->now();
  Loop::TimerId second = 0;
  loop->call_at(when, [&] { loop->cancel(second); });
  second = loop->call_at(when, [] { ADD_FAILURE() << "it was cancelled"; });
  loop->call_at(when + milliseconds(5), [&] { stop(*loop); });
  run(*loop);
}

TEST(AsioLoop, ATimerThatRenewsItselfForNowDoesNotStarveOthers) {
  const auto loop = make_asio_loop();
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds == 50) loop->post([&] { stop(*loop); });
    loop->call_at(loop->now(), again);
  };
  loop->call_at(loop->now(), again);
  run(*loop);
  EXPECT_GE(rounds, 50);
}

TEST(AsioLoop, FreezesTimeForATurn) {
  const auto loop = make_asio_loop();
  Instant in_first{};
  loop->post([&] {
    in_first = loop->now();
    while (system_clock().now() <= in_first + milliseconds(2)) {
    }
    EXPECT_EQ(loop->now(), in_first);
  });
  loop->post([&] {
    EXPECT_GT(loop->now(), in_first);
    stop(*loop);
  });
  run(*loop);
}

TEST(AsioLoop, TakesTasksFromAnyThread) {
  const auto loop = make_asio_loop();
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        loop->post([&] {
          if (++ran == 1000) stop(*loop);
        });
      }
    });
  }
  run(*loop);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, 1000);
}

TEST(AsioLoop, AStopBeforeRunEndsThatRun) {
  const auto loop = make_asio_loop();
  stop(*loop);
  run(*loop);
  bool ran = false;
  loop->post([&] {
    ran = true;
    stop(*loop);
  });
  run(*loop);
  EXPECT_TRUE(ran);
}

TEST(AsioLoop, DoesNotWakeWithNothingToDo) {
  Pair pair;  // a listener and a link that are idle count as nothing to do
  ASSERT_TRUE(pair.linked());
  pair.loop.run_for(milliseconds(50));
  const long before = voluntary_switches();
  pair.loop.run_for(milliseconds(500));
  EXPECT_LE(voluntary_switches() - before, 3);
}

TEST(AsioLoop, IsDestroyedWithTasksAndTimersLeft) {
  auto loop = make_asio_loop();
  const auto alive = std::make_shared<int>(1);
  loop->post([alive] {});
  loop->call_at(loop->now(), [alive] {});
  loop.reset();
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace fermata::net
