#include "store/cut_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "store/checksum_vfs.hpp"
#include "store/directory_lock.hpp"

namespace fermata::store {
namespace {

// "The Database Header" in SQLite's file format (www.sqlite.org/fileformat2.html).
constexpr std::size_t kHeaderBytes = 100, kPageBytesAt = 16, kPagesAt = 28;

std::uint64_t big_endian(const Bytes& bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | bytes[at + i];
  return number;
}

}  // namespace

std::optional<CutFile> find_cut(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  Bytes page(kHeaderBytes);
  const auto read = [&](std::size_t from) {
    return static_cast<bool>(
        in.read(reinterpret_cast<char*>(page.data() + from), static_cast<std::streamsize>(page.size() - from)));
  };
  if (!read(0)) {
    return std::nullopt;
  }
  const std::uint64_t page_bytes = std::max<std::uint64_t>(big_endian(page, kPageBytesAt, 2), kHeaderBytes);
  page.resize(page_bytes);
  if (!read(kHeaderBytes) || !is_page_as_written(page, 0)) {
    return std::nullopt;
  }
  const CutFile cut{.bytes_left = file_bytes(file), .bytes_expected = big_endian(page, kPagesAt, 4) * page_bytes};
  return cut.bytes_left < cut.bytes_expected ? std::optional(cut) : std::nullopt;
}

Status set_length(const std::string& file, std::uint64_t bytes) {
  std::error_code failure;
  std::filesystem::resize_file(file, bytes, failure);
  if (!failure) {
    return {};
  }
  const bool full = failure == std::errc::no_space_on_device;
  return fail(full ? ErrorCode::NoSpace : ErrorCode::Io,
              fmt::format("{}: cannot make it {} bytes long: {}; check the disk and its permissions", file, bytes,
                          failure.message()));
}

}  // namespace fermata::store
