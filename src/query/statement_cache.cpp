#include "query/statement_cache.hpp"

namespace fermata::query {

Result<Statement> StatementCache::parse(std::string_view text, const Map& parameters) {
  const auto tree = find(text);
  if (!tree) return fail(tree.error());
  return tree->bind(parameters);
}

Result<SyntaxTree> StatementCache::find(std::string_view text) {
  if (text.size() > kMaxTextBytes) return SyntaxTree::parse(text);
  std::string key(text);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = trees_.find(key); known != trees_.end()) return known->second;
  }
  auto tree = SyntaxTree::parse(text);
  if (!tree) return tree;
  const std::lock_guard lock(mutex_);
  // Who says so many different statements builds them of values, and will not say these again.
  if (trees_.size() >= kMaxStatements) trees_.clear();
  trees_.emplace(std::move(key), *tree);
  return tree;
}

}  // namespace fermata::query
