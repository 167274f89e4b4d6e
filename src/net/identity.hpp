// Who we are and whom we let in. A group is everybody who holds its secret: the secret yields, by HKDF, the Ed25519 key
// of the group's certificate authority, and each device mints itself a certificate for its own Ed25519 key. TLS
// verifies the chain; nothing else decides.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/transport.hpp"

namespace fermata::net {

class Identity {
 public:
  // A device key, as kept in a database directory: 32 bytes, the Ed25519 seed (RFC 8032).
  [[nodiscard]] static Bytes generate_device_key();

  struct Options {
    std::string secret;
    Bytes device_key;
    // Days from now; negative mints an expired certificate, for tests.
    int valid_days = 3650;
  };
  [[nodiscard]] static Result<Identity> make(const Options& options);

  [[nodiscard]] const DeviceId& device() const;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fermata::net
