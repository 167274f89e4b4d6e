// Unix stream sockets that carry one line at a time: the wire under the control socket.
#pragma once

#include <chrono>
#include <fermata/result.hpp>
#include <string>
#include <string_view>

namespace fermata::cli {

// The name of the control socket in a database directory.
inline constexpr std::string_view kControlSocket = "control.sock";
// Of a request; longer ends the connection. The largest document that can be written fits: 16 MiB of CBOR, of which a
// byte may take six in JSON. An answer has no such limit, for what has been merged from several may be larger.
inline constexpr std::size_t kMaxRequest = 6 * (16u << 20) + (8u << 20);

// An owned file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd();
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;

  [[nodiscard]] int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// One end of a connection. One thread at a time, except shut_down().
class LineSocket {
 public:
  // `longest`: of the lines that it reads.
  LineSocket(Fd fd, std::size_t longest) : fd_(std::move(fd)), longest_(longest) {}

  // The next line without its end. Errors: Timeout, Closed (the other side ended), LimitExceeded (a longer line), Io.
  // `wake_fd`, if not -1: readable means give up, as Closed.
  [[nodiscard]] Result<std::string> read_line(std::chrono::milliseconds within, int wake_fd = -1);
  // The text and a line end. Blocks until the other side took it. Errors: Closed, Timeout (from connect_control only:
  // the other side took nothing for 5 s).
  [[nodiscard]] Status write_line(std::string text);
  // Ends both directions, which wakes a blocked read or write. Any thread.
  void shut_down();
  [[nodiscard]] int fd() const { return fd_.fd(); }

 private:
  Fd fd_;
  std::size_t longest_;
  std::string buffer_;
  std::size_t searched_ = 0;  // of buffer_, known to hold no line end
};

inline constexpr std::chrono::milliseconds kForever = std::chrono::milliseconds::max();

// Whether a descriptor is readable now; false for -1.
[[nodiscard]] bool is_readable(int fd);

// Connects to the control socket of a database directory, whatever the length of its path. Errors: NotFound (no
// directory, or no socket in it), Closed (nobody listens: stale), Timeout (its queue stays full), Io.
[[nodiscard]] Result<LineSocket> connect_control(const std::string& directory);
// Listens there, for this user alone, in place of a stale socket. Call only while holding the database.
[[nodiscard]] Result<Fd> listen_control(const std::string& directory);
// Removes the socket.
void remove_control(const std::string& directory);

}  // namespace fermata::cli
