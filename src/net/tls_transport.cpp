#include "net/tls_transport.hpp"

#include "net/transport_core.hpp"

namespace fermata::net {
namespace {

// Owns the core, which its own callbacks may outlive it for the rest of a turn.
class TlsTransport final : public Transport {
 public:
  explicit TlsTransport(std::shared_ptr<TransportCore> core) : core_(std::move(core)) {}
  ~TlsTransport() override { core_->destroy(); }

  void set_events(TransportEvents events) override { core_->set_events(std::move(events)); }
  Result<std::string> listen(const std::string& address) override { return core_->listen(address); }
  void keep_dialing(const std::string& address) override { core_->keep_dialing(address); }
  void send(LinkId link, Bytes frame) override { core_->send(link, std::move(frame)); }
  void close(LinkId link, const Error& why) override { core_->close(link, why); }
  void stop_accepting() override { core_->stop_accepting(); }
  void suspend(Duration within, std::function<void()> done) override { core_->suspend(within, std::move(done)); }
  void resume() override { core_->resume(); }
  TransportStats stats() const override { return core_->stats(); }

 private:
  std::shared_ptr<TransportCore> core_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_tls_transport(Loop& loop, const Identity& identity, TransportOptions options) {
  auto* asio_loop = dynamic_cast<AsioLoop*>(&loop);
  if (asio_loop == nullptr)
    return fail(ErrorCode::InvalidArgument, "the TLS transport needs a loop of make_asio_loop()");
  return std::make_unique<TlsTransport>(std::make_shared<TransportCore>(*asio_loop, identity, std::move(options)));
}

}  // namespace fermata::net
