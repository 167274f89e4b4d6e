#include "store/wal_damage.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "store/file_identity.hpp"
#include "store/schema.hpp"

namespace fermata::store {
namespace {

constexpr std::size_t kHeaderBytes = 32, kHeadBytes = 24;
constexpr std::size_t kSaltBytes = 8;
constexpr std::size_t kSummedHeadBytes = 8;   // of a frame's head: page number and size after the commit
constexpr std::uint32_t kMagic = 0x377f0682;  // or one more, if the words of sums are big-endian

std::uint32_t big_endian(ByteView bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word = word << 8 | bytes[at + i];
  return word;
}

struct Sums {
  std::uint32_t first = 0, second = 0;
  friend bool operator==(const Sums&, const Sums&) = default;
};

Sums stored_sums(ByteView bytes, std::size_t at) {
  return {big_endian(bytes, at), big_endian(bytes, at + 4)};
}

struct Header {
  bool is_sound = false;
  std::endian order = std::endian::big;
  std::size_t page_bytes = 0;
  std::array<std::uint8_t, kSaltBytes> salt{};
  Sums sums;
};

Sums add(Sums sums, ByteView bytes, std::endian order) {
  const auto word = [&](std::size_t at) {
    const std::uint32_t value = big_endian(bytes, at);
    return order == std::endian::big ? value : __builtin_bswap32(value);
  };
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sums.first += word(at) + sums.second;
    sums.second += word(at + 4) + sums.first;
  }
  return sums;
}

Header read_header(ByteView bytes) {
  constexpr std::uint32_t kVersion = 3007000;
  constexpr std::size_t kSaltAt = 16, kSumsAt = 24;
  Header header;
  const std::uint32_t magic = big_endian(bytes, 0);
  header.order = (magic & 1) != 0 ? std::endian::big : std::endian::little;
  header.page_bytes = big_endian(bytes, 8);
  std::copy_n(bytes.begin() + kSaltAt, kSaltBytes, header.salt.begin());
  header.sums = stored_sums(bytes, kSumsAt);
  header.is_sound = (magic & ~1u) == kMagic && big_endian(bytes, 4) == kVersion &&
                    std::has_single_bit(header.page_bytes) && header.page_bytes >= 512 && header.page_bytes <= 65536 &&
                    header.sums == add({}, bytes.first(kSumsAt), header.order);
  return header;
}

// A head and a page.
class Frame {
 public:
  explicit Frame(const Header& header) : header_(header), bytes_(kHeadBytes + header.page_bytes) {}

  [[nodiscard]] std::span<std::uint8_t> bytes() { return bytes_; }
  [[nodiscard]] Sums sums() const { return stored_sums(bytes_, kHeadBytes - 8); }
  // Whether it is as it was written behind the frame (or header) of these sums.
  [[nodiscard]] bool follows(Sums before) const {
    const ByteView all(bytes_);
    if (!std::equal(header_.salt.begin(), header_.salt.end(), all.begin() + kSummedHeadBytes)) return false;
    const Sums head = add(before, all.first(kSummedHeadBytes), header_.order);
    return add(head, all.subspan(kHeadBytes), header_.order) == sums();
  }

 private:
  const Header& header_;
  Bytes bytes_;
};

int read(sqlite3_file& file, std::uint64_t at, std::span<std::uint8_t> out) {
  return file.pMethods->xRead(&file, out.data(), static_cast<int>(out.size()), static_cast<sqlite3_int64>(at));
}

// How many frames, from the first, are as they were written; nothing if the header is not. Result: an SQLite code.
int count_sound(sqlite3_file& file, std::uint64_t at_most, std::optional<std::uint64_t>& sound) {
  std::array<std::uint8_t, kHeaderBytes> head{};
  const int code = read(file, 0, head);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  const Header header = read_header(head);
  if (!header.is_sound) return SQLITE_OK;
  Frame frame(header);
  Sums before = header.sums;
  for (sound = 0; *sound < at_most; ++*sound, before = frame.sums()) {
    const int code_of_frame = read(file, kHeaderBytes + *sound * frame.bytes().size(), frame.bytes());
    if (code_of_frame == SQLITE_IOERR_SHORT_READ) break;
    if (code_of_frame != SQLITE_OK) return code_of_frame;
    if (!frame.follows(before)) break;
  }
  return SQLITE_OK;
}

Result<std::optional<std::string>> lost_of(Connection& connection, std::uint32_t committed) {
  sqlite3_file* const log = log_of(connection);
  sqlite3_int64 bytes = 0;
  std::optional<std::uint64_t> sound;
  int code = log == nullptr ? SQLITE_OK : log->pMethods->xFileSize(log, &bytes);
  if (code == SQLITE_OK && bytes == 0) {
    return "its log fermata.db-wal, which held what was committed last, is missing or empty";
  }
  if (code == SQLITE_OK) code = count_sound(*log, committed, sound);
  if (code != SQLITE_OK) {
    return fail(connection.error(code));
  }
  if (sound == committed) {
    return std::nullopt;
  }
  return !sound ? "the header of its log fermata.db-wal is not what was written, and no commit in it can be read"
                : fmt::format(
                      "frame {} of {} of its log fermata.db-wal is missing or not what was written, and what was "
                      "committed from there on cannot be read",
                      *sound + 1, committed);
}

}  // namespace

sqlite3_file* log_of(Connection& connection) {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  return log == nullptr || log->pMethods == nullptr ? nullptr : log;
}

Result<std::optional<std::string>> lost_in_log(Connection& connection, const ExpectedLog& expected) {
  if (expected.frames == 0) {
    return std::nullopt;
  }
  auto names = load_names(connection);
  if (!names) {
    return fail(std::move(names).error());
  }
  const bool is_copy = is_another_file(names->file, expected.file) || is_put_back(expected.changed, names->written);
  return is_copy ? Result<std::optional<std::string>>(std::nullopt) : lost_of(connection, expected.frames);
}

}  // namespace fermata::store
