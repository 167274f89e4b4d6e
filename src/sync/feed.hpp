// The sending half of a session: walks our local-seq log on behalf of the remote's subscriptions, pushes commits to
// those that are at the head, answers WANT. Bounded by a window of unacknowledged bytes; what does not fit stays in the
// log, which is the queue. Private to sync/.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sync/changes_writer.hpp"
#include "sync/shared.hpp"
#include "sync/spread.hpp"

namespace fermata::sync {

// How far a subscription of the remote's has come in our log.
struct Course {
  Position position;            // what has been sent or found to be of no interest
  Position announced;           // what the remote was told to have received
  Position acked;               // its cursor, as it last said
  std::uint64_t delivered = 0;  // what acknowledged frames of this session reached
  std::uint64_t settled = 0;    // the same, and it has sent back what it knew better
  std::uint64_t offered = 0;    // where the latest frame with offers reached; not received until its cursor says so

  [[nodiscard]] bool complete() const { return position.base == position.seq; }
  [[nodiscard]] bool awaits_offers() const { return acked.seq < offered; }
  // Of the frame that reaches from there to there.
  void extend_delivered(std::uint64_t from, std::uint64_t to) {
    if (from <= delivered) delivered = std::max(delivered, to);
  }
  friend bool operator==(const Course&, const Course&) = default;
};

// One subscription of the remote's.
struct RemoteSubscription {
  std::uint64_t id = 0;
  query::Predicate predicate;
  Position start;  // where this session began
  Course course;
  bool brought = false;  // as Wanted: what it lacks is only offered
  // Going: it is sent what it lacks. Else its cursor is of no use, and its owner says how to go on: Behind, because
  // deletions that it has not heard of are forgotten here.
  enum class Standing : std::uint8_t { Going, Useless, Behind };
  Standing standing = Standing::Going;
  std::uint64_t whole_until = 0;  // up to here every document is sent whole, what came from the remote included
};

class Feed {
 public:
  explicit Feed(Outlet& outlet) : outlet_(outlet), shared_(outlet.shared) {}
  ~Feed();
  Feed(const Feed&) = delete;

  // What of the log may be sent again from further back than the remote's cursor; see Intake::confirmed.
  using Confirmed = std::function<std::optional<std::uint64_t>(std::string_view collection)>;

  // Names the remote's store. A non-empty `assumed` says that we have not heard from it on this link yet.
  void set_remote(std::uint32_t source, store::Epoch assumed);
  void told_head(std::uint64_t head) { told_head_ = head; }
  // Errors: LimitExceeded, and those of Predicate::parse.
  [[nodiscard]] Status add(const Wanted& wanted, const store::Epoch& our_epoch, const Confirmed& confirmed);
  // A subscription from an earlier session, until HELLO tells.
  [[nodiscard]] Status assume(const RemoteSubscription& earlier, const Confirmed& confirmed);
  // HELLO has come: exactly these subscriptions. What was assumed rightly goes on from where it is.
  [[nodiscard]] Status replace(const std::vector<Wanted>& wanted, const store::Epoch& our_epoch,
                               const Confirmed& confirmed, const store::Epoch& remote_epoch);
  // Error: Protocol if it is unknown.
  [[nodiscard]] Status remove(std::uint64_t id);
  // Sends again what lies behind `seq` in this collection.
  void rewind(std::string_view collection, std::uint64_t seq);

  // --- for reconciliation (sync/mirror.hpp, sync/repair.hpp) ---
  // As subscriptions().
  [[nodiscard]] const RemoteSubscription* find(std::uint64_t id);
  // Sends this subscription nothing until go_on().
  void set_aside(std::uint64_t id);
  // It has everything up to this position.
  void go_on(std::uint64_t id, Position position);
  // Sends nothing of this collection until release(), and then everything again from where the remote's cursors are.
  // Corrections and answers still go.
  void withhold(const std::string& collection);
  void release(const std::string& collection);
  // Documents that the remote asked for, by row and by name, and behind them a frame of ours. Error: LimitExceeded.
  [[nodiscard]] Status answer(std::vector<std::uint64_t> rows, std::vector<DocumentName> names, Bytes closing);
  // The same, of tombstones that the remote has not asked for. Error: LimitExceeded.
  [[nodiscard]] Status show_graves(std::deque<std::uint64_t> rows);
  [[nodiscard]] bool shows_graves() const { return graves_ != 0; }
  // A frame that its receiver acknowledges like CHANGES.
  void send_in_window(Bytes frame);
  [[nodiscard]] bool window_open() const;
  // Frames that an ACK counts: sent so far, and acknowledged.
  [[nodiscard]] std::uint64_t sent_frames() const { return acked_frames_ + in_flight_.size(); }
  [[nodiscard]] std::uint64_t acked_frames() const { return acked_frames_; }
  // Up to where the remote has all changes that it asks for of this collection; the end of all logs if it asks for
  // none.
  [[nodiscard]] std::uint64_t received(std::string_view collection) const;
  // The remote has stated that it has this document as it is here, as far as it was written here.
  [[nodiscard]] bool is_held(std::string_view collection, std::string_view id, const crdt::Document& document) const;
  // Whether the remote wants this living document and will neither be sent it anyway nor find out itself that it lacks
  // it.
  [[nodiscard]] bool misses(std::string_view collection, std::string_view id, const crdt::Document& document) const;

