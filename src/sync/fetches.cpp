#include "sync/fetches.hpp"

#include <algorithm>

#include "sync/limits.hpp"
#include "sync/shared.hpp"

namespace fermata::sync {

Fetches::Content& Fetches::of(const Attachment& attachment) {
  Content& content = contents_[attachment.hash()];
  // Of two that claim different sizes the first is tried; if it is the wrong one, nobody has it.
  if (content.users.empty() && content.subscriptions.empty()) content.size_bytes = attachment.size_bytes();
  return content;
}

bool Fetches::is_here(const Attachment& attachment) {
  return store_.attachments().find_complete(attachment.hash(), attachment.size_bytes()).has_value();
}

FetchId Fetches::begin(const Attachment& attachment, Instant now) {
  const std::uint64_t size_bytes = attachment.size_bytes();
  ++last_id_;
  if (is_here(attachment)) {
    news_[last_id_] = {last_id_, size_bytes, size_bytes, Status()};
    return last_id_;
  }
  Content& content = of(attachment);
  content.users.insert(last_id_);
  note(content);
  may_start_ = true;
  const FetchId id = last_id_;
  pump(now);
  return id;
}

void Fetches::end(FetchId id) {
  news_.erase(id);
  for (auto at = contents_.begin(); at != contents_.end(); ++at) {
    if (at->second.users.erase(id) != 0) return drop_if_unwanted(at);
  }
}

void Fetches::want(SubscriptionId subscription, const Attachment& attachment) {
  if (contents_.size() >= kMaxFetches && !contents_.contains(attachment.hash())) {
    was_full_ = true;
    return;
  }
  if (is_here(attachment)) return;
  if (of(attachment).subscriptions.insert(subscription).second) may_start_ = true;
}

bool Fetches::take_was_full() {
  return contents_.size() < kMaxFetches / 2 && std::exchange(was_full_, false);
}

void Fetches::end_subscription(SubscriptionId subscription) {
  for (auto at = contents_.begin(); at != contents_.end();) {
    const auto next = std::next(at);
    if (at->second.subscriptions.erase(subscription) != 0) drop_if_unwanted(at);
    at = next;
  }
}

void Fetches::drop_if_unwanted(Contents::iterator at) {
  if (!at->second.users.empty() || !at->second.subscriptions.empty()) return;
  ask_no_more(at->first, at->second);
  active_.erase(at->first);
  contents_.erase(at);
  may_start_ = true;
}

void Fetches::ask_no_more(const ContentHash& hash, Content& content) {
  const auto outlet = content.link ? outlets_.find(*content.link) : outlets_.end();
  if (outlet != outlets_.end()) outlet->second->send(encode(Fetch{hash, content.size_bytes, std::nullopt}));
  content.link.reset();
  note_active(hash, content);
}

void Fetches::note_active(const ContentHash& hash, const Content& content) {
  if (content.link || content.is_whole) {
    active_.insert(hash);
  } else if (active_.erase(hash) != 0) {
    may_start_ = true;
  }
}

void Fetches::note(const Content& content) {
  const std::uint64_t received = content.incoming ? content.incoming->stored_bytes() : 0;
  for (const FetchId id : content.users) news_[id] = {id, received, content.size_bytes, std::nullopt};
}

void Fetches::opened(Outlet& outlet, Instant now) {
  outlets_.emplace(outlet.link, &outlet);
  may_start_ = true;
  pump(now);
}

void Fetches::closed(LinkId link, Instant now) {
  if (outlets_.erase(link) == 0) return;
  for (auto& [hash, content] : contents_) {
    content.lacking.erase(link);
    if (content.link == link) content.link.reset();
    note_active(hash, content);
  }
  may_start_ = true;
  pump(now);
}

std::optional<LinkId> Fetches::provider_of(const Content& content) const {
  for (const auto& [link, outlet] : outlets_) {
    if (!content.lacking.contains(link)) return link;
  }
  return std::nullopt;
}

void Fetches::pump(Instant now) {
  if (outlets_.empty()) return;
  // Again if one has to begin anew.
  while (std::exchange(may_start_, false)) {
    for (auto at = contents_.begin(); at != contents_.end() && active_.size() < kMaxActiveFetches;) {
      const auto next = std::next(at);
      if (!at->second.link && !at->second.is_whole) start(at, now);
      at = next;
    }
  }
}

bool Fetches::start(Contents::iterator at, Instant now) {
  auto& [hash, content] = *at;
  const auto link = provider_of(content);
  if (!link) return true;
  if (!content.incoming) {
    auto incoming = store_.attachments().receive(hash, content.size_bytes);
    if (!incoming) return finish(at, fail(std::move(incoming).error())), false;
    if (*incoming == nullptr) {
      stored_.push_back(hash);
      finish(at, {});
      return false;
    }
    content.incoming = std::move(*incoming);
    note(content);
  }
  if (content.incoming->stored_bytes() == content.size_bytes) return settle(at, now);
  content.link = *link;
  content.heard = now;
  note_active(hash, content);
  outlets_.at(*link)->send(encode(Fetch{hash, content.size_bytes, content.incoming->stored_bytes()}));
  return true;
}

Status Fetches::on(LinkId link, const Part& part, Instant now) {
  const auto at = contents_.find(part.hash);
  if (at == contents_.end() || at->second.link != link) return {};  // it was on its way when we ended it
  Content& content = at->second;
  if (!part.bytes) {
    content.link.reset();
    content.lacking.insert(link);
    note_active(part.hash, content);
    pump(now);
    return {};
  }
  if (part.offset != content.incoming->stored_bytes()) return {};  // of what we asked for before
  content.heard = now;
  content.last = link;
  if (auto appended = content.incoming->append(*part.bytes); !appended) {
    if (appended.error().code == ErrorCode::Malformed) return appended;
    ask_no_more(at->first, content);
    const bool came_another_way = appended.error().code == ErrorCode::NotFound;
    content.incoming.reset();
    if (!came_another_way) finish(at, appended);
    pump(now);
    return {};
  }
  note(content);
  if (content.incoming->stored_bytes() == content.size_bytes) {
    settle(at, now);
    pump(now);
  }
  return {};
}

bool Fetches::settle(Contents::iterator at, Instant now) {
  Content& content = at->second;
  content.heard = now;
  content.link.reset();
  const auto done = content.incoming->settle();
  content.is_whole = done && !*done;
  note_active(at->first, content);
  if (content.is_whole) return true;
  if (!done && done.error().code == ErrorCode::Malformed) {
    // Who sent the wrong part cannot be told, if several did; the last is not asked again.
    content.incoming.reset();
    if (content.last) content.lacking.insert(*content.last);
    content.last.reset();
    may_start_ = true;
    note(content);
    return true;
  }
  if (!done && done.error().code == ErrorCode::NotFound) {  // it came another way, or has to come again
    content.incoming.reset();
    may_start_ = true;
    return true;
  }
  if (done) stored_.push_back(at->first);
  finish(at, done ? Status() : fail(done.error()));
  return false;
}

void Fetches::finish(Contents::iterator at, const Status& ended) {
  const Content& content = at->second;
  for (const FetchId id : content.users) {
    const std::uint64_t received = ended ? content.size_bytes : 0;
    news_[id] = {id, received, content.size_bytes, ended};
  }
  active_.erase(at->first);
  contents_.erase(at);
  may_start_ = true;
}

void Fetches::on(LinkId link, const Have& have, Instant now) {
  const auto at = contents_.find(have.hash);
  if (at == contents_.end() || at->second.lacking.erase(link) == 0) return;
  may_start_ = true;
  pump(now);
}

std::optional<Instant> Fetches::deadline() const {
  std::optional<Instant> next;
  for (const ContentHash& hash : active_) {
    const Content& content = contents_.at(hash);
    // What is to be checked is due at once, in steps between which others have their turn.
    const Instant due = content.is_whole ? content.heard : content.heard + stalled_after_;
    next = std::min(next.value_or(due), due);
  }
  return next;
}

void Fetches::on_deadline(Instant now) {
  const std::set<ContentHash> due = active_;
  for (const ContentHash& hash : due) {
    const auto at = contents_.find(hash);
    if (at == contents_.end()) continue;
    if (at->second.is_whole) {
      settle(at, now);
    } else if (at->second.link && now >= at->second.heard + stalled_after_) {
      give_up_stalled(hash, at->second, now);
    }
  }
  pump(now);
}

// It may only have many documents to send first: without another to ask we go on waiting.
void Fetches::give_up_stalled(const ContentHash& hash, Content& content, Instant now) {
  const LinkId silent = *content.link;
  content.heard = now;
  content.lacking.insert(silent);
  if (provider_of(content)) return ask_no_more(hash, content);
  content.lacking.erase(silent);
}

bool Fetches::busy() const {
  return !active_.empty();
}

std::vector<FetchNews> Fetches::take_news() {
  std::vector<FetchNews> all;
  for (auto& [id, news] : news_) all.push_back(std::move(news));
  news_.clear();
  return all;
}

std::vector<ContentHash> Fetches::take_stored() {
  return std::exchange(stored_, {});
}

}  // namespace fermata::sync
