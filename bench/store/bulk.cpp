#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "contest.hpp"
#include "sections.hpp"
#include "support/temp_dir.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "bulk";

struct Filled {
  std::string name;  // "" is ours
  std::filesystem::path file;
  Layout layout = Layout::Json;
  Holding holding = Holding::Text;

  [[nodiscard]] std::string floor(const std::string& what) const {
    return name.empty() ? what : what + ", floor: " + name;
  }
};

// Seconds spent in the database alone, not in making the documents.
double fill_ours(const Filled& target, std::size_t documents) {
  const auto database = value_of(Database::open({.directory = target.file.parent_path(), .executor = {}}));
  double seconds = 0;
  in_batches(documents, [&](const std::vector<Item>& batch) {
    std::vector<Map> whole;
    for (const Item& item : batch) whole.push_back(item.whole);
    const auto start = Clock::now();
    static_cast<void>(value_of(database->import("items", std::move(whole))));
    seconds += seconds_since(start);
  });
  return seconds;
}

double fill_plain(const Filled& target, std::size_t documents) {
  Plain plain(target.file, target.layout, Durability::Normal);
  plain.create();
  double seconds = 0;
  in_batches(documents, [&](const std::vector<Item>& batch) {
    const auto start = Clock::now();
    insert_batch(plain, batch, target.holding);
    seconds += seconds_since(start);
  });
  plain.checkpoint();
  return seconds;
}

std::optional<double> resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  if (!(statm >> size >> resident)) return std::nullopt;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

struct Opened {
  double seconds = 0;     // until the first answer
  double more_bytes = 0;  // resident, after `lookups` answers
};

template <class Open>
Opened open_here(std::size_t lookups, std::size_t documents, const Open& open) {
  const double before = resident_bytes().value_or(0);
  const auto start = Clock::now();
  const auto [kept, ask] = open();
  ask(id_of(documents / 2));
  Opened opened{.seconds = seconds_since(start)};
  for (std::size_t i = 0; i < lookups; ++i) ask(id_of(i * 7919 % documents));
  opened.more_bytes = resident_bytes().value_or(0) - before;
  return opened;
}

Opened open_filled(const Filled& target, std::size_t lookups, std::size_t documents) {
  using Ask = std::function<void(const std::string&)>;
  if (target.name.empty()) {
    return open_here(lookups, documents, [&] {
      std::shared_ptr<Database> database =
          value_of(Database::open({.directory = target.file.parent_path(), .executor = {}}));
      Ask ask = [&database = *database](const std::string& id) {
        const auto found = value_of(database.execute("SELECT * FROM items WHERE _id = :id", {{"id", id}}));
        require(found.items.size() == 1, "the document is missing");
      };
      return std::pair(database, std::move(ask));
    });
  }
  return open_here(lookups, documents, [&] {
    auto plain = std::make_shared<Plain>(target.file, target.layout, Durability::Normal);
    Ask ask = [&plain = *plain](const std::string& id) {
      require(plain.whole_rows("id = ?", id) == 1, "the row is missing");
    };
    return std::pair(plain, std::move(ask));
  });
}

// In a process of its own, whose memory holds nothing of what this one did.
Opened open_apart(const Filled& target, std::size_t lookups, std::size_t documents) {
  int ends[2] = {};
  require(::pipe(ends) == 0, "no pipe");
  const pid_t child = ::fork();
  require(child >= 0, "no process");
  if (child == 0) {
    const Opened opened = open_filled(target, lookups, documents);
    ::_exit(::write(ends[1], &opened, sizeof opened) == sizeof opened ? 0 : 1);
  }
  ::close(ends[1]);
  Opened opened;
  require(::read(ends[0], &opened, sizeof opened) == sizeof opened, "the process that opened the database failed");
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return opened;
}

void measure_once(Report& report, const Sizes& sizes) {
  const support::TempDir directory;
  const Filled all[] = {{"", directory.path() + "/ours/fermata.db"},
                        {"JSON text", directory.file("json.db"), Layout::Json},
                        {"columns", directory.file("columns.db"), Layout::Columns},
                        {"JSON text with numbered changes", directory.file("numbered.db"), Layout::Numbered},
                        {"JSON text with numbered changes, made of values", directory.file("values.db"),
                         Layout::Numbered, Holding::Values}};
  const auto count = static_cast<double>(sizes.bulk);
  double own_rate = 0;
  for (const Filled& each : all) {
    const double rate = count / (each.name.empty() ? fill_ours(each, sizes.bulk) : fill_plain(each, sizes.bulk));
    if (each.name.empty()) own_rate = rate;
    report.add(kSection, each.floor("insert, 1,000 a transaction"), "/s", rate);
    if (!each.name.empty()) {
      report.add(kSection, "insert, 1,000 a transaction, ratio to " + each.name, "", own_rate / rate);
    }
  }
  for (const Filled& each : all) {
    report.add(kSection, each.floor("on the disk, a document"), "B",
               static_cast<double>(std::filesystem::file_size(each.file)) / count);
    const Opened opened = open_apart(each, sizes.lookups, sizes.bulk);
    report.add(kSection, each.floor("opening, until the first answer"), "ms", opened.seconds * 1e3);
    report.add(kSection, each.floor("memory after look-ups all over it"), "MiB", opened.more_bytes / (1 << 20));
  }
}

}  // namespace

void measure_bulk(Report& report, const Sizes& sizes, int repeats) {
  for (int i = 0; i < repeats; ++i) measure_once(report, sizes);
}

}  // namespace fermata::bench
