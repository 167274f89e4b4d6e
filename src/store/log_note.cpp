#include "store/log_note.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "base/hash.hpp"

namespace fermata::store {
namespace {

// Behind what else the file says. The upper half names the boot, the lower counts frames: a log has at most 2^32.
constexpr off_t kWordAt = 64;
constexpr std::size_t kMapped = kWordAt + sizeof(std::uint64_t);
constexpr int kBootShift = 32;

std::uint64_t name_of(const std::string& boot_id) {
  return fast_hash64({reinterpret_cast<const std::uint8_t*>(boot_id.data()), boot_id.size()}) >> kBootShift;
}

std::uint64_t read_word(int fd) {
  std::uint64_t word = 0;
  return ::pread(fd, &word, sizeof word, kWordAt) == sizeof word ? word : 0;
}

}  // namespace

LogNote::~LogNote() {
  if (word_ != nullptr) ::munmap(reinterpret_cast<std::uint8_t*>(word_) - kWordAt, kMapped);
}

std::optional<std::uint32_t> LogNote::frames(const std::string& boot_id) const {
  const std::uint64_t word = word_ != nullptr ? std::atomic_ref(*word_).load() : read_word(fd_);
  if (boot_id.empty() || word >> kBootShift != name_of(boot_id)) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(word);
}

void LogNote::begin(const std::string& boot_id) {
  const std::uint64_t word = name_of(boot_id) << kBootShift | frames(boot_id).value_or(0);
  // Written before it is mapped, so that the disk has room for it: there is no other way to hear that it has not.
  const bool is_there = !boot_id.empty() && ::pwrite(fd_, &word, sizeof word, kWordAt) == sizeof word;
  void* const mapped = is_there ? ::mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0) : MAP_FAILED;
  if (mapped == MAP_FAILED) {
    forget();  // what nobody keeps up would be wrong soon
    return;
  }
  word_ = reinterpret_cast<std::uint64_t*>(static_cast<std::uint8_t*>(mapped) + kWordAt);
}

void LogNote::set(std::uint32_t frames) {
  if (word_ == nullptr) {
    return;
  }
  const std::atomic_ref word(*word_);
  word.store(word.load() >> kBootShift << kBootShift | frames);
}

void LogNote::forget() const {
  constexpr std::uint64_t kNothing = 0;
  if (read_word(fd_) == kNothing) {
    return;
  }
  if (::pwrite(fd_, &kNothing, sizeof kNothing, kWordAt) != sizeof kNothing) {
    static_cast<void>(::ftruncate(fd_, kWordAt));  // which needs no room
  }
}

}  // namespace fermata::store
