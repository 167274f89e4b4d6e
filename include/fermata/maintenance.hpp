// What looking after a database takes besides statements.
#pragma once

#include <cstdint>
#include <functional>

namespace fermata {

// What a commit is safe against when the call that made it returns.
enum class Durability : std::uint8_t {
  Normal,  // a killed process; with the power the last commits may be lost, always a whole end of them
  Full,    // a power cut too: every commit waits until the disk says that it is there
};

// How far a long operation has come, about; called now and then on the thread that called the operation, which holds no
// lock then. The last call has done == total, unless the operation failed.
using Progress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

}  // namespace fermata
