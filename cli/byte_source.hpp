// A file or stdin, read in pieces, byte by byte for its readers, who are told where they are.
#pragma once

#include <cstdint>
#include <fermata/result.hpp>
#include <string>
#include <string_view>

#include "cli/line_socket.hpp"

namespace fermata::cli {

class ByteSource {
 public:
  static constexpr int kEnd = -1;

  // "-" is stdin. A byte order mark at the start is passed over. Errors: NotFound, Io.
  [[nodiscard]] static Result<ByteSource> open(const std::string& path);
  // A text in memory, whose first line has this number.
  ByteSource(std::string text, std::uint64_t first_line) : buffer_(std::move(text)), line_(first_line), ended_(true) {}

  // The next byte, or kEnd: at the end, and after a failure, which status() then tells.
  [[nodiscard]] int peek() {
    if (at_ == buffer_.size() && !fill()) return kEnd;
    return static_cast<unsigned char>(buffer_[at_]);
  }
  int take() {
    const int byte = peek();
    if (byte == kEnd) return byte;
    ++at_;
    if (byte == '\n') ++line_;
    return byte;
  }
  // Takes what is at hand up to the next of these bytes; empty if one of them is next, or the end. Valid until the next
  // call.
  [[nodiscard]] std::string_view take_run(std::string_view stops);
  // Blanks and line ends.
  void skip_blank();
  // What comes, without taking it: so many bytes unless the end comes first.
  [[nodiscard]] std::string_view look_ahead(std::size_t bytes);

  [[nodiscard]] std::uint64_t line() const { return line_; }  // of the next byte, from 1
  [[nodiscard]] std::uint64_t taken_bytes() const { return before_buffer_ + at_; }
  // Of the whole file; 0 if that is no regular file.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_; }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  ByteSource(Fd file, int fd, std::string name) : file_(std::move(file)), fd_(fd), name_(std::move(name)) {}
  bool fill();

  Fd file_;  // unless it is stdin
  int fd_ = -1;
  std::string name_, buffer_;
  std::size_t at_ = 0;
  std::uint64_t before_buffer_ = 0, line_ = 1, size_ = 0;
  bool ended_ = false;
  Status status_;
};

}  // namespace fermata::cli
