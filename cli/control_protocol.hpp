// What is said over the control socket. One JSON object per line.
//
//   server, at once:   {"fermata":"control","version":1}
//   client, then:      {"op":"execute","statement":S,"parameters":{…}}   -> {"item":{…}}… {"id":"…"}… {"ok":true}
//                      {"op":"import","collection":C} {"document":{…}}… {"op":"commit"}   -> {"ok":true,"count":N}
//                      {"op":"collections"}   -> {"ok":true,"collections":{NAME:COUNT,…}}
//                      {"op":"gaps"}          -> {"ok":true,"gaps":[…]}
//                      {"op":"status"}        -> {"ok":true,"status":{…}}
//                      {"op":"backup","target":PATH} {"op":"compact"}
//                                             -> {"progress":{"done":N,"total":N}}… {"ok":true}
//                      {"op":"watch","statement":S,"parameters":{…}}
//                                             -> {"change":{…}}… {"ready":true} {"change":{…}}… until closed
//   or, at any point:  {"error":{"code":"syntax","message":"…"}}
//
// A connection takes any number of requests, one after the other. After an error of code "malformed" or
// "limit_exceeded" in the framing itself the server closes. An import that is not committed leaves nothing behind.
#pragma once

#include <fermata/value.hpp>
#include <string>

namespace fermata::cli {

inline constexpr int kControlVersion = 1;

[[nodiscard]] std::string hello_line();
[[nodiscard]] std::string error_line(const Error& error);
[[nodiscard]] std::string object_line(std::string_view key, Value value);  // {"key":value}

// A line as an object. Errors: Malformed; and, if the line is {"error":…}, that error.
[[nodiscard]] Result<Map> parse_line(std::string_view line);
// A member by type; nullptr if absent or of another type.
[[nodiscard]] const std::string* text_of(const Map& object, std::string_view key);
[[nodiscard]] const Map* map_of(const Map& object, std::string_view key);

}  // namespace fermata::cli
