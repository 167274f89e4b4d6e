// The same work done by us and by plain SQLite, one after the other in each repeat, so that both meet the same weather.
#pragma once

#include <fermata/database.hpp>
#include <functional>

#include "measure.hpp"
#include "plain.hpp"
#include "report.hpp"

namespace fermata::bench {

[[nodiscard]] inline std::string id_of(std::size_t number) {
  std::string digits = std::to_string(number);
  return "0192f0a1-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

// What an app has in its hands before it calls anything.
struct Item {
  explicit Item(std::size_t number) : id(id_of(number)), fields(sample_document(number)), json(to_json(fields)) {
    whole = fields;
    whole.emplace("_id", id);
  }
  std::string id;
  Map fields, whole;
  std::string json;
};

struct Contender {
  std::string name;                            // of a floor
  std::function<void(std::size_t)> work = {};  // the operation of this number
};

// Adds the rates of all and the ratios of ours to each floor. The ratio of a repeat is of that repeat.
inline void contest(Report& report, const std::string& section, const std::string& what, std::size_t count,
                    const std::function<void(std::size_t)>& ours, const std::vector<Contender>& floors) {
  const auto rate = [&](const std::function<void(std::size_t)>& work) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) work(i);
    return static_cast<double>(count) / seconds_since(start);
  };
  const double own = rate(ours);
  report.add(section, what, "/s", own);
  for (const Contender& floor : floors) {
    const double other = rate(floor.work);
    report.add(section, what + ", floor: " + floor.name, "/s", other);
    report.add(section, what + ", ratio to " + floor.name, "", own / other);
  }
}

// `documents` in batches of this many; what becomes of each batch is up to the caller.
constexpr std::size_t kBatch = 1000;
inline void in_batches(std::size_t documents, const std::function<void(const std::vector<Item>&)>& take) {
  std::vector<Item> batch;
  for (std::size_t i = 0; i < documents; ++i) {
    batch.emplace_back(i);
    if (batch.size() < kBatch && i + 1 < documents) continue;
    take(batch);
    batch.clear();
  }
}

inline void import_batch(Database& database, const std::vector<Item>& batch) {
  std::vector<Map> documents;
  documents.reserve(batch.size());
  for (const Item& item : batch) documents.push_back(item.whole);
  static_cast<void>(value_of(database.import("items", std::move(documents))));
}

inline void insert_batch(Plain& plain, const std::vector<Item>& batch, Holding holding = Holding::Text) {
  plain.begin();
  for (const Item& item : batch) {
    plain.insert(item.id, item.fields, holding == Holding::Text ? item.json : to_json(item.fields));
  }
  plain.commit();
}

}  // namespace fermata::bench
