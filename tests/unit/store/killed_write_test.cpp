// A process that is killed before or after any of its writes to the log: the next one finds all that was committed, and
// does not take what it finds for damage.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "store/file_forwarding.hpp"
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::TempDir;

// What parent and child share. A moment is before or after a call that changes the log.
struct Shared {
  int moments_left;  // until the child dies; negative: it does not
  int moments;       // met so far
  int committed;     // inserts that have returned
};
Shared* shared = nullptr;

void meet() {
  ++shared->moments;
  if (shared->moments_left-- == 0) ::_exit(0);
}

struct DeadlyFile {
  sqlite3_file base;
};
using Forward = Forwarding<DeadlyFile>;

template <class Call>
int between_moments(const Call& call) {
  meet();
  const int code = call();
  meet();
  return code;
}

const sqlite3_io_methods& deadly_methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m = Forward::methods();
    m.xWrite = [](sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
      return between_moments([&] { return Forward::write(file, bytes, amount, offset); });
    };
    m.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
      return between_moments([&] { return Forward::truncate(file, size); });
    };
    return m;
  }();
  return table;
}

sqlite3_vfs* base_vfs = nullptr;

bool is_log(const char* name) {
  return name != nullptr && std::string_view(name).ends_with("-wal");
}

int open_deadly(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  if (!is_log(name)) return base_vfs->xOpen(base_vfs, name, out, flags, out_flags);
  return Forward::open(base_vfs, name, out, flags, out_flags, deadly_methods());
}

int delete_deadly(sqlite3_vfs* /*vfs*/, const char* name, int sync_directory) {
  const auto remove = [&] { return base_vfs->xDelete(base_vfs, name, sync_directory); };
  return is_log(name) ? between_moments(remove) : remove();
}

// For this process, for good.
void make_writes_deadly() {
  static sqlite3_vfs vfs;
  base_vfs = sqlite3_vfs_find(nullptr);
  vfs = *base_vfs;
  vfs.zName = "deadly";
  vfs.szOsFile += static_cast<int>(sizeof(DeadlyFile));
  vfs.xOpen = open_deadly;
  vfs.xDelete = delete_deadly;
  sqlite3_vfs_register(&vfs, 1);
}

constexpr int kSmall = 6, kLarge = 11;
constexpr std::size_t kLargeBytes = 1 << 20;  // so that the log is checkpointed by itself, and begun anew

bool insert_some(Store& store, int count, std::size_t bytes) {
  for (int i = 0; i < count; ++i) {
    const std::string id = "d" + std::to_string(shared->committed + 1);
    if (!insert(store, id, {{"text", std::string(bytes, 'x')}})) return false;
    ++shared->committed;
  }
  return true;
}

// Everything that makes the log longer, shorter, or another one. Result: whether all of it worked.
bool live(const std::string& directory) {
  auto store = Store::open(on_disk(directory));
  if (!store || !insert_some(**store, kSmall, 10) || !(*store)->checkpoint()) return false;
  if (!insert_some(**store, kLarge, kLargeBytes) || !insert_some(**store, kSmall, 10)) return false;
  if (!(*store)->compact() || !insert_some(**store, kSmall, 10)) return false;
  if (!(*store)->quiesce(std::chrono::seconds(20)) || !insert_some(**store, kSmall, 10)) return false;
  return (*store)->quiesce(std::chrono::seconds(20)).has_value();
}

// A life that ends at that moment, or by itself. Result: whether it worked so far.
bool live_until(const std::string& directory, int moment) {
  *shared = {.moments_left = moment, .moments = 0, .committed = 0};
  const pid_t child = ::fork();
  if (child == 0) {
    make_writes_deadly();
    ::_exit(live(directory) ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

class KilledWrite : public ::testing::Test {
 protected:
  KilledWrite() {
    shared = static_cast<Shared*>(
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  }
  ~KilledWrite() override { ::munmap(shared, sizeof(Shared)); }
};

TEST_F(KilledWrite, LosesNothingAndPassesForNoDamageAtAnyMoment) {
  TempDir whole;
  ASSERT_TRUE(live_until(whole.path(), -1));
  const int moments = shared->moments;
  ASSERT_GT(moments, 500);
  // Others each time; all of them if FERMATA_EVERY_MOMENT is set. A prime, so that moments before calls and after them
  // take turns.
  const int step = std::getenv("FERMATA_EVERY_MOMENT") != nullptr ? 1 : 23;
  const int first = static_cast<int>(std::random_device{}() % static_cast<unsigned>(step));
  for (int moment = first; moment < moments; moment += step) {
    SCOPED_TRACE("killed at moment " + std::to_string(moment) + " of " + std::to_string(moments));
    TempDir dir;
    ASSERT_TRUE(live_until(dir.path(), moment));
    const int committed = shared->committed;
    auto store = must_open(on_disk(dir.path()));
    ASSERT_NE(store, nullptr);
    ASSERT_GE(store->last_local_seq(), static_cast<std::uint64_t>(committed));
    ASSERT_LE(store->last_local_seq(), static_cast<std::uint64_t>(committed + 1));
    store.reset();
    ASSERT_NE(must_open(on_disk(dir.path())), nullptr);
  }
}

}  // namespace
}  // namespace fermata::store
