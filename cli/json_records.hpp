// Documents in JSON: a value that holds them all, taken apart as it is read; or a line for each.
#pragma once

#include "cli/record_reader.hpp"

namespace fermata::cli {

// An array of objects. Or an object: one document if it has the id, else arrays of documents, as in iso-codes; it is
// read whole, so at most kMaxRecordBytes.
class JsonRecords final : public RecordReader {
 public:
  JsonRecords(ByteSource source, std::string id_field) : source_(std::move(source)), id_field_(std::move(id_field)) {}
  [[nodiscard]] Result<std::optional<ReadRecord>> next() override;
  [[nodiscard]] const ByteSource& source() const override { return source_; }

 private:
  enum class State : std::uint8_t {
    Start,      // nothing has been read
    First,      // behind the [ of an array
    Following,  // behind one of its elements
    Ended,
  };
  [[nodiscard]] Result<std::optional<ReadRecord>> begin();
  [[nodiscard]] Result<std::optional<ReadRecord>> whole_object();
  // Whether it is none itself, but all its members are arrays of them. Error: InvalidArgument if only some are.
  [[nodiscard]] Result<bool> is_wrapper(const Map& object) const;
  [[nodiscard]] Result<std::optional<ReadRecord>> element();
  [[nodiscard]] Result<std::optional<ReadRecord>> end_of_array();
  [[nodiscard]] Status enter_member();
  [[nodiscard]] Result<std::optional<ReadRecord>> end_of_file(std::string_view kind);

  ByteSource source_;
  std::optional<ByteSource> object_;  // the text of a whole object, from which its arrays are read
  std::string id_field_;
  State state_ = State::Start;
  std::uint64_t count_ = 0;
};

class JsonLines final : public RecordReader {
 public:
  explicit JsonLines(ByteSource source) : source_(std::move(source)) {}
  [[nodiscard]] Result<std::optional<ReadRecord>> next() override;
  [[nodiscard]] const ByteSource& source() const override { return source_; }

 private:
  ByteSource source_;
};

}  // namespace fermata::cli
