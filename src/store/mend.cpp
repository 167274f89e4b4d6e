// Repairs a database by writing its documents anew. The table is copied row by row into a new one, so that neither an
// index nor a page that cannot be read is in the way; what is left behind goes with a VACUUM, which reads only what
// still belongs to something. The content of attachments is next door, in mend_attachments.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "crdt/digest.hpp"
#include "store/app_indexes.hpp"
#include "store/check.hpp"
#include "store/mend_attachments.hpp"

namespace fermata::store {

namespace {

constexpr const char* kSelectRow =
    "SELECT d.rowid, d.collection, d.id, d.seq, d.buried, d.keep, d.body, d.meta, c.name FROM documents AS d "
    "NOT INDEXED JOIN collections AS c ON c.id = d.collection WHERE d.rowid = ?";

class Mender {
 public:
  Mender(Connection& reader, Connection& writer, const MendOptions& options, std::vector<std::string>& done)
      : reader_(reader), writer_(writer), options_(options), done_(done) {}

  Status run() {
    return list_rows().and_then([&] { return load(); }).and_then([&] { return contents_.survey(); }).and_then([&] {
      return writer_.transact([&] { return replace(); });
    });
  }

 private:
  Status replace() {
    return replace_table()
        .and_then([&] { return copy_rows(); })
        .and_then([&] { return finish_state(); })
        .and_then([&] { return create_again(); })
        .and_then([&] { return contents_.replace(); })
        .and_then([&] { return keep_contents(); });
  }
  Status list_rows();
  Status list_from(const char* sql);
  Status load();
  Status replace_table();
  Status copy_rows();
  Status copy_unknown_rows();
  Result<bool> copy_if_readable(std::uint64_t rowid);  // whether it is there
  Status copy_row(const Statement& row);
  Status lose(std::uint64_t rowid, std::string_view why);
  Status finish_state();
  Status forget_what_is_known();
  Status create_again();
  Status keep_contents();
  [[nodiscard]] bool lost_anything() const { return options_.lost_commits || !lost_from_.empty(); }

