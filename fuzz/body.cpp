// A stored body and a path, both damaged: every way to a field of it gives the same, or an error.
#include <sqlite3.h>

#include "base/cbor.hpp"
#include "check.hpp"
#include "query/matcher.hpp"
#include "query/sqlite_functions.hpp"
#include "steps.hpp"
#include "store/field_functions.hpp"

namespace fermata::query {
namespace {

constexpr std::size_t kMaxNames = 70;  // deeper than documents are

class Sql {
 public:
  Sql() {
    FUZZ_EXPECT(sqlite3_open(":memory:", &handle_) == SQLITE_OK);
    store::register_field_functions(handle_);
    register_functions(handle_);
    FUZZ_EXPECT(sqlite3_prepare_v2(handle_, "SELECT fermata_kind(?1, ?2), fermata_get(?1, ?2), fermata_text(?1, ?2)",
                                   -1, &select_, nullptr) == SQLITE_OK);
  }
  ~Sql() {
    sqlite3_finalize(select_);
    sqlite3_close(handle_);
  }
  Sql(const Sql&) = delete;

  // As fermata_kind() says; -1 if anything of it does not decode.
  int kind(ByteView body, ByteView path) {
    sqlite3_bind_blob(select_, 1, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
    sqlite3_bind_blob(select_, 2, path.data(), static_cast<int>(path.size()), SQLITE_STATIC);
    const int kind = sqlite3_step(select_) == SQLITE_ROW ? sqlite3_column_int(select_, 0) : -1;
    sqlite3_reset(select_);
    return kind;
  }

 private:
  sqlite3* handle_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

crdt::Path names_in(ByteView bytes) {
  crdt::Path path(1);
  for (const std::uint8_t byte : bytes) {
    if (byte != '.') {
      path.back().push_back(static_cast<char>(byte));
    } else if (path.size() < kMaxNames) {
      path.emplace_back();
    }
  }
  return path;
}

void look_up(Sql& sql, ByteView body, const crdt::Path& path) {
  const Bytes encoded = store::encode_path(path);
  const auto item = store::find_item(body, path);
  const auto same = store::find_item(body, encoded);
  FUZZ_EXPECT(item.has_value() == same.has_value());
  FUZZ_EXPECT(!item || (item->data() == same->data() && item->size() == same->size()));
  const BodySource source("1", body);
  const Value* const found = source.find(path);
  const int kind = sql.kind(body, encoded);
  FUZZ_EXPECT(kind < 0 || is_id(path) || path.front() == kIdField || !source.status() ||
              (found != nullptr) == (kind > 0));
  const auto whole = decode_value(body);
  const Map* const fields = whole ? whole->if_a<Map>() : nullptr;
  if (fields == nullptr || path.front() == kIdField) return;
  FUZZ_EXPECT(source.status().has_value() && kind >= 0);
  const Value* const expected = value_at(*fields, path);
  FUZZ_EXPECT((expected == nullptr) == (found == nullptr));
  FUZZ_EXPECT(expected == nullptr || encode_value(*expected) == encode_value(*found));
}

}  // namespace
}  // namespace fermata::query

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fermata;
  static query::Sql sql;
  fuzz::Steps steps({data, size});
  const auto path = steps.next();
  const auto body = steps.next();
  if (!path || !body) return 0;
  query::look_up(sql, body->bytes, query::names_in(path->bytes));
  // A path that is none.
  static_cast<void>(sql.kind(body->bytes, path->bytes));
  return 0;
}
