#include "store/check_attachments.hpp"

#include <fmt/format.h>

#include "store/check.hpp"

namespace fermata::store {
namespace {

constexpr const char* kUnreadable = "a part of it cannot be read";

// Of the row alone.
std::string fault_in_row(const ContentRow& content) {
  if (content.hash.size() != ContentHash{}.size()) return "its name is no hash";
  if (content.size_bytes > kMaxStoredBytes || content.stored_bytes > content.size_bytes)
    return "its size is impossible";
  if (content.is_complete && content.stored_bytes != content.size_bytes) {
    return fmt::format("it is said to be complete, with {} of {} bytes", content.stored_bytes, content.size_bytes);
  }
  const bool ends_within_a_chunk = content.stored_bytes % kChunkBytes != 0;
  if (ends_within_a_chunk && content.stored_bytes != content.size_bytes) return "it stops within a chunk";
  return {};
}

// Walks its chunks, and hashes them. Result: what is wrong.
Result<std::string> walk(Connection& connection, const ContentRow& content, Sha256Stream& hash) {
  auto rows = connection.prepare("SELECT id, bytes FROM attachment_chunks WHERE id >= ? AND id < ? ORDER BY id");
  if (!rows) return fail(std::move(rows).error());
  rows->bind(1, chunk_row(content.id, 0)).bind(2, chunk_row(content.id + 1, 0));
  std::uint64_t offset = 0;
  for (;;) {
    auto found = rows->step();
    if (!found) return fail(std::move(found).error());
    if (!*found) break;
    if (offset >= content.stored_bytes) return std::string("it has more chunks than bytes");
    if (rows->number(0) != chunk_row(content.id, offset)) break;
    const ByteView chunk = rows->blob(1);
    if (chunk.size() != chunk_bytes(content.stored_bytes, offset)) {
      return fmt::format("its chunk {} has {} bytes instead of {}", offset / kChunkBytes, chunk.size(),
                         chunk_bytes(content.stored_bytes, offset));
    }
    hash.add(chunk);
    offset += chunk.size();
  }
  if (offset < content.stored_bytes) return fmt::format("its chunk {} is missing", offset / kChunkBytes);
  return std::string();
}

}  // namespace

ContentRow content_in(const Statement& row) {
  const ByteView hash = row.blob(1);
  return {.id = row.number(0),
          .hash = Bytes(hash.begin(), hash.end()),
          .size_bytes = row.number(2),
          .stored_bytes = row.number(3),
          .touched_ms = row.number(5),
          .is_complete = row.number(4) != 0};
}

std::string name_of(const ContentRow& content) {
  if (content.hash.empty()) return fmt::format("attachment number {}, which has no name", content.id);
  return fmt::format("attachment {}", to_hex(content.hash));
}

Result<std::string> fault_of(Connection& connection, const ContentRow& content) {
  if (content.hash.empty() && !content.is_complete) return std::string();
  if (std::string fault = fault_in_row(content); !fault.empty()) return fault;
  Sha256Stream stream;
  auto fault = walk(connection, content, stream);
  if (!fault && fault.error().code == ErrorCode::Corrupt) return std::string(kUnreadable);
  if (!fault || !fault->empty() || !content.is_complete) return fault;
  const ContentHash hash = stream.finish();
  if (!std::equal(hash.begin(), hash.end(), content.hash.begin())) return std::string("its content is another");
  return std::string();
}

Result<std::uint64_t> count_orphaned_chunks(Connection& connection) {
  // An attachment's number is what stands above the chunk's, kChunkBits of it.
  auto rows =
      connection.prepare("SELECT count(*) FROM attachment_chunks WHERE (id >> 31) NOT IN (SELECT id FROM attachments)");
  if (!rows) return fail(std::move(rows).error());
  auto found = rows->step();
  return found ? Result<std::uint64_t>(rows->number(0)) : fail(std::move(found).error());
}

void Checker::look_at(const ContentRow& content, const std::string& fault) {
  if (!fault.empty()) {
    note(fmt::format("{}: {}", name_of(content), fault));
  } else if (content.is_complete) {
    ++report_.attachments;
  }
}

Status Checker::attachments() {
  Status failed;
  Status listed = each("the list of attachments", kSelectContents, [&](const Statement& row) {
    if (!failed) return;
    const ContentRow content = content_in(row);
    auto fault = fault_of(connection_, content);
    if (fault) look_at(content, *fault);
    if (!fault) failed = fail(std::move(fault).error());
  });
  if (!listed || !failed) return listed ? failed : listed;
  auto orphans = count_orphaned_chunks(connection_);
  if (!orphans) return excuse(orphans.error(), "the content of attachments");
  if (*orphans != 0) note(fmt::format("{} chunks of content belong to no attachment", *orphans));
  return {};
}

}  // namespace fermata::store
