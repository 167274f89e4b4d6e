#pragma once

#include <fermata/result.hpp>
#include <string>
#include <utility>

namespace fermata::phone {

// With everything in it, also while somebody who is about to die still writes there; bounded to two seconds.
void remove_folder(const std::string& path);

// A new folder for one owner, in TMPDIR or /tmp; removed with everything in it.
class TempFolder {
 public:
  // Errors: Io.
  [[nodiscard]] static Result<TempFolder> make();
  TempFolder(TempFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempFolder& operator=(TempFolder&& other) = delete;
  ~TempFolder();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace fermata::phone
