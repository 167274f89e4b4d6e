// How long SQLite's log was after the last commit, noted where a killed process leaves it: in a mapped word of the lock
// file. SQLite takes a log that was cut off, or damaged in its last commits, for one whose last commits were never
// finished; this tells them apart, at the price of one store to memory for each commit. Only in the boot that wrote it:
// a power cut takes what it likes, the note as well as the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace fermata::store {

class LogNote {
 public:
  // On the file `fd`, which must stay open.
  explicit LogNote(int fd) : fd_(fd) {}
  ~LogNote();
  LogNote(const LogNote&) = delete;

  // How many frames, from the log's beginning, hold what was committed. Nothing if that was not noted in this boot.
  [[nodiscard]] std::optional<std::uint32_t> frames(const std::string& boot_id) const;
  // From now on what is set is noted; what was noted in this boot stays. Where the disk has no room, or files cannot be
  // mapped, nothing is noted.
  void begin(const std::string& boot_id);
  // After a commit.
  void set(std::uint32_t frames);
  // Before the log is emptied, begun anew, or removed.
  void clear() { set(0); }
  // After a repair, which begins nothing: what was lost is known.
  void forget() const;

 private:
  int fd_;
  std::uint64_t* word_ = nullptr;  // mapped
};

}  // namespace fermata::store
