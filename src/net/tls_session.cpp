#include "net/tls_session.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <array>
#include <limits>

#include "base/check.hpp"

namespace fermata::net {
namespace {

constexpr std::size_t kMaxRecord = 16 << 10;

std::string verify_failure(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired; renew it or set its clock";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "it has another group's secret";
    default:
      return std::string("its certificate is not acceptable: ") + X509_verify_cert_error_string(result);
  }
}

// The alerts with which a remote says what it holds against us, and our own complaints about what is no certificate.
std::string tls_failure(int reason) {
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "it showed no certificate";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
      return "it does not speak TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "it does not speak TLS 1.3";
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return "it speaks another protocol than ours";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return "it refused us: it has another group's secret";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "it refused us: our certificate has expired; check this device's clock";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "it refused us: it wants a certificate";
    default: {
      const char* text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
      return std::string("TLS failed: ") + (text == nullptr ? "no reason given" : text);
    }
  }
}

}  // namespace

TlsSession::TlsSession(const Identity& identity, Setup setup)
    : identity_(identity),
      ssl_(SSL_new((setup.role == Role::Dialed ? identity.impl().dialing : identity.impl().accepting).get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())),
      now_(setup.now) {
  FERMATA_CHECK(ssl_ && in_ != nullptr && out_ != nullptr);
  BIO_set_mem_eof_return(in_, -1);
  BIO_set_mem_eof_return(out_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_.get()), now_);
  if (setup.role == Role::Dialed) {
    SSL_set_connect_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), &ticket_);
    if (setup.ticket) SSL_set_session(ssl_.get(), setup.ticket.get());
    ERR_clear_error();
    static_cast<void>(SSL_do_handshake(ssl_.get()));  // writes the first flight; it cannot fail yet
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

// Devices lose their network without a goodbye all the time; OpenSSL would take that for a reason to forget the ticket.
TlsSession::~TlsSession() {
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

Status TlsSession::receive(ByteView ciphertext) {
  std::size_t written = 0;
  if (BIO_write_ex(in_, ciphertext.data(), ciphertext.size(), &written) != 1 || written != ciphertext.size()) {
    return fail(ErrorCode::Io, "OpenSSL took no more bytes");
  }
  return established() ? Status{} : advance_handshake();
}

Status TlsSession::advance_handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return authenticate();
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return {};
  return fail(explain());
}

Error TlsSession::explain() const {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return {ErrorCode::Unauthorized, verify_failure(SSL_get_verify_result(ssl_.get()))};
  }
  const char* other = reason == 0 && code != 0 ? ERR_reason_error_string(code) : nullptr;
  if (other != nullptr) return {ErrorCode::Protocol, std::string("TLS failed: ") + other};
  return {ErrorCode::Unauthorized, tls_failure(reason)};
}

Status TlsSession::authenticate() {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (std::string_view(reinterpret_cast<const char*>(protocol), size) != kProtocolName) {
    return fail(ErrorCode::Protocol, tls_failure(SSL_R_NO_APPLICATION_PROTOCOL));
  }
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  const EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  if (key == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
    return fail(ErrorCode::Unauthorized, tls_failure(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE));
  }
  // OpenSSL takes a resumed session's word for it that the certificate was good when the ticket was made.
  if (X509_cmp_time(X509_get0_notAfter(certificate), &now_) <= 0) {
    return fail(ErrorCode::Unauthorized, verify_failure(X509_V_ERR_CERT_HAS_EXPIRED));
  }
  auto device = device_id_of(*key);
  if (!device) return fail(ErrorCode::Unauthorized, "its certificate has no Ed25519 key");
  remote_ = std::move(*device);
  return {};
}

Result<bool> TlsSession::read(Bytes& out) {
  std::array<std::uint8_t, kMaxRecord> record;
  std::size_t size = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), record.data(), record.size(), &size);
  if (result == 1) {
    out.insert(out.end(), record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
    return true;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return false;
    case SSL_ERROR_ZERO_RETURN:
      return fail(ErrorCode::Closed, "it closed the connection");
    default:
      return fail(explain());
  }
}

Status TlsSession::write(ByteView plaintext) {
  if (plaintext.empty()) return {};
  std::size_t written = 0;
  ERR_clear_error();
  if (SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &written) != 1 || written != plaintext.size()) {
    return fail(ErrorCode::Io, "OpenSSL failed to encrypt: " + take_openssl_error());
  }
  return {};
}

void TlsSession::say_goodbye() {
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(ssl_.get()));
  ERR_clear_error();
}

void TlsSession::take_output(Bytes& out) {
  const std::size_t pending = BIO_ctrl_pending(out_);
  if (pending == 0) return;
  const std::size_t before = out.size();
  out.resize(before + pending);
  std::size_t taken = 0;
  BIO_read_ex(out_, out.data() + before, pending, &taken);
  out.resize(before + taken);
}

}  // namespace fermata::net
