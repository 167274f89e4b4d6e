// What documents cost to write: inserts in batches, single commits, and the reads that sync begins with.
//   bench_store [directory] [documents]
// One line per measurement: operations per second of real time, and microseconds of processor time for each, which say
// more on a machine that others use too.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>

#include "store/store.hpp"

namespace {

using namespace fermata;

constexpr int kBatch = 1000;
constexpr int kSingleCommits = 5000;

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class Work>
void measure(const char* what, int operations, Work work) {
  const auto begun = std::chrono::steady_clock::now();
  const double spent = processor_seconds();
  if (!work()) {
    fmt::print(stderr, "{}: failed\n", what);
    std::exit(1);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  fmt::print("{:<28} {:>9.0f} /s {:>8.2f} us processor\n", what, operations / took.count(),
             1e6 * (processor_seconds() - spent) / operations);
}

std::string id_of(int number) {
  return fmt::format("0192f0a1-{:04x}-7000-8000-{:012x}", number >> 16, number);
}

// About 300 bytes as CBOR.
Map document_of(int number) {
  return {{"title", fmt::format("Document number {}", number)},
          {"done", false},
          {"rank", number},
          {"owner", Map{{"name", "Somebody"}, {"team", 7}}},
          {"text", std::string(200, 'x')}};
}

Status insert_all(store::Store& store, int documents) {
  for (int next = 0; next < documents;) {
    auto transaction = store.begin();
    if (!transaction) return fail(transaction.error());
    for (const int end = std::min(next + kBatch, documents); next < end; ++next) {
      if (auto done = transaction->insert("things", id_of(next), document_of(next)); !done) return done;
    }
    if (auto done = transaction->commit(); !done) return fail(done.error());
  }
  return {};
}

Status set_singly(store::Store& store, int documents) {
  for (int i = 0; i < kSingleCommits; ++i) {
    auto transaction = store.begin();
    if (!transaction) return fail(transaction.error());
    const int target = static_cast<int>(static_cast<long>(i) * 7919 % documents);
    if (auto done = transaction->set("things", id_of(target), {"rank"}, i); !done) return done;
    if (auto done = transaction->commit(); !done) return fail(done.error());
  }
  return {};
}

Status insert_singly(store::Store& store, int documents) {
  for (int i = 0; i < kSingleCommits; ++i) {
    auto transaction = store.begin();
    if (!transaction) return fail(transaction.error());
    if (auto done = transaction->insert("things", id_of(documents + i), document_of(i)); !done) return done;
    if (auto done = transaction->commit(); !done) return fail(done.error());
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "bench-store.tmp";
  const int documents = argc > 2 ? std::atoi(argv[2]) : 100'000;
  std::filesystem::remove_all(directory);
  {
    auto store = store::Store::open({.directory = directory.string()});
    if (!store) {
      fmt::print(stderr, "{}\n", store.error().message);
      return 1;
    }
    std::size_t heard = 0;
    (*store)->set_commit_listener([&](store::CommitEvent&& event) { heard += event.changes.size(); });
    measure("insert, batches of 1000", documents, [&] { return insert_all(**store, documents); });
    measure("insert, single commits", kSingleCommits, [&] { return insert_singly(**store, documents); });
    measure("set a field, single commits", kSingleCommits, [&] { return set_singly(**store, documents); });
    measure("versions of a collection", documents, [&] {
      return (*store)->for_each_version("things", [](std::uint64_t, std::uint64_t, std::uint64_t) {}).has_value();
    });
    measure("its living documents", documents,
            [&] { return (*store)->for_each_living("things", [](const store::LivingDocument&) {}).has_value(); });
    measure("its digest, 1000 times", 1000, [&] {
      bool good = true;
      for (int i = 0; i < 1000; ++i) good = good && (*store)->digest("things").has_value();
      return good;
    });
  }
  std::filesystem::remove_all(directory);
  return 0;
}
