#include "cli/export_file.hpp"

#include <fmt/core.h>

#include <functional>
#include <set>

#include "cli/csv_value.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

using Visit = std::function<Status(const DocumentRecord&)>;

Status for_each_record(Access& access, const std::string& collection, const Visit& visit) {
  std::string after;
  while (true) {
    const auto records = access.export_after(collection, after);
    if (!records) return fail(records.error());
    if (records->empty()) return {};
    for (const DocumentRecord& record : *records) {
      if (auto visited = visit(record); !visited) return visited;
    }
    after = *records->back().fields.at("_id").if_a<std::string>();
  }
}

Result<ExportSummary> export_json(Access& access, const std::string& collection, Format format, Output& output) {
  ExportSummary summary;
  const bool lines = format == Format::Lines;
  Status done = lines ? Status() : output.write("[");
  if (done) {
    done = for_each_record(access, collection, [&](const DocumentRecord& record) {
      const std::string_view before = lines ? "" : summary.documents == 0 ? "\n" : ",\n";
      ++summary.documents;
      return output.write(std::string(before) + printable_json(to_json(record)) + (lines ? "\n" : ""));
    });
  }
  if (done && !lines) done = output.write("\n]\n");
  if (done) done = output.flush();
  if (!done) return fail(done.error());
  return summary;
}

// A document as columns: a field of a map is named with a dot. A map that is empty is a field.
void flatten(const Map& map, const std::string& prefix,
             const std::function<void(const std::string& name, const Value& value)>& visit) {
  for (const auto& [key, value] : map) {
    const std::string name = prefix + key;
    const Map* inner = value.if_a<Map>();
    if (inner != nullptr && !inner->empty()) {
      flatten(*inner, name + '.', visit);
    } else {
      visit(name, value);
    }
  }
}

bool has_awkward_name(const Map& map) {
  return std::any_of(map.begin(), map.end(), [](const auto& field) {
    const auto& [key, value] = field;
    const Map* inner = value.template if_a<Map>();
    return key.empty() || key.find('.') != std::string::npos || (inner != nullptr && has_awkward_name(*inner));
  });
}

class CsvExport {
 public:
  CsvExport(Access& access, const std::string& collection, Output& output)
      : access_(access), collection_(collection), output_(output) {}

  Result<ExportSummary> run() {
    Status done = for_each_record(access_, collection_, [&](const DocumentRecord& record) { return find(record); });
    if (done && !names_.empty()) done = write_header();
    if (done) {
      done = for_each_record(access_, collection_, [&](const DocumentRecord& record) { return write(record); });
    }
    if (done) done = output_.flush();
    if (!done) return fail(done.error());
    return ExportSummary{.documents = documents_, .losses = losses()};
  }

 private:
  Status find(const DocumentRecord& record) {
    flatten(record.fields, "", [&](const std::string& name, const Value&) { names_.insert(name); });
    if (names_.size() <= kMaxColumns) return {};
    return fail(ErrorCode::LimitExceeded,
                fmt::format("the documents of {} have more than {} different fields, too many for the columns of a "
                            "table; export as ndjson",
                            collection_, kMaxColumns));
  }

  Status write_header() {
    columns_.emplace_back("_id");
    names_.erase("_id");
    columns_.insert(columns_.end(), names_.begin(), names_.end());
    std::string row;
    for (const std::string& name : columns_) {
      if (!row.empty()) row += ',';
      write_csv_field(row, name, Quotes::IfNeeded);
    }
    return output_.write(row + "\r\n");
  }

  Status write(const DocumentRecord& record) {
    std::map<std::string, const Value*, std::less<>> fields;
    flatten(record.fields, "", [&](const std::string& name, const Value& value) { fields.emplace(name, &value); });
    std::string row;
    for (const std::string& name : columns_) {
      if (&name != columns_.data()) row += ',';
      const auto field = fields.find(name);
      if (field == fields.end()) continue;
      const CellKind kind = write_cell(row, *field->second);
      if (kind == CellKind::Absent) ++absent_;
      if (kind == CellKind::Json) typed_columns_[name] = "json";
      if (kind == CellKind::Time) typed_columns_.emplace(name, "timestamp");
      fields.erase(field);
    }
    ++documents_;
    late_ += fields.size();
    counters_ += record.counters.size();
    if (has_awkward_name(record.fields)) ++awkward_;
    return output_.write(row + "\r\n");
  }

  [[nodiscard]] std::vector<std::string> losses() const {
    std::vector<std::string> words;
    if (absent_ > 0) words.push_back(counted(absent_, "field") + " with null or an empty map left out");
    if (counters_ > 0) words.push_back(counted(counters_, "counter") + " of which only the number is left");
    if (!typed_columns_.empty()) {
      std::string types;
      for (const auto& [name, type] : typed_columns_)
        types += fmt::format("{}{}:{}", types.empty() ? "" : ",", name, type);
      words.push_back(
          "timestamps are text, and arrays, bytes, attachments and NaN are JSON; import them with --types " + types);
    }
    if (awkward_ > 0) {
      words.push_back(counted(awkward_, "document") +
                      " with field names that have a dot or are empty, which come back as maps or not at all");
    }
    if (late_ > 0) words.push_back(counted(late_, "field") + " without a column, having come meanwhile");
    return words;
  }

  Access& access_;
  const std::string& collection_;
  Output& output_;
  std::set<std::string> names_;
  std::vector<std::string> columns_;
  std::map<std::string, std::string_view> typed_columns_;  // and what they must be read as
  std::uint64_t documents_ = 0, absent_ = 0, counters_ = 0, awkward_ = 0, late_ = 0;
};

}  // namespace

Result<ExportSummary> export_collection(Access& access, const std::string& collection, Format format, Output& output) {
  if (format == Format::Csv) return CsvExport(access, collection, output).run();
  return export_json(access, collection, format, output);
}

}  // namespace fermata::cli
