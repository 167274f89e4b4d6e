// Remotes that do not use our transport: plain sockets, and TLS with whatever context a test gives them. Never
// blocking: poll() them from a loop's condition.
#pragma once

#include <openssl/err.h>
#include <sys/socket.h>

#include <string>

#include "net/address.hpp"
#include "net/asio_loop.hpp"
#include "net/identity_impl.hpp"
#include "net_fixture.hpp"

namespace fermata::net {

class Stranger {
 public:
  explicit Stranger(const std::string& address) {
    const Endpoint endpoint = lookup(parse_address(address).value(), Names::NumericOnly).value().front();
    fd_ = Fd(::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd_.value(), endpoint.raw(), endpoint.size), 0) << "connecting to " << address;
  }

  // What the socket does not take now waits for push().
  void send(ByteView bytes) {
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    push();
  }
  void push() {
    const ssize_t size = ::send(fd_.value(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) unsent_.erase(unsent_.begin(), unsent_.begin() + size);
  }
  [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }
  // Takes what has come. True once the other side has closed.
  bool poll() {
    push();
    Bytes buffer(64 << 10);
    while (!closed_) {
      const ssize_t size = ::recv(fd_.value(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
      closed_ = size <= 0;
      if (size > 0) received_.insert(received_.end(), buffer.begin(), buffer.begin() + size);
    }
    return closed_;
  }
  [[nodiscard]] Bytes& received() { return received_; }

 private:
  Fd fd_;
  Bytes received_, unsent_;
  bool closed_ = false;
};

class TlsStranger {
 public:
  TlsStranger(const std::string& address, SSL_CTX* context)
      : socket_(address), ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    poll();
  }

  // Advances the handshake or reads. True once the other side has closed.
  bool poll() {
    const bool closed = socket_.poll();
    BIO_write(in_, socket_.received().data(), static_cast<int>(socket_.received().size()));
    socket_.received().clear();
    SSL_do_handshake(ssl_.get());
    Bytes buffer(16 << 10);
    std::size_t size = 0;
    while (SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size) == 1) {
      plaintext_.insert(plaintext_.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    }
    ERR_clear_error();
    push();
    return closed;
  }
  [[nodiscard]] bool finished_handshake() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  void send(ByteView plaintext) {
    SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
    push();
  }
  void send_raw(ByteView bytes) { socket_.send(bytes); }
  [[nodiscard]] std::size_t unsent() const { return socket_.unsent(); }
  void push_unsent() { socket_.push(); }
  [[nodiscard]] const Bytes& plaintext() const { return plaintext_; }

 private:
  void push() {
    Bytes out(BIO_ctrl_pending(out_));
    if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
    if (!out.empty()) socket_.send(out);
  }

  Stranger socket_;
  SslPtr ssl_;
  BIO* in_;
  BIO* out_;
  Bytes plaintext_;
};

// A member of a group that trusts whoever answers.
inline SSL_CTX* trusting(const Identity& identity) {
  SSL_CTX_set_verify(identity.impl().dialing.get(), SSL_VERIFY_NONE, nullptr);
  return identity.impl().dialing.get();
}

// A client of our protocol without a certificate.
inline ContextPtr anonymous_context() {
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  const std::string alpn =
      "\x09"
      "fermata/1";
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
  return context;
}

}  // namespace fermata::net
