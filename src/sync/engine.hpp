// One peer's side of synchronisation: sessions, subscriptions, cursors (DESIGN §5, docs/PROTOCOL.md). Sans-IO: frames
// and commit events go in, actions come out; somebody else owns sockets, time and threads. It reads and writes the
// store it is given. Loop thread only.
//
// Who sends what. Each session walks our local-seq log on behalf of the remote's subscriptions. A session that is at
// the head is pushed each commit as it happens (live); one that is behind is fed batches from the log within its credit
// (resume). The log itself is the queue: a slow receiver costs us nothing but its position.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <fermata/attachment.hpp>
#include "base/time.hpp"
#include "base/transport.hpp"
#include "query/predicate.hpp"
#include "store/store.hpp"

namespace fermata::sync {

// Bugs that the simulator's own test puts in, to see that its oracles notice. Never anything but None elsewhere.
enum class Mutation : std::uint8_t {
  None,
  CursorOffByOne,        // a received range counts for one change more than it held
  BeforeMatchIgnored,    // a document that leaves a subscription is not sent
  HeldRangeFolded,       // the cursor passes named documents before they came
  EchoDropsDocument,     // a document is withheld from a remote because a part of it came from there
  BaseIgnored,           // a document that moved on in the log is sent from the cursor, not from the base
  FingerprintIgnored,    // nobody is told that what it holds has been superseded
  OfferTakenForGranted,  // an offered state counts as come, though it never did
  OpenOffersFolded,      // the cursor passes offers before what they offered has come
  LazyForEver,           // an offer that does not come another way is not asked for
  LazySendsNothing,      // what is lazy is not even offered
  HorizonIgnored,        // a peer that may have missed forgotten deletions goes on from its cursor
  BuriedUnseen,          // what a peer has no trace of counts as deleted, though it never had it
  DigestIgnored,         // digests that differ are not repaired
  PartTakenForWhole,     // a part of a document is taken in by who has nothing of it
  EchoOfOldSessions,     // what came from a remote once is withheld though it states no cursor
  DeadUntold,            // who sends a document that is dead here is not told
  JudgeLeftOut,          // what was deleted here is taken in again once the deletion has been forgotten
  KnownTooEarly,         // what the remote knows is taken for what is known here before both hold the same
  PurgedUnknown,         // deletions are forgotten though nobody would be recognised who brings the document back
  PurgedUnheard,         // deletions are forgotten before connected peers have heard of them
  EvictKeepsCursors,     // after an eviction a subscription goes on from where it was
  EpochIgnored,          // a cursor in a log that is no longer ours counts all the same
  SourceOfOldEpoch,      // what came from a store's earlier life counts as known to its new one
  WantAnsweredPartly,    // the last document of a WANT is left out of the answer
  NamesNotSent,          // documents that moved out while nobody was connected are not named
  ClosedWindowSkips,     // what does not fit into the window is passed over instead of left in the log
  WindowNeverCloses,     // more and more is sent to somebody who acknowledges nothing
  DrainFolds,            // a peer that takes nothing in any more lets its cursors pass what came
  SettledTooEarly,       // a remote counts as having said all it knows before its question is answered
  CorrectionsForgotten,  // what a peer knows better is found and not sent
  CursorBeforeData,      // a cursor is stored in a transaction of its own, before what it vouches for
  LevelTooEarly,         // subscriptions count as level with the first though they have come less far
  OfferOfOtherState,     // any state of an offered document counts as the offered one
};

enum class Compression : std::uint8_t { None, Zstd };

struct EngineOptions {
  DeviceId device;                                 // ours
  std::string name;                                // for people
  Duration heartbeat = std::chrono::seconds(15);   // silence after which we ping
  Duration dead_after = std::chrono::seconds(40);  // silence after which a link is given up
  // How long a remote that shows signs of life may acknowledge nothing of what it was sent, or bring nothing of what it
  // was asked for.
  Duration stalled_after = std::chrono::minutes(2);
  std::size_t window_bytes = 1u << 20;  // unacknowledged bytes per session
  std::size_t batch_bytes = 64u << 10;
  Compression compression = Compression::Zstd;  // of large frames, if the remote reads it; we always do
  std::size_t max_subscriptions = 1024;         // a remote may have on one session
  // How many of our cursors are stored with a frame that moves more of them. The others follow with the next frames, or
  // when the session ends; after a crash what they lag behind is sent again.
  std::size_t cursors_per_frame = 4;
  Duration graft_after = std::chrono::milliseconds(250);   // how long what a peer offers may take to come another way
  Duration digest_after = std::chrono::milliseconds(500);  // quiet before both sides compare what they hold
  // How long a deletion is remembered, by this device's clock; whoever was away for longer has to reconcile. Need not
  // be the same everywhere. Zero: for ever.
  Duration tombstone_ttl = std::chrono::hours(30 * 24);
  Mutation mutation = Mutation::None;
};

struct SendFrame {
  LinkId link = 0;
  Bytes frame;
};
struct CloseLink {
  LinkId link = 0;
  Error why;
};
using Action = std::variant<SendFrame, CloseLink>;

using SubscriptionId = std::uint64_t;
using FetchId = std::uint64_t;

// Whether the content of attachments comes when somebody asks for it, or with the documents that name it.
enum class AttachmentPolicy : std::uint8_t { OnDemand, WithDocuments };

// How one fetch() stands.
struct FetchNews {
  FetchId id = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::optional<Status> ended;  // success: the content is here, checked
};

// One session as `status` shows it.
struct SessionStatus {
  LinkId link = 0;
  DeviceId device;
  std::string name, address;
  bool caught_up = false;         // we have everything the remote had when it last said so
  bool remote_caught_up = false;  // the remote has acknowledged everything we have for it
  std::uint64_t round_trips = 0;  // message exchanges from connect until first caught up
  Duration catch_up{};            // time from connect until first caught up
  std::uint64_t documents_sent = 0, documents_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::uint64_t documents_too_large = 0;  // passed over because no frame holds them: the remote lacks these
  std::uint64_t changes_unconfirmed = 0;  // of our log, that the remote has not confirmed; it may not want all of them
  std::uint64_t repairs = 0;              // times both were level and yet did not hold the same: a defect, made good
  std::uint64_t documents_given_up = 0;   // deleted again: it had them, their deletion was forgotten
};

// A device that said goodbye and has not been back since.
struct AwayPeer {
  DeviceId device;
  std::string name;
  Instant since{};
  std::optional<Duration> expected_return;  // counted from `since`, as it said; a hint
};

class Engine {
 public:
  Engine(store::Store& store, EngineOptions options);
  ~Engine();

