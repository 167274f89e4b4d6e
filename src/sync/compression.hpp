// zstd for frames that bring many documents. Loop thread only.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.hpp"

namespace fermata::sync {

class Compressor {
 public:
  Compressor();
  ~Compressor();
  // Nothing where it does not pay: below kMinCompressed, or less than an eighth saved.
  [[nodiscard]] std::optional<Bytes> pack(ByteView plain);

 private:
  struct Context;
  std::unique_ptr<Context> context_;  // made by the first pack(): about 600 KiB
};

// Error: Malformed if `packed` is not one zstd frame of exactly `size` bytes. `size` has been checked against
// limits.hpp: this takes that much memory.
[[nodiscard]] Result<Bytes> unpack(ByteView packed, std::size_t size);

}  // namespace fermata::sync
