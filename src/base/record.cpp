#include <fermata/record.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/json_marks.hpp"
#include "base/json_tree.hpp"

namespace fermata {
namespace {

constexpr std::string_view kCounterMark = "$counter";
constexpr std::string_view kMapMark = "$map";

// A map whose only key begins with "$" stands for something else.
bool looks_marked(const Map& map) {
  return map.size() == 1 && map.begin()->first.starts_with('$');
}

// Takes the counters out of a tree as JSON text has it.
class CounterTaker {
 public:
  explicit CounterTaker(std::vector<FieldPath>& counters) : counters_(counters) {}

  Status below(Map& map) {
    for (auto& [key, item] : map) {
      if (arrays_ == 0) path_.push_back(key);
      if (auto taken = at(item); !taken) return taken;
      if (arrays_ == 0) path_.pop_back();
    }
    return {};
  }

  Status at(Value& item) {
    if (auto* array = item.if_a<Array>()) return within(*array);
    Map* map = item.if_a<Map>();
    if (map == nullptr) return {};
    if (!looks_marked(*map)) return below(*map);
    auto& [mark, content] = *map->begin();
    if (mark == kMapMark && content.if_a<Map>() != nullptr) return below(*content.if_a<Map>());
    if (stands_for_value(mark)) return {};
    return mark == kCounterMark ? counter(item, content) : below(*map);
  }

 private:
  Status within(Array& array) {
    ++arrays_;
    for (Value& item : array) {
      if (auto taken = at(item); !taken) return taken;
    }
    --arrays_;
    return {};
  }

  Status counter(Value& item, const Value& content) {
    if (arrays_ > 0) {
      return fail(ErrorCode::Malformed,
                  fmt::format("JSON: the array in \"{}\" holds a \"$counter\", and only a field of its own can count; "
                              "write the number alone, or {{\"$map\":{{\"$counter\":…}}}} for a map with that key",
                              fmt::join(path_, ".")));
    }
    const auto* number = content.if_a<std::int64_t>();
    if (number == nullptr) {
      return fail(ErrorCode::Malformed,
                  fmt::format("JSON: \"$counter\" in \"{}\" must be an integer of 64 bits", fmt::join(path_, ".")));
    }
    counters_.push_back(path_);
    item = Value(static_cast<long long>(*number));
    return {};
  }

  std::vector<FieldPath>& counters_;
  FieldPath path_;          // to where it looks, or to the outermost array around that
  std::size_t arrays_ = 0;  // around it
};

class RecordWriter {
 public:
  RecordWriter(const std::vector<FieldPath>& counters, std::string& out)
      : counters_(counters.begin(), counters.end()), out_(out) {}

  void write(const Map& map) {
    if (looks_marked(map)) out_ += R"({"$map":)";
    out_ += '{';
    const char* separator = "";
    for (const auto& [key, item] : map) {
      out_ += separator;
      separator = ",";
      out_ += to_json(Value(key));
      out_ += ':';
      path_.push_back(key);
      write_field(item);
      path_.pop_back();
    }
    out_ += '}';
    if (looks_marked(map)) out_ += '}';
  }

 private:
  void write_field(const Value& item) {
    const auto next = counters_.lower_bound(path_);
    const bool is_above = next != counters_.end() && next->size() >= path_.size() &&
                          std::equal(path_.begin(), path_.end(), next->begin());
    const Map* map = item.if_a<Map>();
    if (is_above && *next == path_ && item.if_a<std::int64_t>() != nullptr) {
      out_ += R"({"$counter":)" + to_json(item) + '}';
    } else if (is_above && map != nullptr) {
      write(*map);
    } else {
      out_ += to_json(item);
    }
  }

  std::set<FieldPath> counters_;
  FieldPath path_;
  std::string& out_;
};

}  // namespace

Status take_counters(Value& tree, std::vector<FieldPath>& counters) {
  Map* map = tree.if_a<Map>();
  if (map == nullptr) return {};
  CounterTaker taker(counters);
  if (looks_marked(*map) && map->begin()->first == kMapMark) return taker.at(tree);
  return taker.below(*map);
}

std::string to_json(const DocumentRecord& record) {
  std::string out;
  RecordWriter(record.counters, out).write(record.fields);
  return out;
}

Result<DocumentRecord> record_from_json(std::string_view text, unsigned wrapping) {
  DocumentRecord record;
  auto value = read_json(text, wrapping, &record.counters);
  if (!value) return fail(value.error());
  Map* fields = value->if_a<Map>();
  if (fields == nullptr) return fail(ErrorCode::TypeMismatch, "the text is not a JSON object");
  record.fields = std::move(*fields);
  return record;
}

}  // namespace fermata
