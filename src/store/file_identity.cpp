#include "store/file_identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace fermata::store {

std::string identity_of_file(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &info) != 0) {
    return {};
  }
  if ((info.stx_mask & STATX_BTIME) == 0) {
    return fmt::format("{}", info.stx_ino);
  }
  return fmt::format("{} {}.{:09}", info.stx_ino, info.stx_btime.tv_sec, info.stx_btime.tv_nsec);
}

bool is_another_file(const std::string& remembered, const std::string& actual) {
  if (remembered.empty() || actual.empty() || remembered == actual) {
    return false;
  }
  const auto end_of_inode = std::min(remembered.find(' '), remembered.size());
  const bool same_inode = remembered.substr(0, end_of_inode) == actual.substr(0, actual.find(' '));
  const bool both_have_birth = end_of_inode < remembered.size() && actual.find(' ') != std::string::npos;
  return !same_inode || both_have_birth;
}

std::optional<WallTime> last_change(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_CTIME, &info) != 0) {
    return std::nullopt;
  }
  return WallTime(std::chrono::seconds(info.stx_ctime.tv_sec));
}

bool is_put_back(std::optional<WallTime> changed, WallTime written) {
  constexpr std::chrono::seconds kSlack{5};
  return changed && written != WallTime{} && *changed > written + kSlack;
}

}  // namespace fermata::store
