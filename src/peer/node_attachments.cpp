// Fetching the content of attachments: from the app to the engine, and what the engine tells back to the app.
#include "peer/node.hpp"
#include "query/database_impl.hpp"
#include "store/attachments.hpp"

namespace fermata {

void Node::note_contents() {
  store_of(*database_).attachments().set_stored_listener([this](const ContentHash& hash) {
    loop_->post([this, hash] {
      engine_.content_stored(hash);
      pump();
    });
  });
}

Result<sync::FetchId> Node::fetch(const Attachment& attachment, std::shared_ptr<ProgressCall> call) {
  return on_loop<Result<sync::FetchId>>(fail(ErrorCode::Closed, "this peer was stopped"),
                                        [this, attachment, call = std::move(call)]() -> Result<sync::FetchId> {
                                          const auto id = engine_.fetch(attachment, loop_->now());
                                          fetches_.emplace(id, call);
                                          pump();
                                          return id;
                                        });
}

void Node::end_fetch(sync::FetchId id) {
  const std::lock_guard lock(lifecycle_);
  if (stopped_) return;
  loop_->post([this, id] {
    fetches_.erase(id);
    engine_.end_fetch(id);
    pump();
  });
}

void Node::tell_fetches() {
  for (sync::FetchNews& news : engine_.take_fetch_news()) {
    const auto found = fetches_.find(news.id);
    if (found == fetches_.end()) continue;
    AttachmentProgress progress{.received_bytes = news.received_bytes, .size_bytes = news.size_bytes};
    progress.done = news.ended.has_value();
    if (news.ended && !*news.ended) progress.error = news.ended->error();
    found->second->tell(std::move(progress));
    if (news.ended) fetches_.erase(found);
  }
}

}  // namespace fermata