  Connection& reader_;
  Connection& writer_;
  const MendOptions options_;
  std::vector<std::string>& done_;
  ContentMender contents_{reader_, writer_, done_};
  std::set<std::uint64_t> rows_;
  bool knows_rows_ = true;                                                // all of them
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> names_;  // by row: collection and id
  std::map<std::uint64_t, std::string> collections_;
  std::map<std::uint64_t, crdt::Digest> digests_;
  std::set<std::string> lost_from_;  // collections
  std::string table_;
  std::vector<Index> app_indexes_;
  Identity identity_;
  std::uint64_t last_seq_ = 0;
};

Status Mender::list_from(const char* sql) {
  return each_row(reader_, sql, [this](const Statement& row) { rows_.insert(row.number(0)); });
}

// The table and two indexes know the rows; one that reads to its end is enough. If none does, what is known is where to
// look.
Status Mender::list_rows() {
  Status by_id = each_row(reader_, "SELECT rowid, collection, id FROM documents INDEXED BY documents_by_id",
                          [this](const Statement& row) {
                            rows_.insert(row.number(0));
                            names_[row.number(0)] = {row.number(1), row.text(2)};
                          });
  Status by_log = list_from("SELECT rowid FROM documents INDEXED BY documents_log WHERE seq > 0");
  Status by_table = list_from("SELECT rowid FROM documents NOT INDEXED WHERE length(meta) >= 0");
  knows_rows_ = by_id || by_log || by_table;
  if (!knows_rows_ && by_table.error().code != ErrorCode::Corrupt) {
    return by_table;
  }
  if (!knows_rows_) {
    static_cast<void>(list_from("SELECT rowid FROM documents NOT INDEXED ORDER BY rowid DESC"));
  }
  return {};
}

Status Mender::load() {
  auto loaded = load_identity(reader_);
  if (!loaded) {
    return fail(std::move(loaded).error());
  }
  identity_ = *std::move(loaded);
  last_seq_ = identity_.local_seq;
  return each_row(reader_, "SELECT id, name FROM collections",
                  [this](const Statement& row) { collections_[row.number(0)] = row.text(1); })
      .and_then([&] {
        return each_row(reader_, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'documents'",
                        [this](const Statement& row) { table_ = row.text(0); });
      })
      .and_then([&]() -> Status {
        auto indexes = load_indexes(reader_);
        if (indexes) {
          app_indexes_ = *std::move(indexes);
        } else if (indexes.error().code == ErrorCode::Corrupt) {
          done_.emplace_back("the app's own indexes are gone; make them again with CREATE INDEX");
        } else {
          return fail(std::move(indexes).error());
        }
        return {};
      });
}

// Only the names go: freeing the pages would mean to read them. With the table go its indexes and triggers, and the
// full-text tables, which follow from it.
Status Mender::replace_table() {
  return writer_
      .execute(
          "DELETE FROM indexes; PRAGMA writable_schema = ON;"
          "DELETE FROM sqlite_schema WHERE tbl_name = 'documents' OR tbl_name GLOB 'app_text_*';"
          "PRAGMA writable_schema = RESET;")
      .and_then([&] { return writer_.execute(table_.c_str()); });
}

Status Mender::lose(std::uint64_t rowid, std::string_view why) {
  const auto name = names_.find(rowid);
  if (name == names_.end()) {
    done_.push_back(fmt::format("a document whose name cannot be read was removed ({})", why));
    for (const auto& [number, collection] : collections_) lost_from_.insert(collection);
    return {};
  }
  const std::string& collection = collections_[name->second.first];
  lost_from_.insert(collection);
  done_.push_back(fmt::format("document '{}' of '{}' was removed ({}); a peer that has it will send it",
                              name->second.second, collection, why));
  return {};
}

Status Mender::copy_rows() {
  for (const std::uint64_t rowid : rows_) {
    auto copied = copy_if_readable(rowid);
    if (!copied) {
      return fail(std::move(copied).error());
    }
    if (Status named = *copied ? Status() : lose(rowid, "it cannot be read"); !named) {
      return named;
    }
  }
  return knows_rows_ ? Status() : copy_unknown_rows();
}

// Rows are numbered one after the other, so there are few numbers without one.
Status Mender::copy_unknown_rows() {
  const std::uint64_t last = rows_.empty() ? 0 : *rows_.rbegin();
  for (std::uint64_t rowid = 1; rowid < last; ++rowid) {
    if (rows_.contains(rowid)) continue;
    if (auto copied = copy_if_readable(rowid); !copied) {
      return fail(std::move(copied).error());
    }
  }
  done_.emplace_back(
      "documents that cannot be read, nor their names, were removed; a peer that has them will send them");
  for (const auto& [number, collection] : collections_) lost_from_.insert(collection);
  return {};
}

Result<bool> Mender::copy_if_readable(std::uint64_t rowid) {
  auto row = reader_.prepare(kSelectRow);
  if (!row) {
    return fail(std::move(row).error());
  }
  auto found = row->bind(1, rowid).step();
  if (!found && found.error().code != ErrorCode::Corrupt) {
    return fail(std::move(found).error());
  }
  if (!found || !*found) {
    return false;
  }
  Status copied = copy_row(*row);
  return copied ? Result<bool>(true) : fail(std::move(copied).error());
}

Status Mender::copy_row(const Statement& row) {
  const std::uint64_t rowid = row.number(0), collection = row.number(1);
  const std::string id = row.text(2);
  names_.try_emplace(rowid, collection, id);
  const auto derived = derive(row.text(8), id, row.blob(6), row.blob(7), identity_.actor);
  if (!derived) {
    return lose(rowid, derived.error().message);
  }
  auto insert = writer_.prepare(
      "INSERT INTO documents(rowid, collection, id, life, seq, version, buried, keep, body, meta) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) {
    return fail(std::move(insert).error());
  }
  const std::uint64_t seq = std::max(row.number(3), derived->newest_seq);
  insert->bind(1, rowid).bind(2, collection).bind(3, id).bind(4, derived->life).bind(5, seq).bind(6, derived->version);
  if (!derived->alive) {
    const auto now = static_cast<std::uint64_t>(options_.now.time_since_epoch().count());
    insert->bind(7, row.number(4) != 0 ? row.number(4) : now);
  }
  insert->bind(8, std::uint64_t{row.number(5) != 0 ? 1u : 0u}).bind_blob(9, row.blob(6)).bind_blob(10, row.blob(7));
  digests_[collection].add(derived->version);
  last_seq_ = std::max(last_seq_, seq);
  identity_.commit_seq = std::max(identity_.commit_seq, derived->own_seq);
  return insert->run();
}

// As after an eviction, and for every remote: who has sent us something before must not think that we have it.
Status Mender::forget_what_is_known() {
  if (!lost_anything()) {
    return {};
  }
  for (const std::string& collection : lost_from_) {
    const std::string name = fmt::format("kept.graves {}", collection);
    auto kept = load_name(writer_, name);
    if (!kept) {
      return fail(std::move(kept).error());
    }
    const std::string life = kept->empty() ? "0" : kept->substr(0, kept->find(' '));
    if (auto saved = save_name(writer_, name, life + " 1"); !saved) {
      return saved;
    }
  }
  done_.emplace_back(
      "the database begins with a new actor and a new epoch, and every peer compares everything with it");
  identity_.clean = false;
  return writer_.execute("DELETE FROM cursors").and_then([&] { return save_name(writer_, "boot_id", ""); });
}

// The documents that come again will want the content that they named.
Status Mender::keep_contents() {
  if (!lost_anything()) {
    return {};
  }
  auto touched = writer_.prepare("UPDATE attachments SET touched = ?");
  if (!touched) {
    return fail(std::move(touched).error());
  }
  return touched->bind(1, static_cast<std::uint64_t>(options_.now.time_since_epoch().count())).run();
}

Status Mender::finish_state() {
  identity_.local_seq = last_seq_;
  return forget_what_is_known()
      .and_then([&] { return save_state(writer_, identity_); })
      .and_then([&] { return writer_.execute("DELETE FROM state WHERE id <> 0"); })
      .and_then([&]() -> Status {
        for (const auto& [number, name] : collections_) {
          if (auto saved = save_digest(writer_, number, digests_[number]); !saved) {
            return saved;
          }
        }
        return {};
      });
}

Status Mender::create_again() {
  if (auto created = create_indexes(writer_); !created) {
    return created;
  }
  for (const Index& index : app_indexes_) {
    const auto collection = std::find_if(collections_.begin(), collections_.end(),
                                         [&](const auto& each) { return each.second == index.collection; });
    if (auto created = create_index(writer_, index, collection->first); !created) {
      return created;
    }
  }
  return {};
}

}  // namespace

Status each_row(Connection& connection, const char* sql, const std::function<void(const Statement&)>& visit) {
  auto rows = connection.prepare(sql);
  if (!rows) {
    return fail(std::move(rows).error());
  }
  for (;;) {
    auto found = rows->step();
    if (!found || !*found) {
      return found ? Status() : fail(std::move(found).error());
    }
    visit(*rows);
  }
}

Status mend(Connection& reader, Connection& writer, const MendOptions& options, std::vector<std::string>& done) {
  std::vector<std::string> steps;
  Status mended = Mender(reader, writer, options, steps).run();
  if (!mended) {
    return mended;
  }
  steps.emplace_back("the indexes, versions and digests were made anew from the documents");
  done.insert(done.end(), steps.begin(), steps.end());
  return {};
}

}  // namespace fermata::store
