// Between the text of literals and names, and what they stand for. Both directions, so that they stay inverse.
#pragma once

#include <span>

#include "query/ast.hpp"

namespace fermata::query {

// 'it''s' -> it's, and "a ""b""" -> a "b": the outer quotes go, doubled ones become one.
[[nodiscard]] std::string unquote(std::string_view quoted);
// An integer if it looks like one and fits 64 bits, else a double. Error: InvalidArgument out of a double's range.
[[nodiscard]] Result<Value> parse_number(std::string_view digits);

void write_name(std::string& out, std::string_view name);
void write_path(std::string& out, const crdt::Path& path);
// Errors: InvalidArgument for what has no literal: bytes, timestamps (which are written as a call where one may stand),
// attachments, NaN, infinities, text that is not UTF-8.
[[nodiscard]] Status write_literal(std::string& out, const Value& value);

// `SELECT * FROM collection [WHERE …]` in its one normal form. Errors: as write_literal.
[[nodiscard]] Result<std::string> write_select(std::string_view collection, const Where& where);

// An operand as one would write it, whatever it holds. `aliases` are the names of the statement's collections.
[[nodiscard]] std::string describe(const Operand& operand, std::span<const std::string> aliases = {},
                                   std::size_t quantifiers = 0);
[[nodiscard]] std::string path_text(const crdt::Path& path);

}  // namespace fermata::query
