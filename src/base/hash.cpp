#include "base/hash.hpp"

#include <openssl/evp.h>
#include <openssl/kdf.h>

// Compiled in here, so that whoever links the library needs no other.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>

#include "base/check.hpp"

namespace fermata {

Sha256 sha256(ByteView bytes) {
  Sha256 digest{};
  FERMATA_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

struct Sha256Stream::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> md{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  FERMATA_CHECK(context_->md != nullptr && EVP_DigestInit_ex(context_->md.get(), EVP_sha256(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::add(ByteView bytes) {
  FERMATA_CHECK(EVP_DigestUpdate(context_->md.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 digest{};
  FERMATA_CHECK(EVP_DigestFinal_ex(context_->md.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::uint64_t hash64(ByteView bytes) {
  const Sha256 digest = sha256(bytes);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | digest[i];
  return value;
}

std::uint64_t fast_hash64(ByteView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t fast_hash64(ByteView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Sha256 hkdf_sha256(ByteView secret, std::string_view info) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr),
                                                                            EVP_PKEY_CTX_free);
  Sha256 key{};
  std::size_t size = key.size();
  const auto info_bytes = as_bytes(info);
  const bool ok =
      context && EVP_PKEY_derive_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1 &&
      EVP_PKEY_CTX_set1_hkdf_key(context.get(), secret.data(), static_cast<int>(secret.size())) == 1 &&
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), info_bytes.data(), static_cast<int>(info_bytes.size())) == 1 &&
      EVP_PKEY_derive(context.get(), key.data(), &size) == 1 && size == key.size();
  FERMATA_CHECK(ok);
  return key;
}

}  // namespace fermata
