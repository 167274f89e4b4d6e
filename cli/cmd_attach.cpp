#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "cli/access.hpp"
#include "cli/files.hpp"
#include "cli/options.hpp"
#include "cli/statement.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

std::string quoted_path(std::string_view dotted) {
  std::string path;
  for (;;) {
    const std::size_t dot = dotted.find('.');
    path += quoted_name(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return path;
    path += '.';
    dotted.remove_prefix(dot + 1);
  }
}

Result<AttachmentMetadata> metadata_of(const AttachOptions& options) {
  AttachmentMetadata metadata;
  if (options.file != "-") metadata["name"] = std::filesystem::path(options.file).filename().string();
  for (const std::string& entry : options.metadata) {
    const std::size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorCode::InvalidArgument, fmt::format("--meta takes NAME=TEXT, not \"{}\"", entry));
    metadata.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return metadata;
}

Result<Fd> open_input(const std::string& path) {
  if (path == "-") return Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(errno_error(fmt::format("cannot read {}", path), errno));
  return fd;
}

Result<std::size_t> read_some(const Fd& fd, const std::string& path, std::span<std::uint8_t> into) {
  for (;;) {
    const ssize_t count = ::read(fd.fd(), into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return fail(errno_error(fmt::format("cannot read {}", path), errno));
  }
}

Status expect_document(Access& access, const AttachOptions& options) {
  const std::string select = "SELECT * FROM " + quoted_name(options.collection) + " WHERE _id = :id";
  auto found = access.execute(select, {{"id", options.id}});
  if (!found) return fail(found.error());
  if (!found->items.empty()) return {};
  return fail(ErrorCode::NotFound,
              fmt::format("there is no document \"{}\" in {}; insert it first", options.id, options.collection));
}

Result<ContentHash> read_hash(const std::string& text) {
  ContentHash hash{};
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  const bool is_hex =
      std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!is_hex || text.size() != 2 * hash.size())
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\" is no hash; it has 64 digits, 0 to 9 and a to f", text));
  for (std::size_t i = 0; i < hash.size(); ++i)
    hash[i] = static_cast<std::uint8_t>(16 * digit(text[2 * i]) + digit(text[2 * i + 1]));
  return hash;
}

Status write_content(Access& access, const ContentHash& hash, Output& output) {
  const auto take = [&](std::span<const std::uint8_t> piece) {
    return output.write({reinterpret_cast<const char*>(piece.data()), piece.size()});
  };
  return access.read_attachment(hash, take).and_then([&] { return output.flush(); });
}

Status write_file(Access& access, const ContentHash& hash, const std::string& path) {
  constexpr mode_t kEverybodyReads = 0666;  // less the umask
  auto file = NewFile::create(path, kEverybodyReads);
  if (!file) return fail(file.error());
  Output output(file->fd());
  if (auto written = write_content(access, hash, output); !written) return written;
  return file->commit();
}

}  // namespace

Result<int> run_attach(const AttachOptions& options) {
  auto metadata = metadata_of(options);
  if (!metadata) return fail(metadata.error());
  auto input = open_input(options.file);
  if (!input) return fail(input.error());
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  if (auto found = expect_document(**access, options); !found) return fail(found.error());
  auto put = (*access)->put_attachment(
      [&](std::span<std::uint8_t> into) { return read_some(*input, options.file, into); }, *metadata);
  if (!put) return fail(put.error());
  const std::string update =
      "UPDATE " + quoted_name(options.collection) + " SET " + quoted_path(options.field) + " = :a WHERE _id = :id";
  auto updated = (*access)->execute(update, {{"a", *put}, {"id", options.id}});
  if (!updated) return fail(updated.error());
  Output output;
  if (auto written = output.json(*put).and_then([&] { return output.flush(); }); !written) return fail(written.error());
  return 0;
}

Result<int> run_attachment(const AttachmentOptions& options) {
  auto hash = read_hash(options.hash);
  if (!hash) return fail(hash.error());
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  Output output;
  const bool to_stdout = options.file.empty() || options.file == "-";
  const Status written = to_stdout ? write_content(**access, *hash, output) : write_file(**access, *hash, options.file);
  if (!written) return fail(written.error());
  return 0;
}

}  // namespace fermata::cli
