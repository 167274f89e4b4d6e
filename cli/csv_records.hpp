// Documents in CSV: a row each, their fields named by the header, a dotted name for a field of a map.
#pragma once

#include "cli/csv.hpp"
#include "cli/record_reader.hpp"

namespace fermata::cli {

class CsvRecords final : public RecordReader {
 public:
  CsvRecords(ByteSource source, std::string id_field, ColumnTypes types)
      : source_(std::move(source)), id_field_(std::move(id_field)), types_(std::move(types)) {}
  [[nodiscard]] Result<std::optional<ReadRecord>> next() override;
  [[nodiscard]] const ByteSource& source() const override { return source_; }

 private:
  struct Column {
    std::string name;
    FieldPath path;
    std::optional<ColumnType> type;
  };
  [[nodiscard]] Status read_header();
  [[nodiscard]] Status add_column(const std::string& name);
  [[nodiscard]] Result<DocumentRecord> record_of(const CsvRow& row) const;

  ByteSource source_;
  std::string id_field_;
  ColumnTypes types_;
  std::vector<Column> columns_;  // empty: the header has not been read
};

}  // namespace fermata::cli