  // Errors of the calls below: what the store says.
  [[nodiscard]] Status push(LoadedCommit& commit);
  // Sends what the window takes, but not all in one turn.
  [[nodiscard]] Status pump();
  // pump() has more to send that the window takes, and is to be called again once others had their turn.
  [[nodiscard]] bool interrupted() const { return interrupted_; }

  // Errors: LimitExceeded.
  [[nodiscard]] Status want(Want want);
  // Sends these whole, also what of them came from the remote.
  [[nodiscard]] Status correct(std::vector<DocumentName> names);
  [[nodiscard]] bool owes_corrections() const { return corrections_ != 0; }
  // What this says of subscriptions that have ended is ignored: the end may have been on its way.
  void prune(const Prune& prune);
  void graft(const Graft& graft);
  // The remote has this state of a document: it need not be told.
  void remote_holds(std::uint64_t version) { remote_holds_.add(version); }
  // Errors: Protocol.
  [[nodiscard]] Status acknowledge(const Ack& ack);

  // Whether the remote holds a document of which it would not hear otherwise: it has asked for some of the collection,
  // and neither state of the document is among it.
  [[nodiscard]] bool overlooks(const std::string& collection, std::string_view id, const Map& before,
                               const Map& after) const;
  // Whether overlooks() can be true of this collection.
  [[nodiscard]] bool asks_for_some_of(std::string_view collection) const;
  // How far this collection's changes have been taken in by the remote and answered with what it knew better; nothing
  // if it does not subscribe to it.
  [[nodiscard]] std::optional<std::uint64_t> settled(std::string_view collection) const;
  // As they are now; their courses go on elsewhere (see Level), so do not keep this.
  [[nodiscard]] const std::vector<RemoteSubscription>& subscriptions();
  [[nodiscard]] bool caught_up() const;
  // When the remote last acknowledged something, or should have begun to; nothing if there is nothing to acknowledge.
  [[nodiscard]] std::optional<Instant> waiting_since() const;
  // The time that has passed does not count.
  void wait_anew() { waiting_since_ = shared_.now; }
  [[nodiscard]] std::uint64_t changes_unconfirmed() const;
  [[nodiscard]] std::uint64_t documents_sent() const { return documents_sent_; }
  [[nodiscard]] std::uint64_t documents_too_large() const { return documents_too_large_; }

 private:
  struct Request {
    enum class Kind : std::uint8_t { Want, Correction, Resolve, Graves };
    Kind kind = Kind::Want;
    std::deque<DocumentName> names;
    std::vector<Range> ranges;
    std::deque<std::uint64_t> rows;
    Bytes closing;  // sent behind the last document, if not empty
  };
  struct Sent {
    std::size_t bytes = 0;
    std::vector<Range> ranges;
    std::optional<CommonRange> common;  // instead of ranges
    std::size_t answers = 0;            // how many WANTs it answered to the end
    std::size_t offers = 0;
  };
  enum class Share : std::uint8_t { Nothing, Registers, Whole };
  using Group = std::vector<RemoteSubscription*>;
  // Of one document: how much of it goes out, and to which subscriptions. Whole for all if one has not matched before:
  // what another has been sent may be held up, and must not be missing when that one's cursor passes.
  struct Due {
    Share share = Share::Nothing;
    bool known = false;  // to one of them
    std::vector<std::uint64_t> subscriptions;
  };
  using Standing = RemoteSubscription::Standing;

