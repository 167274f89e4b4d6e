// What a change costs the live queries of a database, by how many observers there are and how large their results.
//   bench_live [documents]
// One line per measurement: microseconds of processor time and of real time for one commit, from the statement to the
// last callback that it causes. The first line is the commit without observers.
#include <fmt/format.h>
#include <sys/resource.h>
#include <fermata/database.hpp>

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "support/temp_dir.hpp"

namespace {

using namespace fermata;

constexpr int kOwners = 10'000;
// Of the collection that many observe: each reads its result once, without an index.
constexpr int kFew = 1000;

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  std::exit(1);
}

template <class T>
T required(Result<T> result) {
  if (!result) give_up(result.error());
  return std::move(*result);
}

// Counts callbacks; waits for them.
class Calls {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait_for(long count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  long count_ = 0;
};

std::string id_of(int number) {
  return fmt::format("0192f0a1-{:04x}-7000-8000-{:012x}", number >> 16, number);
}

Map document_of(int number) {
  return {{"_id", id_of(number)},
          {"title", fmt::format("Document number {}", number)},
          {"done", false},
          {"rank", number},
          {"owner", number % kOwners},
          {"place", Map{{"name", "Somewhere"}, {"team", 7}}},
          {"text", std::string(200, 'x')}};
}

void fill(Database& database, const std::string& collection, int documents) {
  std::vector<Map> batch;
  for (int i = 0; i < documents; ++i) {
    batch.push_back(document_of(i));
    if (batch.size() < 1000 && i + 1 < documents) continue;
    required(database.import(collection, std::exchange(batch, {})));
  }
}

struct Question {
  std::string what;
  std::string collection;
  int commits = 0;
  bool is_told = true;          // one observer is called for each commit
  std::function<Map(int)> set;  // the parameters of commit number n: :id, :rank
};

// Commits one by one, each after the callback of the one before.
void measure(Database& database, Calls& calls, long told_already, const Question& question) {
  calls.wait_for(told_already);
  const auto begun = std::chrono::steady_clock::now();
  const double spent = processor_seconds();
  const std::string update = "UPDATE " + question.collection + " SET rank = :rank WHERE _id = :id";
  for (int i = 0; i < question.commits; ++i) {
    required(database.execute(update, question.set(i)));
    if (question.is_told) calls.wait_for(told_already + i + 1);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  fmt::print("{:<62} {:>9.1f} us processor {:>9.1f} us\n", question.what,
             1e6 * (processor_seconds() - spent) / question.commits, 1e6 * took.count() / question.commits);
  std::fflush(stdout);
}

int round_number = 0;

// Another rank each time, never one that was there before, that sorts anywhere.
Map rank_of(int document, int documents) {
  const long place = static_cast<long>(++round_number) * 7919 % documents;
  return {{"id", id_of(document)}, {"rank", place * 1'000'000 + round_number}};
}

void one_value_each(Database& database, int observers) {
  Calls calls;
  std::vector<Observation> open;
  for (int i = 0; i < observers; ++i) {
    open.push_back(required(database.observe("SELECT * FROM few WHERE owner = :owner",
                                             [&](const QueryResult&) { calls.add(); }, {{"owner", i}})));
  }
  measure(database, calls, observers,
          {.what = fmt::format("{} observers, each of one owner's documents", observers),
           .collection = "few",
           .commits = observers > 1000 ? 300 : 1000,
           .is_told = observers > 0,
           .set = [&](int i) { return rank_of(observers == 0 ? i % kFew : i % std::min(observers, kFew), kFew); }});
}

void a_condition_each(Database& database, int observers) {
  Calls calls;
  std::vector<Observation> open;
  for (int i = 0; i < observers; ++i) {
    open.push_back(required(database.observe("SELECT * FROM few WHERE rank < :rank",
                                             [&](const QueryResult&) { calls.add(); }, {{"rank", -1 - i}})));
  }
  // Told last, as the only one.
  open.push_back(required(database.observe("SELECT * FROM few", [&](const QueryResult&) { calls.add(); })));
  measure(database, calls, observers + 1,
          {.what = fmt::format("{} observers of ranges that nothing is in", observers),
           .collection = "few",
           .commits = 300,
           .set = [](int i) { return rank_of(i % kFew, kFew); }});
}

void the_whole_table(Database& database, int documents) {
  for (const char* order : {"", " ORDER BY rank"}) {
    Calls calls;
    const std::string select = std::string("SELECT * FROM things") + order;
    const auto watcher = required(database.observe(select, [&](const QueryResult&) { calls.add(); }));
    measure(database, calls, 1,
            {.what = fmt::format("the result, {} documents{}", documents, order),
             .collection = "things",
             .commits = 20,
             .set = [&](int i) { return rank_of(i * 101 % documents, documents); }});
  }
}

void its_changes(Database& database, int documents) {
  for (const char* order : {"", " ORDER BY rank"}) {
    Calls calls;
    const std::string select = std::string("SELECT * FROM things") + order;
    std::size_t seen = 0;
    const auto watcher = required(database.observe_changes(select, [&](const ResultChange& change) {
      for (const std::size_t index : change.diff().updated) seen += change.item(index).size();
      calls.add();
    }));
    measure(database, calls, 1,
            {.what = fmt::format("what changed of {} documents{}", documents, order),
             .collection = "things",
             .commits = 1000,
             .set = [&](int i) { return rank_of(i * 101 % documents, documents); }});
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int documents = argc > 1 ? std::atoi(argv[1]) : 100'000;
  if (argc > 2 || documents <= 0) {
    fmt::print(stderr, "usage: bench_live [documents]\n");
    return 2;
  }
  const fermata::support::TempDir directory;
  const auto database = required(Database::open({.directory = directory.path(), .executor = {}}));
  fill(*database, "few", kFew);
  fill(*database, "things", documents);
  for (const int observers : {0, 1, 100, 10'000}) one_value_each(*database, observers);
  for (const int observers : {1, 100, 10'000}) a_condition_each(*database, observers);
  the_whole_table(*database, documents);
  its_changes(*database, documents);
  return 0;
}
