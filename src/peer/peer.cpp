#include <fermata/peer.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "peer/device_key.hpp"
#include "peer/node.hpp"
#include "query/database_impl.hpp"

namespace fermata {
namespace {

std::string host_name() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) return "peer";
  return name;
}

}  // namespace

struct Peer::Impl {
  std::shared_ptr<Node> node;
};

Peer::Peer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Peer::~Peer() {
  stop();
}

Result<std::unique_ptr<Peer>> Peer::open(Options options) {
  auto database = open_database(
      {.directory = options.directory, .must_exist = options.must_exist, .durability = options.durability},
      options.executor);
  if (!database) return fail(database.error());
  auto key = load_device_key(options.directory);
  if (!key) return fail(key.error());
  auto identity = net::Identity::make({.secret = options.secret.text(), .device_key = std::move(*key)});
  if (!identity) return fail(identity.error());
  auto node = Node::make({.database = std::move(*database),
                          .identity = std::move(*identity),
                          .name = options.name.empty() ? host_name() : std::move(options.name),
                          .tombstone_ttl = options.tombstone_ttl,
                          .background = options.background,
                          .executor = std::move(options.executor)});
  if (!node) return fail(node.error());
  return std::unique_ptr<Peer>(new Peer(std::make_unique<Impl>(Impl{std::move(*node)})));
}

Database& Peer::database() {
  return impl_->node->database();
}

Result<Subscription> Peer::subscribe(std::string_view select, const Map& parameters, const SubscribeOptions& options) {
  auto predicate = query::Predicate::parse(select, parameters);
  if (!predicate) return fail(predicate.error());
  const auto subscribed =
      impl_->node->subscribe(std::move(*predicate), options.fetch_attachments ? sync::AttachmentPolicy::WithDocuments
                                                                              : sync::AttachmentPolicy::OnDemand);
  if (!subscribed) return fail(subscribed.error());
  // A handle may outlive its peer; then there is nothing left to cancel.
  const std::weak_ptr<Node> weak = impl_->node;
  return Subscription(std::shared_ptr<void>(nullptr, [weak, id = *subscribed](void*) {
    if (const auto node = weak.lock()) node->unsubscribe(id);
  }));
}

Result<AttachmentFetch> Peer::fetch_attachment(const Attachment& attachment,
                                               std::function<void(const AttachmentProgress&)> progress) {
  auto call = std::make_shared<ProgressCall>(impl_->node->callbacks(), std::move(progress));
  const auto id = impl_->node->fetch(attachment, call);
  if (!id) return fail(id.error());
  const std::weak_ptr<Node> weak = impl_->node;
  return AttachmentFetch(std::shared_ptr<void>(nullptr, [weak, call, id = *id](void*) {
    call->cancel();
    if (const auto node = weak.lock()) node->end_fetch(id);
  }));
}

Status Peer::start(const NetworkOptions& network) {
  return impl_->node->start(network);
}

void Peer::stop() {
  impl_->node->stop();
}

PeerStatus Peer::status() {
  return impl_->node->status();
}

}  // namespace fermata
