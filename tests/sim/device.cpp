#include "device.hpp"

#include <sqlite3.h>

#include "base/check.hpp"

namespace fermata::sim {
namespace {

constexpr const char* kDirectory = "/device";

// Every device begins as a copy of this one: opening a database is dearer than what a short run does with it. Small
// pages, because the documents are small and each commit writes whole ones.
const support::MemoryDisk& empty_database() {
  static support::MemoryDisk disk;
  static const bool made = [] {
    sqlite3* handle = nullptr;
    const std::string file = std::string(kDirectory) + "/fermata.db";
    const int opened =
        sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.vfs().c_str());
    FERMATA_CHECK(opened == SQLITE_OK);
    FERMATA_CHECK(sqlite3_exec(handle, "PRAGMA page_size = 512; VACUUM;", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
    store::StoreOptions options;
    options.directory = kDirectory;
    options.vfs = disk.vfs();
    options.file_identity = "a new database";
    options.lock_directory = false;
    return store::Store::open(options).has_value();
  }();
  FERMATA_CHECK(made);
  return disk;
}

}  // namespace

Device::Device(World& world, DeviceOptions options, Wires wires, const Device* origin)
    : world_(world),
      options_(std::move(options)),
      wires_(std::move(wires)),
      clock_(world),
      random_(world.random().u64()) {
  disk_.copy_from(origin ? origin->disk_ : empty_database());
  if (origin) wanted_ = origin->wanted_;
  open_store();
  restart();
}

Device::~Device() {
  engine_.reset();
  store_.reset();
}

void Device::open_store() {
  store::StoreOptions options;
  options.directory = kDirectory;
  options.vfs = disk_.vfs();
  options.clock = &clock_;
  options.random = &random_;
  options.boot_id = disk_.boot_id();
  options.file_identity = disk_.file_identity();
  options.mutation = options_.store_mutation;
  options.lock_directory = false;
  auto opened = store::Store::open(options);
  FERMATA_CHECK(opened.has_value());
  store_ = std::move(*opened);
  commits_.clear();
  store_->set_commit_listener([this](store::CommitEvent&& event) { commits_.push_back(std::move(event)); });
}

void Device::subscribe(const std::string& select) {
  auto predicate = query::Predicate::parse(select, {});
  FERMATA_CHECK(predicate.has_value());
  for (const query::Predicate& old : wanted_) {
    if (old.key() == predicate->key()) return;
  }
  wanted_.push_back(*predicate);
  if (!up()) return;
  turn([this, wanted = std::move(*predicate)]() mutable {
    ids_.push_back(engine_->subscribe(std::move(wanted), world_.now()));
  });
}

void Device::unsubscribe(std::size_t index) {
  const auto at = static_cast<std::ptrdiff_t>(index);
  engine_->unsubscribe(ids_[index], world_.now());
  wanted_.erase(wanted_.begin() + at);
  ids_.erase(ids_.begin() + at);
  drain();
}

void Device::lose_engine() {
  ++life_;
  suspended_ = false;
  missed_.clear();
  armed_.reset();
  engine_.reset();
  disk_.unlimited_space();
}

void Device::lose(Loss loss) {
  lose_engine();
  if (loss == Loss::Power) {
    disk_.crash(random_);
  } else {
    disk_.kill_process();
  }
  store_.reset();
  open_store();
}

void Device::backup() {
  backup_ = std::make_unique<support::MemoryDisk>();
  backup_->copy_from(disk_);
}

void Device::restore() {
  lose_engine();
  disk_.copy_from(*backup_);
  store_.reset();
  open_store();
}

void Device::restart() {
  engine_ = std::make_unique<sync::Engine>(*store_, options_.engine);
  ids_.clear();
  for (const query::Predicate& wanted : wanted_) ids_.push_back(engine_->subscribe(wanted, world_.now()));
  drain();
}

void Device::resume() {
  suspended_ = false;
  turn([this] { engine_->woke(world_.now()); });
  std::vector<std::function<void()>> missed = std::move(missed_);
  missed_.clear();
  for (auto& task : missed) turn(std::move(task));
  arm();
}

void Device::turn(std::function<void()> task) {
  if (!up()) return;
  if (suspended_) {
    missed_.push_back(std::move(task));
    return;
  }
  task();
  drain();
}

void Device::drain() {
  while (auto action = engine_->poll()) {
    if (auto* frame = std::get_if<sync::SendFrame>(&*action)) {
      wires_.send(frame->link, std::move(frame->frame));
    } else {
      wires_.close(std::get<sync::CloseLink>(*action).link);
    }
  }
  if (!commits_.empty()) deliver_commits();
  arm();
}

// Commits reach the engine a little later, as through the real peer's queue: others may come in between.
void Device::deliver_commits() {
  world_.after(world_.between(Duration::zero(), milliseconds(3)), [this, life = life_] {
    if (life != life_) return;
    turn([this] {
      std::deque<store::CommitEvent> commits = std::move(commits_);
      commits_.clear();
      for (const store::CommitEvent& event : commits) engine_->committed(event, world_.now());
    });
  });
}

void Device::arm() {
  if (!up() || suspended_) return;
  const auto next = engine_->next_deadline();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = *next;
  world_.after(std::max(Duration::zero(), *next - world_.now()), [this, life = life_, when = *next] {
    if (life != life_ || armed_ != when) return;
    armed_.reset();
    turn([this] { engine_->on_deadline(world_.now()); });
  });
}

}  // namespace fermata::sim
