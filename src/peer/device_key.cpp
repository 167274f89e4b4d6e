#include "peer/device_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "net/identity.hpp"

namespace fermata {
namespace {

constexpr std::size_t kKeySize = 32;

tl::unexpected<Error> cannot(const char* what, const std::string& path) {
  const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::NoSpace : ErrorCode::Io;
  return fail(code, fmt::format("cannot {} the device key {}: {}", what, path, std::strerror(errno)));
}

Result<Bytes> read_key(int fd, const std::string& path) {
  Bytes key(kKeySize + 1);
  const ssize_t size = ::read(fd, key.data(), key.size());
  if (size < 0) return cannot("read", path);
  if (size != static_cast<ssize_t>(kKeySize)) {
    return fail(ErrorCode::Corrupt,
                fmt::format("{} is not a device key ({} bytes instead of {}); move it away to get a new identity", path,
                            size, kKeySize));
  }
  key.resize(kKeySize);
  return key;
}

// Written aside and renamed, so that a crash leaves a whole key or none.
Status write_key(const std::string& path, const Bytes& key) {
  const std::string aside = path + ".new";
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return cannot("create", aside);
  const bool ok = ::write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && ::fsync(fd) == 0;
  const int saved = errno;
  ::close(fd);
  errno = saved;
  if (!ok || std::rename(aside.c_str(), path.c_str()) != 0) return cannot("write", path);
  return {};
}

}  // namespace

Result<Bytes> load_device_key(const std::string& directory) {
  const std::string path = directory + "/device.key";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    auto key = read_key(fd, path);
    ::close(fd);
    return key;
  }
  if (errno != ENOENT) return cannot("open", path);
  Bytes key = net::Identity::generate_device_key();
  if (auto written = write_key(path, key); !written) return fail(written.error());
  return key;
}

}  // namespace fermata
