// The half of a session that sends the content of attachments to a remote that asks for it: chunk by chunk within the
// feed's window, behind the documents and with little under way, so that they never wait for a large attachment.
// Private to sync/.
#pragma once

#include <deque>
#include <set>

#include "store/attachments.hpp"
#include "sync/attachment_messages.hpp"
#include "sync/feed.hpp"

namespace fermata::sync {

class Supply {
 public:
  Supply(Outlet& outlet, Feed& feed) : outlet_(outlet), feed_(feed) {}

  // Errors: LimitExceeded for more than kMaxSupplied at a time, the store's.
  [[nodiscard]] Status on(const Fetch& fetch);
  // Sends what the window takes. Errors: the store's.
  [[nodiscard]] Status pump();
  // The content is here now: tells the remote if it has asked in vain.
  void stored(const ContentHash& hash);

 private:
  struct Request {
    ContentHash hash{};
    std::uint64_t offset = 0;
    std::optional<store::Attachments::Row> row;  // nothing: we have not got it
    store::Attachments::Pin pin;
  };

  void stop(const ContentHash& hash);
  [[nodiscard]] bool has_room();
  [[nodiscard]] Status send_next();

  Outlet& outlet_;
  Feed& feed_;
  std::deque<Request> requests_;         // served in turn
  std::deque<std::uint64_t> in_flight_;  // of our parts, the feed's number of each frame
  std::set<ContentHash> asked_in_vain_;
};

}  // namespace fermata::sync
