// Small facts that higher layers keep beside the documents.
#include <gtest/gtest.h>

#include "store/store.hpp"
#include "support/memory_vfs.hpp"

namespace fermata::store {
namespace {

class FactTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Store> open() {
    StoreOptions options;
    options.directory = "/facts";
    options.vfs = disk_.vfs();
    options.boot_id = disk_.boot_id();
    options.lock_directory = false;
    return Store::open(options).value();
  }
  support::MemoryDisk disk_;
};

TEST_F(FactTest, IsRecalledAfterAReopenAndTheLatestCounts) {
  {
    const auto store = open();
    EXPECT_EQ(store->recall("gaps").value(), "");
    ASSERT_TRUE(store->remember("gaps", "old"));
    ASSERT_TRUE(store->remember("gaps", "new"));
  }
  EXPECT_EQ(open()->recall("gaps").value(), "new");
}

TEST_F(FactTest, NeverTouchesTheStoresOwnNames) {
  const auto store = open();
  const Epoch epoch = store->epoch();
  ASSERT_TRUE(store->remember("epoch", "mine"));
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(store->recall("epoch").value(), "mine");
  EXPECT_EQ(store->last_local_seq(), 0u) << "a fact is no change";
}

}  // namespace
}  // namespace fermata::store
