// Parts of backups and compactions.
#pragma once

#include <atomic>
#include <fermata/maintenance.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace fermata::store {

// Read by one thread while another works.
struct Meter {
  std::atomic<std::uint64_t> done{0}, total{0};  // bytes
};

// Runs `work`, on a thread of its own if there is somebody to tell.
[[nodiscard]] Status with_progress(const Progress& progress, Meter& meter, const std::function<Status()>& work);

// A directory under a temporary name beside its own, "NAME.partial-…", which it gets at commit(). Gone with the object
// otherwise; a killed process leaves it.
class NewDirectory {
 public:
  // Errors: AlreadyExists, NotFound (no such folder), NoSpace, Io.
  [[nodiscard]] static Result<std::unique_ptr<NewDirectory>> make(const std::string& name);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return temporary_; }
  // On the disk, with all files in it, and under its own name. Errors: AlreadyExists, NoSpace, Io.
  [[nodiscard]] Status commit();

 private:
  NewDirectory(std::string name, std::string temporary) : name_(std::move(name)), temporary_(std::move(temporary)) {}
  std::string name_, temporary_;  // temporary_ is empty once committed
};

}  // namespace fermata::store
