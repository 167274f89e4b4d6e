// Statements that were read before, by their text: reading one costs more than looking up a document. Thread-safe.
#pragma once

#include <mutex>
#include <unordered_map>

#include "query/parser.hpp"

namespace fermata::query {

class StatementCache {
 public:
  // As parse_statement().
  [[nodiscard]] Result<Statement> parse(std::string_view text, const Map& parameters);

 private:
  // Longer ones are rarely said twice.
  static constexpr std::size_t kMaxTextBytes = 4096;
  static constexpr std::size_t kMaxStatements = 256;

  [[nodiscard]] Result<SyntaxTree> find(std::string_view text);

  std::mutex mutex_;
  std::unordered_map<std::string, SyntaxTree> trees_;
};

}  // namespace fermata::query
