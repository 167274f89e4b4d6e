// A store in a directory that goes with it.
#pragma once

#include <memory>

#include "store/store.hpp"
#include "support/temp_dir.hpp"

namespace fermata::query {

class StoreInTempDir {
 public:
  store::Store* operator->() { return store_.get(); }
  store::Store& operator*() { return *store_; }

 private:
  static std::unique_ptr<store::Store> open(const std::string& directory) {
    store::StoreOptions options;
    options.directory = directory;
    return store::Store::open(std::move(options)).value();
  }

  support::TempDir directory_;
  std::unique_ptr<store::Store> store_ = open(directory_.path());
};

}  // namespace fermata::query
