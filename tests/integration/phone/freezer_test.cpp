// Each means of suspension by itself, where this machine offers it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "phone/freezer.hpp"
#include "phone/proc.hpp"

namespace fermata::phone {
namespace {

class FreezerMeans : public testing::TestWithParam<Freezer::Means> {};

TEST_P(FreezerMeans, SuspendsAProgramWithItsChildrenAndLeavesNothing) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Fd output(ends[0]);
  Fd input(ends[1]);
  // "yes" fills the pipe as long as somebody empties it: a process that is seen to run.
  auto child = Child::prepare(
      {.command = {"sh", "-c", "sleep 1000 & yes"}, .environment = environment_with({}), .output = input.value()});
  ASSERT_TRUE(child) << child.error().message;
  input.reset();
  auto freezer = Freezer::take(child->pid(), GetParam());
  if (!freezer) GTEST_SKIP() << "this machine, or this user, has no such freezer";
  ASSERT_TRUE(child->let_go());
  const auto drain = [&] {
    char buffer[65536];
    return read(output.value(), buffer, sizeof buffer);
  };
  EXPECT_GT(drain(), 0);
  while (freezer->pids().size() < 3) ASSERT_GT(drain(), 0);

  for (int round = 0; round < 20; ++round) {
    const Status frozen = freezer->freeze();
    ASSERT_TRUE(frozen) << frozen.error().message;
    fcntl(output.value(), F_SETFL, O_NONBLOCK);
    while (drain() > 0) {
    }
    EXPECT_EQ(drain(), -1) << "a frozen program wrote";
    fcntl(output.value(), F_SETFL, 0);
    freezer->thaw();
    EXPECT_GT(drain(), 0) << "a thawed program did not go on";
  }

  const auto pids = freezer->pids();
  EXPECT_EQ(pids.size(), 3U);
  ASSERT_TRUE(freezer->freeze());
  freezer.reset();
  EXPECT_TRUE(child->wait(std::chrono::seconds(5)));
  for (const pid_t pid : pids) {
    const auto state = process_state(pid);
    EXPECT_TRUE(!state || state->state == 'Z') << "process " << pid << " still runs";
  }
}

std::string name_of_means(const testing::TestParamInfo<Freezer::Means>& means) {
  switch (means.param) {
    case Freezer::Means::CgroupV2:
      return "CgroupV2";
    case Freezer::Means::CgroupV1:
      return "CgroupV1";
    case Freezer::Means::Signals:
      return "Signals";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Every, FreezerMeans,
                         testing::Values(Freezer::Means::CgroupV2, Freezer::Means::CgroupV1, Freezer::Means::Signals),
                         name_of_means);

}  // namespace
}  // namespace fermata::phone
