// The note of the log's length, between one life of a database and the next.
#include "store/log_note.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "support/temp_dir.hpp"

namespace fermata::store {
namespace {

class Noting : public ::testing::Test {
 protected:
  ~Noting() override { ::close(fd_); }

  std::optional<std::uint32_t> noted(const std::string& boot = "boot-1") const { return LogNote(fd_).frames(boot); }

  support::TempDir dir_;
  const int fd_ = ::open(dir_.file("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
};

TEST_F(Noting, NothingIsNotedInAnEmptyFile) {
  EXPECT_EQ(noted(), std::nullopt);
}

TEST_F(Noting, WhatWasSetLastIsNotedWithoutAnybodySavingIt) {
  LogNote note(fd_);
  note.begin("boot-1");
  EXPECT_EQ(noted(), 0u);
  for (const std::uint32_t frames : {1u, 2000u, 4'294'967'295u, 7u}) {
    note.set(frames);
    EXPECT_EQ(noted(), frames);
  }
  note.clear();
  EXPECT_EQ(noted(), 0u);
}

TEST_F(Noting, TheNextInThatBootGoesOnAndAnotherBootBeginsAnew) {
  {
    LogNote note(fd_);
    note.begin("boot-1");
    note.set(12);
  }
  LogNote next(fd_);
  next.begin("boot-1");
  EXPECT_EQ(next.frames("boot-1"), 12u);
  EXPECT_EQ(noted("boot-2"), std::nullopt);
  LogNote after(fd_);
  after.begin("boot-2");
  EXPECT_EQ(noted("boot-2"), 0u);
  EXPECT_EQ(noted("boot-1"), std::nullopt);
}

TEST_F(Noting, WhoKnowsNoBootNotesNothingAndLeavesNothing) {
  {
    LogNote note(fd_);
    note.begin("boot-1");
    note.set(12);
  }
  LogNote unknown(fd_);
  unknown.begin("");
  unknown.set(13);
  EXPECT_EQ(unknown.frames(""), std::nullopt);
  EXPECT_EQ(noted(), std::nullopt);
}

TEST_F(Noting, WhereNothingCanBeWrittenTheNoteIsReadAndNotChanged) {
  {
    LogNote note(fd_);
    note.begin("boot-1");
    note.set(12);
  }
  const int reading = ::open(dir_.file("lock").c_str(), O_RDONLY | O_CLOEXEC);
  LogNote note(reading);
  EXPECT_EQ(note.frames("boot-1"), 12u);
  note.begin("boot-1");
  note.set(13);
  EXPECT_EQ(noted(), 12u);
  ::close(reading);
}

}  // namespace
}  // namespace fermata::store
