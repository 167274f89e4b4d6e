#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "crdt/digest.hpp"
#include "crdt/document.hpp"
#include "store/app_indexes.hpp"
#include "store/check.hpp"
#include "store/checksum_vfs.hpp"

namespace fermata::store {

namespace {

constexpr const char* kIndexes[] = {"documents_by_id", "documents_log", "documents_buried"};

std::string in_plain_words(std::string line) {
  const auto replace = [&line](std::string_view what, std::string_view with) {
    if (const auto at = line.find(what); at != std::string::npos) line.replace(at, what.size(), with);
  };
  replace("unable to get the page. error code=8202", "it is not what was written");
  replace("unable to get the page. error code=8458", "it is missing");
  return line;
}

bool is_headline(std::string_view line) {
  return line.empty() || line == "ok" || line.starts_with("***");
}

}  // namespace

Result<Derived> derive(std::string_view collection, std::string_view id, ByteView body, ByteView meta,
                       crdt::ActorId actor) {
  auto document = crdt::Document::decode(body, meta);
  if (!document) {
    return fail(std::move(document).error());
  }
  const Bytes again = document->encode_body();
  if (!std::equal(body.begin(), body.end(), again.begin(), again.end())) {
    return fail(ErrorCode::Corrupt, "its body is not what its metadata makes of it");
  }
  Derived derived{.life = document->life(),
                  .version = crdt::version_of(collection, id, *document),
                  .alive = document->alive(),
                  .newest_seq = document->life_mark().local_seq,
                  .newest_source = document->life_mark().source};
  for (const crdt::Register& each : document->registers()) {
    derived.newest_seq = std::max(derived.newest_seq, each.mark.local_seq);
    derived.newest_source = std::max(derived.newest_source, std::uint64_t{each.mark.source});
    if (each.dot.actor == actor) derived.own_seq = std::max(derived.own_seq, each.dot.seq);
  }
  return derived;
}

void Checker::note(std::string finding) {
  if (report_.found.size() < CheckReport::kMaxFindings) {
    report_.found.push_back(std::move(finding));
  }
}

Status Checker::excuse(const Error& error, std::string_view about) {
  // SQLITE_ERROR: an index on a field met a body that does not decode.
  if (error.code != ErrorCode::Corrupt && sqlite3_errcode(connection_.handle()) != SQLITE_ERROR) {
    return fail(error);
  }
  note(fmt::format("{}: some of it cannot be read", about));
  return {};
}

Status Checker::each(std::string_view about, const char* sql, const std::function<void(const Statement&)>& visit) {
  auto rows = connection_.prepare(sql);
  if (!rows) {
    return excuse(rows.error(), about);
  }
  for (;;) {
    auto found = rows->step();
    if (!found) {
      return excuse(found.error(), about);
    }
    if (!*found) {
      return {};
    }
    visit(*rows);
  }
}

Result<int> page_bytes(Connection& connection) {
  auto size = connection.prepare("PRAGMA page_size");
  if (!size) {
    return fail(std::move(size).error());
  }
  auto found = size->step();
  return found ? Result<int>(static_cast<int>(size->number(0))) : fail(std::move(found).error());
}

// Also those that hold nothing now, and so are read by nobody.
Status Checker::pages() {
  const auto bytes = page_bytes(connection_);
  if (!bytes) {
    return excuse(bytes.error(), "the file");
  }
  const int code = visit_damaged_pages(connection_.handle(), *bytes, [this](std::uint64_t page) {
    note(fmt::format("page {} of the file is not what was written", page));
    return SQLITE_OK;
  });
  return code == SQLITE_OK ? Status() : fail(connection_.error(code));
}

Status Checker::integrity() {
  return each("the database", "PRAGMA integrity_check", [this](const Statement& row) {
    const std::string text = row.text(0);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (!is_headline(line)) note("SQLite's check: " + in_plain_words(std::move(line)));
      begin = end + 1;
    }
  });
}

Status Checker::indexes() {
  std::vector<std::string> there;
  auto listed = each("the list of indexes", "SELECT name FROM sqlite_schema WHERE type = 'index'",
                     [&](const Statement& row) { there.push_back(row.text(0)); });
  for (const char* name : kIndexes) {
    if (listed && std::find(there.begin(), there.end(), name) == there.end()) {
      note(fmt::format("the index {} is missing", name));
    }
  }
  return listed;
}

Status Checker::state() {
  auto loaded = load_identity(connection_);
  if (!loaded) {
    return excuse(loaded.error(), "who the database is");
  }
  identity_ = *std::move(loaded);
  if (identity_.actor == 0 || identity_.epoch.empty()) {
    note("the database does not know who it is");
  }
  if (identity_.purged_seq > identity_.local_seq) {
    note(fmt::format("a deletion at position {} was forgotten, but the log ends at {}", identity_.purged_seq,
                     identity_.local_seq));
  }
  return each("the sources of changes", "SELECT max(number) FROM sources",
              [this](const Statement& row) { last_source_ = row.number(0); });
}

