// What is said over the control socket. One JSON object per line.
//
//   server, at once:   {"fermata":"control","version":2}
//   client, then:      {"op":"execute","statement":S,"parameters":{…}}   -> {"item":{…}}… {"id":"…"}… {"ok":true}
//                      {"op":"import","collection":C} {"document":{…}}… {"op":"commit"}   -> {"ok":true,"count":N}
//                      {"op":"export","collection":C,"after":ID}   -> {"document":{…}}… {"ok":true}
//                      {"op":"collections"}   -> {"ok":true,"collections":{NAME:COUNT,…}}
//                      {"op":"gaps"}          -> {"ok":true,"gaps":[…]}
//                      {"op":"status"}        -> {"ok":true,"status":{…}}
//                      {"op":"backup","target":PATH} {"op":"compact"}
//                                             -> {"progress":{"done":N,"total":N}}… {"ok":true}
//                      {"op":"put_attachment","metadata":{…}} {"bytes":{"$bytes":B}}… {"op":"commit"}
//                                             -> {"ok":true,"attachment":{"$attachment":{…}}}
//                      {"op":"read_attachment","hash":{"$bytes":B}}   -> {"bytes":{"$bytes":B}}… {"ok":true}
//                      {"op":"watch","statement":S,"parameters":{…}}
//                                             -> {"change":{…}}… {"ready":true} {"change":{…}}… until closed
//   or, at any point:  {"error":{"code":"syntax","message":"…"}}
//
// Documents of an import and an export are records, as record.hpp writes them. An export gives the next ones behind an
// id, none at the end.
//
// A connection takes any number of requests, one after the other. After an error of code "malformed" or
// "limit_exceeded" in the framing itself the server closes. An import that is not committed leaves nothing behind.
#pragma once

#include <fermata/record.hpp>
#include <optional>
#include <string>

namespace fermata::cli {

inline constexpr int kControlVersion = 2;

[[nodiscard]] std::string hello_line();
[[nodiscard]] std::string error_line(const Error& error);
[[nodiscard]] std::string object_line(std::string_view key, Value value);  // {"key":value}

// A line as an object. Errors: Malformed; and, if the line is {"error":…}, that error.
[[nodiscard]] Result<Map> parse_line(std::string_view line);
// {"document":{…}}, and what such a line says; or else the object that it is. Errors: as parse_line().
struct RecordMessage {
  std::optional<DocumentRecord> record;
  Map other;
};
[[nodiscard]] std::string record_line(const DocumentRecord& record);
[[nodiscard]] Result<RecordMessage> parse_record_line(std::string_view line);

// A member by type; nullptr if absent or of another type.
[[nodiscard]] const std::string* text_of(const Map& object, std::string_view key);
[[nodiscard]] const Map* map_of(const Map& object, std::string_view key);

}  // namespace fermata::cli