  // What we want from others. Takes effect on open sessions at once. The predicate's key decides which cursor it
  // resumes from.
  SubscriptionId subscribe(query::Predicate predicate, Instant now,
                           AttachmentPolicy attachments = AttachmentPolicy::OnDemand);
  // Others would end every link with us for more: LimitExceeded if this one comes on top of max_subscriptions different
  // ones, or if all their texts together would not fit into a HELLO.
  [[nodiscard]] Status may_subscribe(const query::Predicate& predicate) const;
  void unsubscribe(SubscriptionId id, Instant now);

  // Drops a living document here and tells no peer; a subscription that begins later gets it again. Errors: NotFound if
  // there is none, InvalidArgument if one of our subscriptions asks for it, Busy if nobody connected is known to hold
  // what was written to it here, and the store's.
  [[nodiscard]] Status evict(std::string_view collection, std::string_view id);

  // Brings the content of an attachment here, from whichever connected peer has it, now or once one connects; goes on
  // where an earlier one ended. Ends by itself with success, or with what the store says; see take_fetch_news().
  [[nodiscard]] FetchId fetch(const Attachment& attachment, Instant now);
  void end_fetch(FetchId id);
  // Of each fetch of which there is something new, the latest.
  [[nodiscard]] std::vector<FetchNews> take_fetch_news();
  // The store has the content of an attachment that did not come by fetch().
  void content_stored(const ContentHash& hash);

  void link_opened(const LinkInfo& link, Instant now);
  void frame_received(LinkId link, ByteView frame, Instant now);
  void link_closed(LinkId link, Instant now);
  // The remote broke the rules below this layer; link_closed follows. Nothing if we have closed the link already.
  void offended(LinkId link, const Error& why, Instant now);
  // Each commit of the store, in order, none left out unless `commits_skipped` says so.
  void committed(const store::CommitEvent& event, Instant now);
  // The caller dropped commit events (too many): sessions fall back to the log.
  void commits_skipped(Instant now);

  // We are about to leave: until goodbye() nothing more is taken in, as if the rest of what is under way were lost with
  // its connection. What we have for others is sent and confirmed as before.
  void drain();
  // Says goodbye on every session, with when we expect to be back if known, and closes them.
  void goodbye(std::optional<Duration> expected_return, Instant now);

  // This process did not run for a while: links may be dead without having said so. Each remote is asked for a sign of
  // life, and given up without one within 5 s.
  void woke(Instant now);

  [[nodiscard]] std::optional<Action> poll();
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void on_deadline(Instant now);

  // Something is unsent, unacknowledged or not yet received from a connected peer.
  [[nodiscard]] bool unsynced() const;
  // A connected remote has not confirmed all that we have for it.
  [[nodiscard]] bool unsent() const;
  [[nodiscard]] std::vector<SessionStatus> sessions() const;
  [[nodiscard]] std::vector<AwayPeer> away() const;  // at most the latest 64
  // Of all sessions, also of those that have ended: see SessionStatus.
  [[nodiscard]] std::uint64_t repairs() const;
  [[nodiscard]] std::uint64_t documents_given_up() const;
  [[nodiscard]] std::uint64_t tombstones_purged() const;  // since this process opened the store

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata::sync
