#include "support/memory_file.hpp"

#include <algorithm>

namespace fermata::support {

void MemoryFile::write_to(Bytes& target, std::uint64_t offset, ByteView bytes) {
  const auto end = static_cast<std::size_t>(offset) + bytes.size();
  if (target.size() < end) {
    target.resize(end);
  }
  std::copy(bytes.begin(), bytes.end(), target.begin() + static_cast<std::ptrdiff_t>(offset));
}

void MemoryFile::apply(const Operation& operation, Bytes& target) const {
  if (operation.truncates) {
    target.resize(std::min<std::size_t>(target.size(), static_cast<std::size_t>(operation.offset)));
  } else {
    write_to(target, operation.offset, ByteView(log_).subspan(operation.position, operation.size));
  }
}

void MemoryFile::write(std::uint64_t offset, ByteView bytes) {
  write_to(content_, offset, bytes);
  pending_.push_back({.offset = offset, .position = log_.size(), .size = bytes.size(), .truncates = false});
  log_.insert(log_.end(), bytes.begin(), bytes.end());
}

void MemoryFile::truncate(std::uint64_t size) {
  const Operation operation{.offset = size, .position = 0, .size = 0, .truncates = true};
  apply(operation, content_);
  pending_.push_back(operation);
}

void MemoryFile::sync() {
  for (const Operation& operation : pending_) {
    apply(operation, platter_);
  }
  pending_.clear();
  log_.clear();
}

std::shared_ptr<MemoryFile> MemoryFile::after_power_loss(std::size_t survivors) const {
  auto file = std::make_shared<MemoryFile>();
  file->platter_ = platter_;
  for (std::size_t i = 0; i < std::min(survivors, pending_.size()); ++i) {
    apply(pending_[i], file->platter_);
  }
  file->content_ = file->platter_;
  return file;
}

// What the file had in sectors that did not arrive stays; beyond its end that is zeroes.
void MemoryFile::apply_torn(const Operation& operation, Bytes& target, Random& random) const {
  constexpr std::size_t kSector = 512;
  for (std::size_t at = 0; at < operation.size;) {
    const std::size_t to_boundary = kSector - static_cast<std::size_t>((operation.offset + at) % kSector);
    const std::size_t size = std::min(to_boundary, operation.size - at);
    if (random.below(2) == 0) {
      write_to(target, operation.offset + at, ByteView(log_).subspan(operation.position + at, size));
    }
    at += size;
  }
}

std::shared_ptr<MemoryFile> MemoryFile::after_torn_power_loss(Random& random) const {
  auto file = std::make_shared<MemoryFile>();
  file->platter_ = platter_;
  for (const Operation& operation : pending_) {
    const std::uint64_t fate = random.below(3);
    if (fate == 0) continue;
    if (fate == 1 || operation.truncates) {
      apply(operation, file->platter_);
    } else {
      apply_torn(operation, file->platter_, random);
    }
  }
  file->content_ = file->platter_;
  return file;
}

std::shared_ptr<MemoryFile> MemoryFile::without_handles() const {
  auto file = std::make_shared<MemoryFile>();
  file->content_ = content_;
  file->platter_ = platter_;
  file->pending_ = pending_;
  file->log_ = log_;
  return file;
}

}  // namespace fermata::support
