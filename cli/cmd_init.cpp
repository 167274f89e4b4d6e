#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fermata/peer.hpp>
#include <filesystem>

#include "cli/files.hpp"
#include "cli/options.hpp"
#include "cli/secret_file.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

namespace fs = std::filesystem;

enum class Found { Nothing, EmptyDirectory };

Result<Found> look_at(const std::string& directory) {
  if (directory.empty()) return fail(ErrorCode::InvalidArgument, "the name of the directory to make is empty");
  std::error_code error;
  const fs::file_status status = fs::symlink_status(directory, error);
  if (status.type() == fs::file_type::not_found) return Found::Nothing;
  if (fs::is_directory(directory, error) && fs::is_empty(directory, error) && !error) return Found::EmptyDirectory;
  if (error) return fail(errno_error("cannot look at " + directory, error.value()));
  return fail(ErrorCode::AlreadyExists,
              fmt::format("{} exists already and is not empty; nothing was changed", directory));
}

// Takes back what init made, unless told to keep it.
class Undo {
 public:
  Undo(std::string directory, Found before) : directory_(std::move(directory)), before_(before) {}
  ~Undo() {
    if (directory_.empty()) return;
    std::error_code ignored;  // the reason why init failed is the one to report
    for (const auto& entry : fs::directory_iterator(directory_, ignored)) fs::remove_all(entry.path(), ignored);
    if (before_ == Found::Nothing) fs::remove(directory_, ignored);
  }
  void keep() { directory_.clear(); }

 private:
  std::string directory_;
  Found before_;
};

Status write_secret(const std::string& directory, const Secret& secret) {
  auto file = NewFile::create(secret_path(directory), S_IRUSR | S_IWUSR);
  if (!file) return fail(file.error());
  Output output(file->fd());
  if (auto status = output.line(secret.text()); !status) return status;
  if (auto status = output.flush(); !status) return status;
  return file->commit();
}

}  // namespace

Result<int> run_init(const InitOptions& options) {
  auto secret = options.secret_file.empty() ? Secret::generate() : Secret::from_file(options.secret_file);
  if (!secret) return fail(secret.error());
  const auto found = look_at(options.directory);
  if (!found) return fail(found.error());
  if (*found == Found::Nothing && ::mkdir(options.directory.c_str(), S_IRWXU) != 0) {
    return fail(errno_error("cannot make the directory " + options.directory, errno));
  }
  Undo undo(options.directory, *found);
  {
    auto database = Database::open({.directory = options.directory, .must_exist = false, .executor = {}});
    if (!database) return fail(database.error());
  }
  if (auto status = write_secret(options.directory, *secret); !status) return fail(status.error());
  undo.keep();
  say(fmt::format("made {}; the group's secret is in {}", options.directory, secret_path(options.directory)));
  return 0;
}

}  // namespace fermata::cli
