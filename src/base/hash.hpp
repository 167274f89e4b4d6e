// SHA-256 and HKDF (RFC 5869), from OpenSSL; XXH3, from xxHash.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.hpp"

namespace fermata {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(ByteView bytes);
// The same of bytes that come one after the other.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  void add(ByteView bytes);
  [[nodiscard]] Sha256 finish();  // of all that was added; nothing may be added afterwards

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] std::uint64_t hash64(ByteView bytes);  // the first eight bytes of SHA-256, big endian
// XXH3-64 without a seed: some twenty times faster than hash64 on short input, and no defence against somebody who
// looks for two inputs of one hash.
[[nodiscard]] std::uint64_t fast_hash64(ByteView bytes);
[[nodiscard]] std::uint64_t fast_hash64(ByteView bytes, std::uint64_t seed);
[[nodiscard]] Sha256 hkdf_sha256(ByteView secret, std::string_view info);

}  // namespace fermata
