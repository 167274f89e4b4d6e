// Database's calls for attachments: the store's, and files.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "query/database_impl.hpp"
#include "store/attachments.hpp"

namespace fermata {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> into) const {
    for (;;) {
      const ssize_t count = ::read(fd_, into.data(), into.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return fail(failure());
    }
  }
  [[nodiscard]] Error failure() const {
    const ErrorCode code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io;
    return {code, fmt::format("cannot read {}: {}", path_, std::strerror(errno))};
  }

 private:
  std::string path_;
  int fd_;
};

}  // namespace

struct AttachmentReader::Impl {
  store::Attachments& attachments;
  store::Attachments::Row row;
  store::Attachments::Pin pin;
  std::uint64_t offset = 0;
};

AttachmentReader::AttachmentReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AttachmentReader::AttachmentReader(AttachmentReader&&) noexcept = default;
AttachmentReader& AttachmentReader::operator=(AttachmentReader&&) noexcept = default;
AttachmentReader::~AttachmentReader() = default;

Result<std::size_t> AttachmentReader::read(std::span<std::uint8_t> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    auto count = impl_->attachments.read(impl_->row, impl_->offset, into.subspan(filled));
    if (!count) return count;
    if (*count == 0) break;
    impl_->offset += *count;
    filled += *count;
  }
  return filled;
}

void AttachmentReader::seek(std::uint64_t offset_bytes) {
  impl_->offset = offset_bytes;
}

std::uint64_t AttachmentReader::size_bytes() const {
  return impl_->row.size_bytes;
}

Result<Attachment> Database::put_attachment(const AttachmentSource& source, AttachmentMetadata metadata) {
  resume_observers(*this);
  return store_of(*this).attachments().put(source, std::move(metadata));
}

Result<Attachment> Database::put_attachment_file(const std::string& path, AttachmentMetadata metadata) {
  const OpenFile file(path);
  if (!file.is_open()) return fail(file.failure());
  return put_attachment([&](std::span<std::uint8_t> into) { return file.read(into); }, std::move(metadata));
}

namespace {

Result<AttachmentReader> open_reader(Database& database, const ContentHash& hash, std::optional<std::uint64_t> size) {
  resume_observers(database);
  store::Attachments& attachments = store_of(database).attachments();
  auto found = attachments.find_complete(hash, size);
  if (!found) return fail(std::move(found).error());
  auto [row, pin] = *std::move(found);
  return AttachmentReader(
      std::make_unique<AttachmentReader::Impl>(AttachmentReader::Impl{attachments, row, std::move(pin), 0}));
}

}  // namespace

Result<AttachmentReader> Database::open_attachment(const Attachment& attachment) {
  return open_reader(*this, attachment.hash(), attachment.size_bytes());
}

Result<AttachmentReader> Database::open_attachment(const ContentHash& hash) {
  return open_reader(*this, hash, std::nullopt);
}

Result<CollectedAttachments> Database::collect_attachments() {
  resume_observers(*this);
  auto collected = store_of(*this).attachments().collect();
  if (!collected) return fail(std::move(collected).error());
  return CollectedAttachments{collected->attachments, collected->bytes};
}

}  // namespace fermata