void Checker::look_at(const Statement& row) {
  const std::string id = row.text(2), collection = row.text(10);
  const auto complain = [&](std::string_view what) {
    note(fmt::format("document '{}' of '{}': {}", id, collection, what));
  };
  if (collection.empty()) {
    return note(fmt::format("document '{}' is in a collection without a name, number {}", id, row.number(1)));
  }
  const auto derived = derive(collection, id, row.blob(8), row.blob(9), identity_.actor);
  if (!derived) {
    return complain(derived.error().message);
  }
  ++(derived->alive ? report_.documents : report_.tombstones);
  sums_[row.number(1)].add(derived->version);
  const bool buried = row.number(6) != 0;
  if (row.number(3) != derived->life) complain("its life is not that of its metadata");
  if (row.number(5) != derived->version) complain("its version is not that of its content");
  if (buried == derived->alive) complain("its date of deletion does not fit its life");
  if (row.number(4) > identity_.local_seq || derived->newest_seq > identity_.local_seq) {
    complain("it is beyond the end of the log");
  }
  if (row.number(4) < derived->newest_seq) complain("it changed later than its place in the log says");
  if (derived->newest_source > last_source_) complain("it came from a source that is not known");
  if (derived->own_seq > identity_.commit_seq) complain("it holds a commit of ours that we have not made");
}

Status Checker::documents() {
  const std::size_t before = report_.found.size();
  auto done =
      each("the documents",
           "SELECT d.rowid, d.collection, d.id, d.life, d.seq, d.version, d.buried IS NOT NULL, d.keep, d.body, "
           "d.meta, c.name FROM documents AS d NOT INDEXED LEFT JOIN collections AS c ON c.id = d.collection "
           "ORDER BY d.rowid",
           [this](const Statement& row) { look_at(row); });
  read_all_ = report_.found.size() == before;
  return done;
}

Status Checker::positions() {
  return each("the log", "SELECT seq, count(*) FROM documents GROUP BY seq HAVING count(*) > 1",
              [this](const Statement& row) {
                note(fmt::format("{} documents are at position {} of the log", row.number(1), row.number(0)));
              })
      .and_then([&] {
        return each("the collections",
                    "SELECT collection, id, count(*) FROM documents GROUP BY 1, 2 HAVING count(*) > 1",
                    [this](const Statement& row) { note(fmt::format("document '{}' is there twice", row.text(1))); });
      });
}

// What could not be read is missing from our sums, which is said already.
Status Checker::digests() {
  if (!read_all_) {
    return {};
  }
  return each("the digests",
              "SELECT c.id, c.name, s.live, s.digest_low, s.digest_high FROM collections AS c "
              "LEFT JOIN state AS s ON s.id = c.id",
              [this](const Statement& row) {
                const crdt::Digest kept{.count = row.number(2), .low = row.number(3), .high = row.number(4)};
                if (kept != sums_[row.number(0)]) {
                  note(fmt::format("the digest of '{}' is not that of its documents", row.text(1)));
                }
              });
}

Status Checker::cursors() {
  return each(
      "the cursors", "SELECT epoch, subscription_key, seq FROM cursors WHERE epoch = '' OR seq < 0",
      [this](const Statement& row) { note(fmt::format("the cursor into the log '{}' points nowhere", row.text(0))); });
}

// What SQLite's check does not look into. An index on a collection that could not be read whole is missing documents.
Status Checker::full_texts() {
  auto all = load_indexes(connection_);
  if (!all) {
    return excuse(all.error(), "the list of the app's own indexes");
  }
  std::map<std::string, std::uint64_t> living;
  auto counted = each("the collections",
                      "SELECT c.name, count(*) FROM documents AS d JOIN collections AS c ON c.id = d.collection "
                      "WHERE d.life % 2 = 1 GROUP BY d.collection",
                      [&](const Statement& row) { living[row.text(0)] = row.number(1); });
  for (const Index& index : *all) {
    if (counted && index.kind == IndexKind::FullText) {
      counted = full_text(table_of(index), index.name, living[index.collection]);
    }
  }
  return counted;
}

Status Checker::full_text(const std::string& table, const std::string& name, std::uint64_t living) {
  const auto held = connection_.ask(fmt::format("SELECT count(*) FROM {}_docsize", table));
  if (!held) {
    return excuse(held.error(), fmt::format("the full-text index '{}'", name));
  }
  if (*held != std::to_string(living)) {
    note(fmt::format("the full-text index '{}' holds {} documents, its collection {}", name, *held, living));
  }
  return {};
}

Status Checker::run() {
  return pages()
      .and_then([&] { return integrity(); })
      .and_then([&] { return indexes(); })
      .and_then([&] { return state(); })
      .and_then([&] { return documents(); })
      .and_then([&] { return positions(); })
      .and_then([&] { return digests(); })
      .and_then([&] { return cursors(); })
      .and_then([&] { return full_texts(); })
      .and_then([&] { return attachments(); });
}

}  // namespace fermata::store
