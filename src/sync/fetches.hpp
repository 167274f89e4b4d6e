// What we want of the content of attachments, across all sessions: who is asked for which, how far it has come, and who
// has not got it. One peer brings a content at a time; when its link ends, another goes on where it stopped. Private to
// sync/.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/time.hpp"
#include "base/transport.hpp"
#include "store/attachments.hpp"
#include "sync/attachment_messages.hpp"
#include "sync/engine.hpp"

namespace fermata::sync {

struct Outlet;

class Fetches {
 public:
  Fetches(store::Store& store, Duration stalled_after) : store_(store), stalled_after_(stalled_after) {}

  [[nodiscard]] FetchId begin(const Attachment& attachment, Instant now);
  void end(FetchId id);
  // For a subscription; nothing is told about these. What is beyond kMaxFetches is left out, and was_full() says so.
  void want(SubscriptionId subscription, const Attachment& attachment);
  void end_subscription(SubscriptionId subscription);
  [[nodiscard]] bool take_was_full();

  // A link whose remote answers FETCH, until it is closed.
  void opened(Outlet& outlet, Instant now);
  void closed(LinkId link, Instant now);
  // Errors: Malformed.
  [[nodiscard]] Status on(LinkId link, const Part& part, Instant now);
  void on(LinkId link, const Have& have, Instant now);
  // Asks peers for what nobody brings.
  void pump(Instant now);

  [[nodiscard]] std::optional<Instant> deadline() const;
  void on_deadline(Instant now);
  // A connected peer is bringing something, or what came is being checked.
  [[nodiscard]] bool busy() const;
  [[nodiscard]] std::vector<FetchNews> take_news();
  // Contents that have come since this was last asked.
  [[nodiscard]] std::vector<ContentHash> take_stored();

 private:
  struct Content {
    std::uint64_t size_bytes = 0;
    std::set<FetchId> users;
    std::set<SubscriptionId> subscriptions;
    std::unique_ptr<store::Attachments::Incoming> incoming;
    std::optional<LinkId> link;  // who brings it
    std::optional<LinkId> last;  // who brought the last part
    Instant heard{};             // when it last brought a part, or when we last checked one
    std::set<LinkId> lacking;    // who has not got it
    bool is_whole = false;       // all is stored, and not all is checked
  };
  using Contents = std::map<ContentHash, Content>;

  [[nodiscard]] bool is_here(const Attachment& attachment);
  Content& of(const Attachment& attachment);
  void note(const Content& content);
  void drop_if_unwanted(Contents::iterator at);
  void ask_no_more(const ContentHash& hash, Content& content);
  [[nodiscard]] std::optional<LinkId> provider_of(const Content& content) const;
  // Whether it goes on: false once it has ended, and is gone from contents_.
  bool start(Contents::iterator at, Instant now);
  bool settle(Contents::iterator at, Instant now);
  void give_up_stalled(const ContentHash& hash, Content& content, Instant now);
  void finish(Contents::iterator at, const Status& ended);
  // After its link or is_whole changed.
  void note_active(const ContentHash& hash, const Content& content);

  store::Store& store_;
  Duration stalled_after_;
  std::map<LinkId, Outlet*> outlets_;
  Contents contents_;
  std::set<ContentHash> active_;  // those that somebody brings, or that are being checked
  bool may_start_ = false;        // something has changed since pump() last looked
  FetchId last_id_ = 0;
  std::map<FetchId, FetchNews> news_;
  std::vector<ContentHash> stored_;
  bool was_full_ = false;
};

}  // namespace fermata::sync
