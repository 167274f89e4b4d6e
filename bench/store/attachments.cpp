// The content of an attachment, streamed in and out: how quickly, and in how much memory more than an open database
// takes.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>

#include "contest.hpp"
#include "sections.hpp"
#include "support/temp_dir.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "attachments";
constexpr std::size_t kChunk = 64u << 10;  // as we keep it
constexpr std::size_t kChunksPerCommit = 16;

// Content that no two chunks share, made without much work.
void fill_chunk(std::span<std::uint8_t> into, std::uint64_t number) {
  static const std::array<std::uint8_t, kChunk> noise = [] {
    std::array<std::uint8_t, kChunk> bytes{};
    std::uint64_t state = 88172645463325252u;
    for (std::uint8_t& byte : bytes) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
      byte = static_cast<std::uint8_t>(state >> 32U);
    }
    return bytes;
  }();
  std::memcpy(into.data(), noise.data(), into.size());
  if (into.size() >= sizeof number) std::memcpy(into.data(), &number, sizeof number);
}

struct Streamed {
  double in_seconds = 0, out_seconds = 0;
  double in_more_bytes = 0, out_more_bytes = 0;  // at most at any time, beyond what was resident before
};

// `work`, and how far beyond its present size this process grows meanwhile.
template <class Work>
void weigh(double& seconds, double& more_bytes, const Work& work) {
  reset_peak_memory();
  const double before = memory_bytes();
  const auto start = Clock::now();
  work();
  seconds = seconds_since(start);
  more_bytes = peak_memory_bytes() - before;
}

Streamed stream_ours(const std::string& directory, std::size_t chunks) {
  const auto database = value_of(Database::open({.directory = directory, .executor = {}}));
  static_cast<void>(value_of(database->execute("INSERT INTO items DOCUMENTS (:d)", {{"d", sample_document(1)}})));
  Streamed streamed;
  std::optional<Attachment> attachment;
  weigh(streamed.in_seconds, streamed.in_more_bytes, [&] {
    std::uint64_t number = 0;
    attachment = value_of(database->put_attachment([&](std::span<std::uint8_t> into) -> Result<std::size_t> {
      if (number == chunks) return 0;
      fill_chunk(into.first(kChunk), number++);
      return kChunk;
    }));
    require(database->checkpoint().has_value(), "no checkpoint");
  });
  weigh(streamed.out_seconds, streamed.out_more_bytes, [&] {
    auto reader = value_of(database->open_attachment(*attachment));
    std::vector<std::uint8_t> buffer(kChunk);
    std::size_t total = 0;
    for (std::size_t count = 1; count != 0; total += count) count = value_of(reader.read(buffer));
    require(total == chunks * kChunk, "not all of it came back");
  });
  return streamed;
}

Streamed stream_plain(const std::string& directory, std::size_t chunks) {
  Plain plain(directory + "/plain.db", Layout::Columns, Durability::Normal);
  plain.create_blobs();
  Streamed streamed;
  std::vector<std::uint8_t> buffer(kChunk);
  weigh(streamed.in_seconds, streamed.in_more_bytes, [&] {
    for (std::size_t i = 0; i < chunks; ++i) {
      if (i % kChunksPerCommit == 0) plain.begin();
      fill_chunk(buffer, i);
      plain.put_blob(i, buffer);
      if (i % kChunksPerCommit == kChunksPerCommit - 1 || i + 1 == chunks) plain.commit();
    }
    plain.checkpoint();
  });
  weigh(streamed.out_seconds, streamed.out_more_bytes, [&] {
    for (std::size_t i = 0; i < chunks; ++i) require(plain.read_blob(i, buffer) == kChunk, "a row is missing");
  });
  return streamed;
}

// In a process of its own, which has taken no memory for anything else.
Streamed apart(Streamed (*stream)(const std::string&, std::size_t), std::size_t chunks) {
  const support::TempDir directory;
  int ends[2] = {};
  require(::pipe(ends) == 0, "no pipe");
  const pid_t child = ::fork();
  require(child >= 0, "no process");
  if (child == 0) {
    const Streamed streamed = stream(directory.path(), chunks);
    ::_exit(::write(ends[1], &streamed, sizeof streamed) == sizeof streamed ? 0 : 1);
  }
  ::close(ends[1]);
  Streamed streamed;
  require(::read(ends[0], &streamed, sizeof streamed) == sizeof streamed, "the process that streamed failed");
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return streamed;
}

}  // namespace

void measure_attachments(Report& report, const Sizes& sizes, int repeats) {
  const std::size_t chunks = (sizes.attachment_mib << 20) / kChunk;
  const auto mib = static_cast<double>(sizes.attachment_mib);
  for (int i = 0; i < repeats; ++i) {
    const Streamed ours = apart(stream_ours, chunks), plain = apart(stream_plain, chunks);
    const std::string floor = ", floor: SQLite, blobs of 64 KiB";
    report.add(kSection, "put", "MiB/s", mib / ours.in_seconds);
    report.add(kSection, "put" + floor, "MiB/s", mib / plain.in_seconds);
    report.add(kSection, "put, ratio", "", plain.in_seconds / ours.in_seconds);
    report.add(kSection, "read", "MiB/s", mib / ours.out_seconds);
    report.add(kSection, "read" + floor, "MiB/s", mib / plain.out_seconds);
    report.add(kSection, "read, ratio", "", plain.out_seconds / ours.out_seconds);
    report.add(kSection, "memory more, while putting", "MiB", ours.in_more_bytes / (1 << 20));
    report.add(kSection, "memory more, while putting" + floor, "MiB", plain.in_more_bytes / (1 << 20));
    report.add(kSection, "memory more, while reading", "MiB", ours.out_more_bytes / (1 << 20));
    report.add(kSection, "memory more, while reading" + floor, "MiB", plain.out_more_bytes / (1 << 20));
  }
}

}  // namespace fermata::bench
