#include "store/mend_attachments.hpp"

#include <fmt/format.h>

#include "store/check.hpp"

namespace fermata::store {

Status ContentMender::excuse(Status status) {
  if (status || status.error().code != ErrorCode::Corrupt) return status;
  is_sound_ = false;
  return {};
}

void ContentMender::lose(const ContentRow& content, std::string_view why) {
  is_sound_ = false;
  done_.push_back(fmt::format("{} was removed ({}); fetch it again from a peer that has it", name_of(content), why));
}

// The table and the index of hashes know them; one of both may be damaged.
Status ContentMender::list() {
  Status by_table = each_row(reader_, "SELECT id FROM attachments NOT INDEXED",
                             [this](const Statement& row) { listed_.try_emplace(row.number(0)); });
  Status by_hash = each_row(
      reader_, "SELECT id, hash FROM attachments INDEXED BY sqlite_autoindex_attachments_1 WHERE hash > x''",
      [this](const Statement& row) { listed_[row.number(0)] = Bytes(row.blob(1).begin(), row.blob(1).end()); });
  return excuse(std::move(by_table)).and_then([&] { return excuse(std::move(by_hash)); });
}

Status ContentMender::look_at(std::uint64_t id, const Bytes& hash) {
  auto row = reader_.prepare("SELECT id, hash, size, stored, complete, touched FROM attachments WHERE id = ?");
  if (!row) return fail(std::move(row).error());
  auto found = row->bind(1, id).step();
  if (!found && found.error().code != ErrorCode::Corrupt) return fail(std::move(found).error());
  if (!found || !*found) {
    lose({.id = id, .hash = hash}, "what is known of it cannot be read");
    return {};
  }
  const ContentRow content = content_in(*row);
  auto fault = fault_of(reader_, content);
  if (!fault) return fail(std::move(fault).error());
  if (!fault->empty()) {
    lose(content, *fault);
  } else if (!content.hash.empty()) {
    kept_.push_back(id);
  }
  return {};
}

// What no row leads to: chunks of nobody, and pages that only SQLite sees.
Status ContentMender::look_between() {
  auto orphans = count_orphaned_chunks(reader_);
  if (orphans && *orphans != 0) {
    is_sound_ = false;
    done_.push_back(fmt::format("{} chunks of content that belonged to no attachment were removed", *orphans));
  }
  const auto expect_ok = [this](const Statement& row) { is_sound_ = is_sound_ && row.text(0) == "ok"; };
  return excuse(orphans ? Status() : fail(std::move(orphans).error()))
      .and_then([&] { return excuse(each_row(reader_, "PRAGMA integrity_check(attachments)", expect_ok)); })
      .and_then([&] { return excuse(each_row(reader_, "PRAGMA integrity_check(attachment_chunks)", expect_ok)); });
}

Status ContentMender::survey() {
  if (auto listed = list(); !listed) return listed;
  for (const auto& [id, hash] : listed_) {
    if (auto looked = look_at(id, hash); !looked) return looked;
  }
  return look_between();
}

// Only the names of the old tables go: freeing their pages would mean to read them.
Status ContentMender::replace() {
  if (is_sound_) return {};
  Status replaced = writer_
                        .execute(
                            "PRAGMA writable_schema = ON;"
                            "DELETE FROM sqlite_schema WHERE tbl_name IN ('attachments', 'attachment_chunks');"
                            "PRAGMA writable_schema = RESET;")
                        .and_then([&] { return create_attachments(writer_); });
  for (const std::uint64_t id : kept_) {
    if (!replaced) return replaced;
    replaced = copy(id);
  }
  return replaced;
}

Status ContentMender::copy(std::uint64_t id) {
  auto from = reader_.prepare("SELECT id, hash, size, stored, complete, touched FROM attachments WHERE id = ?");
  auto into =
      writer_.prepare("INSERT INTO attachments(id, hash, size, stored, complete, touched) VALUES(?, ?, ?, ?, ?, ?)");
  auto chunks = reader_.prepare("SELECT id, bytes FROM attachment_chunks WHERE id >= ? AND id < ? ORDER BY id");
  for (auto* each : {&from, &into, &chunks}) {
    if (!*each) return fail(std::move(*each).error());
  }
  auto found = from->bind(1, id).step();
  if (!found) return fail(std::move(found).error());
  const ContentRow content = content_in(*from);
  into->bind(1, id).bind_blob(2, content.hash).bind(3, content.size_bytes).bind(4, content.stored_bytes);
  into->bind(5, std::uint64_t{content.is_complete ? 1u : 0u}).bind(6, content.touched_ms);
  if (auto inserted = into->run(); !inserted) return inserted;
  chunks->bind(1, chunk_row(id, 0)).bind(2, chunk_row(id + 1, 0));
  for (;;) {
    found = chunks->step();
    if (!found || !*found) return found ? Status() : fail(std::move(found).error());
    auto insert = writer_.prepare("INSERT INTO attachment_chunks(id, bytes) VALUES(?, ?)");
    if (!insert) return fail(std::move(insert).error());
    if (auto done = insert->bind(1, chunks->number(0)).bind_blob(2, chunks->blob(1)).run(); !done) return done;
  }
}

}  // namespace fermata::store
