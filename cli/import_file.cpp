#include "cli/import_file.hpp"

#include <fmt/core.h>
#include <fermata/database.hpp>

#include "cli/seen_ids.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

constexpr std::uint64_t kProgressEvery = 256;
constexpr std::uint64_t kBatchBytes = std::uint64_t{4} << 20;
constexpr std::size_t kBatchDocuments = 10'000;

const Value* id_value(const Map& document, const std::string& id_field) {
  const auto found = document.find(id_field);
  return found == document.end() ? find_path(document, id_field) : &found->second;
}

bool is_about_a_document(const Error& error) {
  return error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::LimitExceeded ||
         error.code == ErrorCode::TypeMismatch;
}

Error at(const Place& place, const Error& error) {
  return {error.code, place.text() + ": " + error.message};
}

// Gives the document its "_id". Result: that.
Result<std::string> take_id(Map& document, const std::string& id_field, const Place& place) {
  const Value* value = id_value(document, id_field);
  if (value == nullptr) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} has no field \"{}\" for its id; name another with --id", place.text(), id_field));
  }
  std::string id;
  if (const auto* text = value->if_a<std::string>()) {
    id = *text;
  } else if (const auto* number = value->if_a<std::int64_t>()) {
    id = std::to_string(*number);
  } else {
    return fail(ErrorCode::TypeMismatch,
                fmt::format("{}: the id in \"{}\" is neither text nor an integer", place.text(), id_field));
  }
  if (id.empty()) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{}: the id in \"{}\" is empty", place.text(), id_field));
  }
  document.insert_or_assign("_id", id);
  return id;
}

// Reads the records of a file and sees to it that each can be imported, unless that is known.
class CheckedRecords {
 public:
  CheckedRecords(std::unique_ptr<RecordReader> reader, const ImportRequest& request)
      : reader_(std::move(reader)), name_(request.file == "-" ? "stdin" : request.file), request_(request) {}

  // As RecordReader::next(), with the name of the file.
  Result<std::optional<ReadRecord>> next() {
    auto read = reader_->next();
    if (!read) return fail(named(read.error()));
    if (!*read) return read;
    auto& [place, record] = **read;
    if (record) {
      auto checked = check(*record, place);
      if (!checked && !is_about_a_document(checked.error())) return fail(named(checked.error()));
      if (!checked) record = fail(checked.error());
    }
    if (!record) record = fail(named(record.error()));
    return read;
  }

  [[nodiscard]] Error named(const Error& error) const {
    if (error.message.starts_with("cannot read ")) return error;
    return {error.code, name_ + ": " + error.message};
  }
  [[nodiscard]] const ByteSource& source() const { return reader_->source(); }
  // The same file has been looked through to its end.
  void need_no_check() { needs_check_ = false; }

 private:
  // Which of two documents with one id is meant is not ours to guess.
  Status check(DocumentRecord& record, const Place& place) {
    const auto id = take_id(record.fields, request_.read.id_field, place);
    if (!id) return fail(id.error());
    if (!needs_check_) return {};
    if (auto fit = check_record(record); !fit) return fail(at(place, fit.error()));
    const auto first = seen_.add(*id, place.number);
    if (!first) return fail(first.error());
    if (!*first) return {};
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} {} and {} have the same id \"{}\"", place.unit, **first, place.text(), *id));
  }

  std::unique_ptr<RecordReader> reader_;
  std::string name_;
  const ImportRequest& request_;
  SeenIds seen_;  // with the numbers of their lines or documents
  bool needs_check_ = true;
};

Result<CheckedRecords> open_checked(const ImportRequest& request) {
  auto reader = open_records(request.file, request.read);
  if (!reader) return fail(reader.error());
  return CheckedRecords(std::move(*reader), request);
}

class Import {
 public:
  Import(const ImportRequest& request, const std::function<Result<ImportBatch>()>& open, const ImportEvents& events)
      : request_(request), open_(open), events_(events) {}

  Result<ImportSummary> run() {
    auto records = open_checked(request_);
    if (!records) return fail(records.error());
    Status done = fill(*records);
    // What fits into one batch is all or nothing anyway; and stdin, even from a file, can be read but once.
    const bool can_read_twice = request_.file != "-" && records->source().size_bytes() > 0;
    if (done && !ended_ && request_.bad == BadRecords::Refuse && can_read_twice) done = check_all(*records);
    if (done) done = flush(*records);
    while (done && !ended_) done = fill(*records).and_then([&] { return flush(*records); });
    if (!done) return fail(explained(done.error()));
    return summary_;
  }

