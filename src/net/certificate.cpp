#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/time.hpp"
#include "net/openssl.hpp"

namespace fermata::net {
namespace {

constexpr std::time_t kEarliestNow = 1767225600;  // 2026-01-01
constexpr const char* kNotBefore = "20200101000000Z";
constexpr const char* kNever = "99991231235959Z";
constexpr const char* kAuthorityName = "Fermata group";

tl::unexpected<Error> openssl_failed(const char* doing) {
  return fail(ErrorCode::Io, std::string("OpenSSL failed ") + doing + ": " + take_openssl_error());
}

bool set_name(X509_NAME* name, const std::string& common_name) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool add_extension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(&certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

// Positive and the same for the same key and time, so that two certificates with one serial number are one certificate.
bool set_serial(X509& certificate, const std::string& device, std::time_t now) {
  const std::uint64_t serial = hash64(as_bytes(device + "/" + std::to_string(now))) >> 1;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial) == 1;
}

bool fill_authority(X509& certificate, EVP_PKEY& key) {
  return X509_set_version(&certificate, 2) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), 1) == 1 &&
         set_name(X509_get_subject_name(&certificate), kAuthorityName) &&
         X509_set_issuer_name(&certificate, X509_get_subject_name(&certificate)) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notBefore(&certificate), kNotBefore) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(&certificate), kNever) == 1 &&
         X509_set_pubkey(&certificate, &key) == 1 &&
         add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign") &&
         add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
}

bool fill_device(X509& certificate, EVP_PKEY& key, X509& authority, const std::string& device, std::time_t now) {
  return X509_set_version(&certificate, 2) == 1 && set_serial(certificate, device, now) &&
         set_name(X509_get_subject_name(&certificate), device) &&
         X509_set_issuer_name(&certificate, X509_get_subject_name(&authority)) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notBefore(&certificate), kNotBefore) == 1 &&
         X509_set_pubkey(&certificate, &key) == 1 &&
         add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, authority, NID_ext_key_usage, "serverAuth,clientAuth") &&
         // Naming the issuer's key turns a wrong group into "unknown CA" instead of a broken signature.
         add_extension(certificate, authority, NID_authority_key_identifier, "keyid:always");
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

Result<KeyPtr> key_from_seed(ByteView seed) {
  if (seed.size() != 32) {
    return fail(ErrorCode::InvalidArgument,
                "a device key has 32 bytes, this one has " + std::to_string(seed.size()) + "; generate a new one");
  }
  KeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  if (!key) return openssl_failed("making an Ed25519 key");
  return key;
}

Result<std::string> device_id_of(const EVP_PKEY& key) {
  std::array<std::uint8_t, 32> raw{};
  std::size_t size = raw.size();
  if (EVP_PKEY_get_id(&key) != EVP_PKEY_ED25519 || EVP_PKEY_get_raw_public_key(&key, raw.data(), &size) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::Malformed, "the key is not an Ed25519 key");
  }
  return to_hex(sha256(raw));
}

Result<CertificatePtr> make_authority(EVP_PKEY& authority_key) {
  CertificatePtr certificate(X509_new());
  if (!certificate || !fill_authority(*certificate, authority_key) ||
      X509_sign(certificate.get(), &authority_key, nullptr) == 0) {
    return openssl_failed("making the group's certificate");
  }
  return certificate;
}

Result<CertificatePtr> make_device_certificate(EVP_PKEY& device_key, X509& authority, EVP_PKEY& authority_key,
                                               std::time_t now, int valid_days) {
  auto device = device_id_of(device_key);
  if (!device) return fail(device.error());
  CertificatePtr certificate(X509_new());
  if (!certificate || !fill_device(*certificate, device_key, authority, *device, now)) {
    return openssl_failed("making the device's certificate");
  }
  if (X509_time_adj_ex(X509_getm_notAfter(certificate.get()), valid_days, 0, &now) == nullptr) {
    ERR_clear_error();
    return fail(ErrorCode::InvalidArgument,
                "a certificate cannot be valid for " + std::to_string(valid_days) + " days; use fewer");
  }
  if (X509_sign(certificate.get(), &authority_key, nullptr) == 0) return openssl_failed("signing the certificate");
  return certificate;
}

std::time_t plausible_now() {
  const auto wall = std::chrono::duration_cast<std::chrono::seconds>(system_clock().wall_now().time_since_epoch());
  return std::max(static_cast<std::time_t>(wall.count()), kEarliestNow);
}

}  // namespace fermata::net
