#include "net/identity.hpp"

#include <openssl/err.h>

#include <cstring>

#include "base/random.hpp"
#include "net/identity_impl.hpp"

namespace fermata::net {
namespace {

constexpr std::string_view kAuthorityInfo = "fermata/1 group authority ed25519";
constexpr long kMaxCertificateBytes = 16 << 10;

Bytes alpn_list() {
  Bytes list{static_cast<std::uint8_t>(kProtocolName.size())};
  list.insert(list.end(), kProtocolName.begin(), kProtocolName.end());
  return list;
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static const Bytes kOurs = alpn_list();
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, kOurs.data(), static_cast<unsigned>(kOurs.size()), offered,
                                          offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int keep_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* slot = static_cast<TicketPtr*>(SSL_get_app_data(ssl));
  if (slot == nullptr) return 0;
  slot->reset(session);
  return 1;
}

bool set_resumption(SSL_CTX* context, Role role) {
  if (role == Role::Dialed) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
    return true;
  }
  // To OpenSSL this option means: hand out names instead of encrypted state.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, kMaxTickets);
  SSL_CTX_set_timeout(context, kTicketLife);
  return SSL_CTX_set_num_tickets(context, 1) == 1 &&
         SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kProtocolName.data()),
                                        static_cast<unsigned>(kProtocolName.size())) == 1;
}

bool set_policy(SSL_CTX* context) {
  const Bytes protocols = alpn_list();
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kMaxCertificateBytes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1 &&
         SSL_CTX_set_alpn_protos(context, protocols.data(), static_cast<unsigned>(protocols.size())) == 0;
}

Result<ContextPtr> make_context(Role role, X509& authority, X509& certificate, EVP_PKEY& key) {
  ContextPtr context(SSL_CTX_new(TLS_method()));
  if (!context || !set_policy(context.get()) || !set_resumption(context.get(), role) ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), &authority) != 1 ||
      SSL_CTX_use_certificate(context.get(), &certificate) != 1 || SSL_CTX_use_PrivateKey(context.get(), &key) != 1) {
    return fail(ErrorCode::Io, "OpenSSL failed setting up TLS: " + take_openssl_error());
  }
  return context;
}

}  // namespace

Bytes Identity::generate_device_key() {
  Bytes key(32);
  system_random().fill(key);
  return key;
}

Result<Identity> Identity::make(const Options& options) {
  if (options.secret.empty()) return fail(ErrorCode::InvalidArgument, "the group's secret is empty; generate one");
  auto device_key = key_from_seed(options.device_key);
  if (!device_key) return fail(device_key.error());
  auto authority_key = key_from_seed(hkdf_sha256(as_bytes(options.secret), kAuthorityInfo));
  if (!authority_key) return fail(authority_key.error());
  auto authority = make_authority(**authority_key);
  if (!authority) return fail(authority.error());
  auto certificate =
      make_device_certificate(**device_key, **authority, **authority_key, plausible_now(), options.valid_days);
  if (!certificate) return fail(certificate.error());
  auto dialing = make_context(Role::Dialed, **authority, **certificate, **device_key);
  if (!dialing) return fail(dialing.error());
  auto accepting = make_context(Role::Accepted, **authority, **certificate, **device_key);
  if (!accepting) return fail(accepting.error());
  auto device = device_id_of(**device_key);
  if (!device) return fail(device.error());
  Identity identity;
  identity.impl_ = std::make_shared<const Impl>(Impl{std::move(*device), std::move(*dialing), std::move(*accepting)});
  return identity;
}

const DeviceId& Identity::device() const {
  return impl_->device;
}

}  // namespace fermata::net
