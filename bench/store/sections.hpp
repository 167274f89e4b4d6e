// The parts of the bench. Each adds its figures, floors included, to the report.
#pragma once

#include "report.hpp"

namespace fermata::bench {

struct Sizes {
  std::size_t bulk = 1'000'000;     // documents of `bulk`
  std::size_t documents = 100'000;  // of all else
  std::size_t commits = 2'000;
  std::size_t lookups = 20'000;
  std::size_t attachment_mib = 100;
};

// One document a commit, at both levels of durability.
void measure_commits(Report& report, const Sizes& sizes, int repeats);
// A database of many documents: filled in batches, weighed on the disk and in memory, opened.
void measure_bulk(Report& report, const Sizes& sizes, int repeats);
// By _id, filters with and without an index, aggregates.
void measure_reads(Report& report, const Sizes& sizes, int repeats);
// What sync reads of a collection before it begins.
void measure_scans(Report& report, const Sizes& sizes, int repeats);
// A large content in and out.
void measure_attachments(Report& report, const Sizes& sizes, int repeats);

}  // namespace fermata::bench