  // The first subscription with this id or a greater one.
  [[nodiscard]] std::vector<RemoteSubscription>::iterator place_of(std::uint64_t id);
  bool drop(std::uint64_t id);  // Result: it was there
  std::vector<RemoteSubscription> drop_all();
  // --- while all subscriptions are on the same course (feed_level.cpp) ---
  void enter_level();
  void leave_level();
  [[nodiscard]] const Course& course_of(const RemoteSubscription& subscription) const {
    return level_ ? level_->course : subscription.course;
  }
  [[nodiscard]] bool level_reaches(std::uint64_t seq) const { return level_ && level_->course.position.seq >= seq; }
  void raise_level(std::uint64_t seq);
  // What the next frame can vouch for with one word; nothing if it cannot.
  [[nodiscard]] std::optional<CommonRange> announce_level();
  // The ranges of a frame that has just been written, as one if they are what the next can repeat.
  void note_ranges(Sent& sent, std::vector<Range> ranges) const;
  [[nodiscard]] Status insert(RemoteSubscription subscription);
  // With what else its owner says.
  [[nodiscard]] Status take(RemoteSubscription subscription, const Wanted& wanted);
  void delivered(const Sent& sent);
  // These subscriptions, by id, are sent again what lies behind a local seq.
  void begin_again(const std::map<std::uint64_t, std::uint64_t>& from);
  void delivered(const CommonRange& common);
  void note_cursor(Course& course, Position cursor) const;
  void flush(std::vector<Range> ranges = {}, std::size_t answers = 0);
  [[nodiscard]] std::vector<Range> announce();
  [[nodiscard]] bool announcement_due() const;
  [[nodiscard]] bool only_offered(const std::vector<std::uint64_t>& subscriptions,
                                  const std::vector<crdt::ActorId>& authors);
  void give(const DocumentName& name, const crdt::Document& document, std::uint64_t since,
            const std::vector<std::uint64_t>& subscriptions);
  // A document that no frame holds goes in several, as the window lets them, and nothing else of the log meanwhile.
  struct Parts {
    std::deque<crdt::Delta> left;
    std::optional<std::uint64_t> fingerprint;
    std::vector<std::uint64_t> subscriptions;  // that come from `from` to `to` with the last part
    std::uint64_t from = 0, to = 0;
    bool live = false;  // and are complete then
  };
  void send_parts();
  // Result: whether nothing is left of them.
  [[nodiscard]] bool parts_gone();
  void await_parts(const Group& group, std::uint64_t from, std::uint64_t to, bool live);
  [[nodiscard]] bool sent_before(const store::DocumentChange& change, const crdt::Document& document, Share share);
  void give_all(const DocumentName& name, const crdt::Document& document);
  void write(const DocumentName& name, const crdt::Document& document, crdt::Delta delta);

  [[nodiscard]] Group live_at(std::uint64_t first_seq);
  [[nodiscard]] Due due_of(const LoadedCommit& commit, std::size_t index);
  [[nodiscard]] Status push_one(LoadedCommit& commit, std::size_t index);

  [[nodiscard]] Standing standing_of(const Wanted& wanted, const std::string& collection, bool usable) const;
  [[nodiscard]] bool going(const RemoteSubscription& subscription) const;
  [[nodiscard]] Status answer_requests();
  [[nodiscard]] Status answer_some(Request& request, std::size_t& turn);
  [[nodiscard]] Status enqueue(Request request);
  [[nodiscard]] Group furthest_behind();
  [[nodiscard]] Status walk(const Group& group);
  void walk_document(const Group& group, const store::ChangedDocument& changed);
  [[nodiscard]] std::uint64_t next_position_after(std::uint64_t seq) const;

  Outlet& outlet_;
  Shared& shared_;
  std::uint32_t source_ = 0;
  store::Epoch assumed_epoch_;
  std::vector<RemoteSubscription> subscriptions_;  // in ascending order of their ids
  std::set<std::string, std::less<>> withheld_;    // collections
  // The course of all subscriptions, kept once, so that a commit costs the same whatever their number. Whoever looks at
  // the course of one leaves this state first, or asks course_of(). Once some of several have been reconciled they are
  // not level again in this session, because `delivered` does not count for those.
  struct Level {
    Course course;
    // If frames can say "the same again" of just these.
    std::shared_ptr<const std::vector<std::uint64_t>> said;
  };
  std::optional<Level> level_;
  bool interrupted_ = false;
  std::deque<Request> requests_;
  std::size_t requested_names_ = 0;
  std::size_t requested_ranges_ = 0;
  std::size_t corrections_ = 0;
  std::size_t graves_ = 0;            // requests
  std::size_t unanswered_wants_ = 0;  // until the last frame of the answer is acknowledged
  Spread spread_;
  PassedStates remote_holds_{kRemoteStatesKept};
  std::map<DocumentName, std::uint64_t> ahead_;  // sent with changes whose commit has not been pushed yet, up to which
  ChangesWriter writer_;
  Parts parts_;
  std::deque<Sent> in_flight_;  // unacknowledged frames
  Instant waiting_since_{};
  std::size_t unacked_bytes_ = 0;
  std::size_t unacked_offers_ = 0;
  std::uint64_t acked_frames_ = 0;
  std::uint64_t told_head_ = 0;
  std::uint64_t documents_sent_ = 0;
  std::uint64_t documents_too_large_ = 0;
};

}  // namespace fermata::sync
