// The part of a repair that is about the content of attachments.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/check_attachments.hpp"

namespace fermata::store {

// If anything is wrong in the tables of attachments, makes them anew, with those contents that are what their hash says
// and those that are still on their way. The others are named; they can be fetched again.
class ContentMender {
 public:
  // `reader` and `writer` are on the same database; `done` gets what was done.
  ContentMender(Connection& reader, Connection& writer, std::vector<std::string>& done)
      : reader_(reader), writer_(writer), done_(done) {}
  // Decides what is kept. Errors: what is no damage.
  [[nodiscard]] Status survey();
  // Within the writer's transaction.
  [[nodiscard]] Status replace();

 private:
  [[nodiscard]] Status list();
  [[nodiscard]] Status excuse(Status status);
  [[nodiscard]] Status look_at(std::uint64_t id, const Bytes& hash);
  [[nodiscard]] Status look_between();
  [[nodiscard]] Status copy(std::uint64_t id);
  void lose(const ContentRow& content, std::string_view why);

  Connection& reader_;
  Connection& writer_;
  std::vector<std::string>& done_;
  std::map<std::uint64_t, Bytes> listed_;  // their hashes, as far as an index knows them
  std::vector<std::uint64_t> kept_;
  bool is_sound_ = true;
};

}  // namespace fermata::store
