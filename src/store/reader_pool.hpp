// Read connections, opened when needed, up to four. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "store/schema.hpp"

namespace fermata::store {

class ReaderPool {
 public:
  static constexpr std::size_t kMaxReaders = 4;
  using Setup = std::function<void(sqlite3*)>;

  // A connection for one reader at a time; goes back with the object.
  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    ~Lease();
    Lease(Lease&&) noexcept = default;
    [[nodiscard]] Connection& operator*() const { return *connection_; }
    [[nodiscard]] Connection* operator->() const { return connection_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  void open(std::string file, std::string vfs, std::string owner);
  // Waits for a free connection, and through a drain(). Empty: the pool is closed.
  [[nodiscard]] Result<std::optional<Lease>> take();
  // Lets nobody in, waits for those inside, closes all connections and the pool. Error: Timeout; the pool goes on.
  [[nodiscard]] Status drain(std::chrono::steady_clock::time_point deadline);
  // Connections from now on run this when they open. Those that exist are replaced once free.
  void add_setup(Setup setup);
  [[nodiscard]] const std::vector<Setup>& setups() const { return setups_; }  // under the store's write mutex

 private:
  [[nodiscard]] Result<std::unique_ptr<Connection>> make();
  void give_back(std::unique_ptr<Connection> connection);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string file_, vfs_, owner_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t busy_ = 0;
  bool open_ = false, draining_ = false;
  std::vector<Setup> setups_;
};

}  // namespace fermata::store
