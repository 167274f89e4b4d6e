// Owning pointers for OpenSSL's objects, and the Ed25519 and X.509 pieces that an identity is made of.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "base/bytes.hpp"
#include "base/hash.hpp"

namespace fermata::net {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freer<SSL_free>>;
using TicketPtr = std::unique_ptr<SSL_SESSION, Freer<SSL_SESSION_free>>;

// The text of the first error that OpenSSL queued on this thread; empties the queue.
[[nodiscard]] std::string take_openssl_error();

// An Ed25519 key from its 32-byte seed. Error: InvalidArgument.
[[nodiscard]] Result<KeyPtr> key_from_seed(ByteView seed);
// Hex of the SHA-256 of the 32-byte public key. Error: Malformed for a key of another kind.
[[nodiscard]] Result<std::string> device_id_of(const EVP_PKEY& key);

// A certificate authority's certificate: the same bytes from the same key, on every device and at any time.
[[nodiscard]] Result<CertificatePtr> make_authority(EVP_PKEY& authority_key);
// A device's certificate. Error: InvalidArgument if `valid_days` leads beyond the year 9999.
[[nodiscard]] Result<CertificatePtr> make_device_certificate(EVP_PKEY& device_key, X509& authority,
                                                             EVP_PKEY& authority_key, std::time_t now, int valid_days);

// The wall clock, but never before this version was written: devices in the field wake up in 1970.
[[nodiscard]] std::time_t plausible_now();

}  // namespace fermata::net
