// Reading the local-seq log: documents behind a cursor, versions, digests. And what shortens it.
#include <algorithm>
#include <cstdint>

#include "store/store_impl.hpp"

namespace fermata::store {

Result<std::uint64_t> Store::Impl::read_head(Connection& connection) const {
  auto statement = connection.prepare("SELECT local_seq FROM state WHERE id = 0");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  auto found = statement->step();
  if (!found) {
    return fail(std::move(found).error());
  }
  return *found ? statement->number(0) : 0;
}

Result<ChangedDocument> Store::Impl::read_changed(const Statement& row) const {
  ChangedDocument change{row.text(0), row.text(1), row.number(2), {}};
  auto document = decode(row, 3, change.collection, change.id);
  if (!document) {
    return fail(std::move(document).error());
  }
  change.document = *std::move(document);
  return change;
}

Status Store::Impl::read_changes(Connection& connection, std::uint64_t since, std::size_t max_documents,
                                 std::size_t max_bytes, ChangesBatch& batch) const {
  auto head = read_head(connection);
  auto rows = connection.prepare(
      "SELECT c.name, d.id, d.seq, d.body, d.meta FROM documents AS d JOIN collections AS c ON c.id = d.collection "
      "WHERE d.seq > ? ORDER BY d.seq");
  if (!head || !rows) {
    return fail(!head ? std::move(head).error() : std::move(rows).error());
  }
  batch.head = *head;
  rows->bind(1, since);
  return read_documents(*rows, max_documents, max_bytes, batch.documents);
}

Status Store::Impl::read_documents(Statement& rows, std::size_t max_documents, std::size_t max_bytes,
                                   std::vector<ChangedDocument>& documents) const {
  for (std::size_t bytes = 0; documents.size() < max_documents && bytes < max_bytes;) {
    auto found = rows.step();
    if (!found || !*found) {
      return found ? Status() : fail(std::move(found).error());
    }
    bytes += rows.blob(3).size() + rows.blob(4).size();
    auto change = read_changed(rows);
    if (!change) {
      return fail(std::move(change).error());
    }
    documents.push_back(*std::move(change));
  }
  return {};
}

Result<ChangesBatch> Store::changes_since(std::uint64_t since, std::size_t max_documents, std::size_t max_bytes) {
  ChangesBatch batch;
  auto done = impl_->with_snapshot(
      [&](Connection& connection) { return impl_->read_changes(connection, since, max_documents, max_bytes, batch); });
  return done ? Result<ChangesBatch>(std::move(batch)) : fail(std::move(done).error());
}

Result<std::vector<ChangedDocument>> Store::documents_after(std::string_view collection, std::string_view after,
                                                            std::size_t max_documents, std::size_t max_bytes) {
  std::vector<ChangedDocument> documents;
  auto done = impl_->with_reader([&](Connection& connection) -> Status {
    auto rows = connection.prepare(
        "SELECT c.name, d.id, d.seq, d.body, d.meta FROM documents AS d JOIN collections AS c ON c.id = d.collection "
        "WHERE d.collection = (SELECT id FROM collections WHERE name = ?) AND d.id > ? AND d.life % 2 = 1 "
        "ORDER BY d.id");
    if (!rows) {
      return fail(std::move(rows).error());
    }
    rows->bind(1, collection).bind(2, after);
    return impl_->read_documents(*rows, max_documents, max_bytes, documents);
  });
  return done ? Result<std::vector<ChangedDocument>>(std::move(documents)) : fail(std::move(done).error());
}

Result<std::optional<ChangedDocument>> Store::document_at(std::uint64_t local_seq) {
  return impl_->find_one(
      "SELECT c.name, d.id, d.seq, d.body, d.meta FROM documents AS d JOIN collections AS c ON c.id = d.collection "
      "WHERE d.seq = ?",
      local_seq);
}

Result<std::optional<ChangedDocument>> Store::document_in(std::uint64_t row) {
  return impl_->find_one(
      "SELECT c.name, d.id, d.seq, d.body, d.meta FROM documents AS d JOIN collections AS c ON c.id = d.collection "
      "WHERE d.rowid = ?",
      row);
}

Result<std::optional<ChangedDocument>> Store::Impl::find_one(const char* sql, std::uint64_t number) {
  std::optional<ChangedDocument> change;
  auto done = with_reader([&](Connection& connection) -> Status {
    auto row = connection.prepare(sql);
    if (!row) {
      return fail(std::move(row).error());
    }
    auto found = row->bind(1, number).step();
    if (!found || !*found) {
      return found ? Status() : fail(std::move(found).error());
    }
    auto read = read_changed(*row);
    if (!read) {
      return fail(std::move(read).error());
    }
    change = *std::move(read);
    return {};
  });
  return done ? Result<std::optional<ChangedDocument>>(std::move(change)) : fail(std::move(done).error());
}

Result<CollectionDigest> Store::digest(std::string_view collection) {
  CollectionDigest result;
  auto done = impl_->with_snapshot([&](Connection& connection) -> Status {
    auto head = impl_->read_head(connection);
    auto row = connection.prepare(
        "SELECT live, digest_low, digest_high FROM state WHERE id = (SELECT id FROM collections WHERE name = ?)");
    if (!head || !row) {
      return fail(!head ? std::move(head).error() : std::move(row).error());
    }
    result.head = *head;
    auto found = row->bind(1, collection).step();
    if (!found) {
      return fail(std::move(found).error());
    }
    if (*found) {
      result.digest = {.count = row->number(0), .low = row->number(1), .high = row->number(2)};
    }
    return {};
  });
  return done ? Result<CollectionDigest>(result) : fail(std::move(done).error());
}

Result<std::uint64_t> Store::Impl::scan(const char* sql, std::string_view collection,
                                        const std::function<Status(const Statement&)>& visit) {
  std::uint64_t last = 0;
  auto done = with_snapshot([&](Connection& connection) -> Status {
    auto head = read_head(connection);
    auto rows = connection.prepare(sql);
    if (!head || !rows) {
      return fail(!head ? std::move(head).error() : std::move(rows).error());
    }
    last = *head;
    rows->bind(1, collection);
    for (;;) {
      auto found = rows->step();
      if (!found || !*found) {
        return found ? Status() : fail(std::move(found).error());
      }
      if (auto visited = visit(*rows); !visited) {
        return visited;
      }
    }
  });
  return done ? Result<std::uint64_t>(last) : fail(std::move(done).error());
}

// Both scans name their index: the planner cannot know that the log, which it would have to read to the end, is read in
// order and without touching rows that are not asked for.
Result<std::uint64_t> Store::for_each_version(std::string_view collection, const VisitVersion& visit) {
  return impl_->scan(
      "SELECT seq, version, rowid FROM documents INDEXED BY documents_log "
      "WHERE seq > 0 AND version <> 0 AND collection = (SELECT id FROM collections WHERE name = ?) ORDER BY seq",
      collection, [&](const Statement& row) -> Status {
        visit(row.number(0), row.number(1), row.number(2));
        return {};
      });
}

Result<std::uint64_t> Store::for_each_tombstone(std::string_view collection, const VisitTombstone& visit) {
  return impl_->scan(
      "SELECT seq, rowid FROM documents INDEXED BY documents_buried "
      "WHERE buried IS NOT NULL AND collection = (SELECT id FROM collections WHERE name = ?)",
      collection, [&](const Statement& row) -> Status {
        visit(row.number(0), row.number(1));
        return {};
      });
}

Result<std::uint64_t> Store::for_each_living(std::string_view collection, const VisitDocument& visit) {
  return impl_->scan(
      "SELECT seq, version, id, body, rowid FROM documents INDEXED BY documents_log "
      "WHERE seq > 0 AND version <> 0 AND collection = (SELECT id FROM collections WHERE name = ?) ORDER BY seq",
      collection, [&](const Statement& row) -> Status {
        const std::string id = row.text(2);
        CborReader body(row.blob(3));
        auto view = body.value();
        Map* fields = view ? view->if_a<Map>() : nullptr;
        if (fields == nullptr) {
          return fail(impl_->undecodable(collection, id, view ? "it is no map" : view.error().message));
        }
        visit({id, row.number(0), row.number(1), row.number(4), std::move(*fields)});
        return {};
      });
}

Result<Store::Impl::Purged> Store::Impl::forget_tombstones(WallTime before, std::size_t at_most) {
  auto rows = writer->prepare(
      "DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents WHERE buried < ? ORDER BY buried LIMIT ?) "
      "RETURNING seq");
  if (!rows) {
    return fail(std::move(rows).error());
  }
  rows->bind(1, static_cast<std::uint64_t>(before.time_since_epoch().count()));
  rows->bind(2, std::uint64_t{std::min<std::size_t>(at_most, INT64_MAX)});
  Purged purged{0, identity.purged_seq};
  for (;;) {
    auto found = rows->step();
    if (!found) {
      return fail(std::move(found).error());
    }
    if (!*found) {
      return purged;
    }
    purged.highest = std::max(purged.highest, rows->number(0));
    ++purged.count;
  }
}

Status Store::Impl::note_purge(const Purged& purged) {
  auto note = writer->prepare("UPDATE state SET purged_seq = ? WHERE id = 0");
  if (!note) {
    return fail(std::move(note).error());
  }
  return note->bind(1, purged.highest).run();
}

// No commit of ours, so it does not end the clean state: a power cut that takes it back brings the tombstones back with
// the old horizon.
Result<std::size_t> Store::purge(WallTime before, std::size_t at_most) {
  std::size_t count = 0;
  auto done = impl_->with_writer([&](Connection& connection) -> Status {
    Impl::Purged purged;
    Status kept = connection.transact([&]() -> Status {
      auto forgotten = impl_->forget_tombstones(before, at_most);
      if (!forgotten) {
        return fail(std::move(forgotten).error());
      }
      purged = *forgotten;
      return impl_->note_purge(purged);
    });
    if (!kept) {
      return kept;
    }
    count = purged.count;
    impl_->identity.purged_seq = purged.highest;
    impl_->published_purged_seq = purged.highest;
    return {};
  });
  return done ? Result<std::size_t>(count) : fail(std::move(done).error());
}

}  // namespace fermata::store
