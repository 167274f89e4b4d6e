#include "contest.hpp"
#include "query/database_impl.hpp"
#include "sections.hpp"
#include "store/store.hpp"
#include "support/temp_dir.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "scans";

}  // namespace

void measure_scans(Report& report, const Sizes& sizes, int repeats) {
  const support::TempDir directory;
  const auto database = value_of(Database::open({.directory = directory.path(), .executor = {}}));
  in_batches(sizes.documents, [&](const std::vector<Item>& batch) { import_batch(*database, batch); });
  store::Store& store = store_of(*database);
  const auto measure = [&](const std::string& what, std::size_t count, const auto& work) {
    const auto start = Clock::now();
    work();
    report.add(kSection, what, "/s", static_cast<double>(count) / seconds_since(start));
  };
  for (int i = 0; i < repeats; ++i) {
    measure("versions of a collection", sizes.documents,
            [&] { value_of(store.for_each_version("items", [](std::uint64_t, std::uint64_t, std::uint64_t) {})); });
    measure("its living documents", sizes.documents,
            [&] { value_of(store.for_each_living("items", [](const store::LivingDocument&) {})); });
    measure("its digest", sizes.lookups, [&] {
      for (std::size_t n = 0; n < sizes.lookups; ++n) value_of(store.digest("items"));
    });
  }
}

}  // namespace fermata::bench
