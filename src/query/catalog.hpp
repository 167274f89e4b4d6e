// What the database knows of collections and of the indexes that the app has made. Read from a connection, inside the
// transaction or snapshot that the connection is in.
#pragma once

#include "query/ast.hpp"
#include "store/connection.hpp"

namespace fermata::query {

using store::Index;

class Catalog {
 public:
  explicit Catalog(store::Connection& connection) : connection_(connection) {}

  // 0 if there is no such collection.
  [[nodiscard]] Result<std::uint64_t> number_of(std::string_view collection) {
    return connection_.collection_number(collection);
  }
  // How many documents of it live, as of the last commit.
  [[nodiscard]] Result<std::uint64_t> living_in(std::string_view collection);
  [[nodiscard]] Result<std::vector<Index>> indexes_of(std::string_view collection);
  // The full-text index that a MATCH means: by its own name, or by one of its fields. Error: InvalidArgument.
  [[nodiscard]] Result<Index> full_text_index(std::string_view collection, std::string_view name_or_field);

 private:
  store::Connection& connection_;
};

}  // namespace fermata::query