 private:
  void show(std::string_view doing, const ByteSource& source) {
    if (++shown_ % kProgressEvery == 0) events_.progress(doing, source.taken_bytes(), source.size_bytes());
  }

  Status check_all(CheckedRecords& records) {
    auto again = open_checked(request_);
    if (!again) return fail(again.error());
    while (true) {
      const auto read = again->next();
      if (!read) return fail(read.error());
      if (!*read) break;
      if (!(*read)->record) return fail((*read)->record.error());
      show("checking", again->source());
    }
    records.need_no_check();
    return {};
  }

  // Up to a batch, and looks one record ahead, so that the last batch knows that it is.
  Status fill(CheckedRecords& records) {
    const std::uint64_t start = records.source().taken_bytes();
    while (true) {
      auto read = ahead_ ? Result<std::optional<ReadRecord>>(std::exchange(ahead_, {})) : records.next();
      if (!read) return fail(read.error());
      if (!*read) {
        ended_ = true;
        return {};
      }
      const bool is_full = records.source().taken_bytes() - start > kBatchBytes || batch_.size() == kBatchDocuments;
      if (is_full && !batch_.empty()) {
        ahead_ = std::move(*read);
        return {};
      }
      auto& [place, record] = **read;
      if (record) {
        batch_.push_back(std::move(*record));
        places_.push_back(place);
      } else if (auto skipped = skip(record.error()); !skipped) {
        return skipped;
      }
      show("importing", records.source());
    }
  }

  Status skip(const Error& why) {
    if (request_.bad == BadRecords::Refuse) return fail(why);
    ++summary_.skipped;
    events_.skipped(why.message);
    return {};
  }

  Status flush(const CheckedRecords& records) {
    if (!import_) {
      auto opened = open_();
      if (!opened) return fail(opened.error());
      import_ = std::move(*opened);
    }
    std::vector<DocumentRecord> batch = std::exchange(batch_, {});
    const std::vector<Place> places = std::exchange(places_, {});
    if (batch.empty()) return {};
    return request_.bad == BadRecords::Refuse ? import_whole(std::move(batch), places, records)
                                              : import_what_can_be(batch, places, records);
  }

  Status import_whole(std::vector<DocumentRecord> batch, const std::vector<Place>& places,
                      const CheckedRecords& records) {
    auto imported = import_(request_.collection, std::move(batch));
    if (imported) {
      summary_.imported += *imported;
      return {};
    }
    // One that is too large beside what the database has of it is always alone.
    const bool is_its = imported.error().code == ErrorCode::LimitExceeded && places.size() == 1;
    return fail(is_its ? records.named(at(places.front(), imported.error())) : imported.error());
  }

  Status import_what_can_be(const std::vector<DocumentRecord>& batch, const std::vector<Place>& places,
                            const CheckedRecords& records) {
    auto imported = import_(request_.collection, batch);
    if (imported) {
      summary_.imported += *imported;
      return {};
    }
    if (!is_about_a_document(imported.error())) return fail(imported.error());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (auto done = import_one(batch[i], places[i], records); !done) return done;
    }
    return {};
  }

  Status import_one(const DocumentRecord& record, const Place& place, const CheckedRecords& records) {
    auto imported = import_(request_.collection, {record});
    if (imported) {
      ++summary_.imported;
      return {};
    }
    if (!is_about_a_document(imported.error())) return fail(imported.error());
    return skip(records.named(at(place, imported.error())));
  }

  [[nodiscard]] Error explained(const Error& error) const {
    if (summary_.imported == 0) return {error.code, error.message + "; nothing was imported"};
    return {error.code,
            fmt::format("{}; what stood before it ({}) was imported, and importing that again changes nothing",
                        error.message, counted(summary_.imported, "document"))};
  }

  const ImportRequest& request_;
  const std::function<Result<ImportBatch>()>& open_;
  const ImportEvents& events_;
  ImportBatch import_;
  std::vector<DocumentRecord> batch_;
  std::vector<Place> places_;  // of the same
  std::optional<ReadRecord> ahead_;
  ImportSummary summary_;
  std::uint64_t shown_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<ImportSummary> import_file(const ImportRequest& request, const std::function<Result<ImportBatch>()>& open,
                                  const ImportEvents& events) {
  return Import(request, open, events).run();
}

}  // namespace fermata::cli
