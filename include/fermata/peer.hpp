// A database that syncs with others of its group.
#pragma once

#include <chrono>
#include <fermata/background_sync.hpp>
#include <fermata/database.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata {

// What makes devices a group: whoever holds it can mint certificates that the others accept. At least 16 bytes.
class Secret {
 public:
  // 32 random bytes.
  [[nodiscard]] static Secret generate();
  // The file's content without surrounding white space. Errors: NotFound, Io, InvalidArgument if shorter than 16 bytes
  // or if the file holds more than 4 KiB.
  [[nodiscard]] static Result<Secret> from_file(const std::string& path);
  [[nodiscard]] static Result<Secret> from_text(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  explicit Secret(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct NetworkOptions {
  std::vector<std::string> listen;   // "host:port"; port 0 takes a free one, status() tells which
  std::vector<std::string> connect;  // "host:port", dialed for ever
};

// One connected peer, as seen now.
struct LinkStatus {
  std::string device, name, address;
  bool caught_up = false;         // we have all it had for us
  bool remote_caught_up = false;  // it has confirmed all we have for it
  std::uint64_t documents_sent = 0, documents_received = 0, bytes_sent = 0, bytes_received = 0;
  std::uint64_t documents_too_large = 0;  // passed over, since no frame holds one of their values: it lacks these
};

// A device that said goodbye, as one does that is about to be suspended, and has not been back.
struct AwayStatus {
  std::string device, name;
  std::chrono::milliseconds since{0};                        // ago
  std::optional<std::chrono::milliseconds> expected_return;  // counted from the goodbye, as it said; a hint
};

// The catch-up after the latest connection: from the link's opening until the remote said that we have everything.
struct CatchUp {
  bool done = false;
  double ms = 0;
  std::uint64_t round_trips = 0;  // of sync messages; TCP and TLS handshakes come before
};

struct PeerStatus {
  std::string device;
  std::vector<std::string> listening;
  std::vector<LinkStatus> links;
  std::vector<AwayStatus> away;
  std::uint64_t refused_links = 0;
  std::uint64_t full_handshakes = 0, resumed_handshakes = 0;   // of links since the start; a returning device resumes
  std::uint64_t wire_bytes_sent = 0, wire_bytes_received = 0;  // TCP payload of all links, handshakes included
  std::uint64_t queued_bytes = 0;                              // for peers that have not taken them yet, now
  CatchUp catch_up;
  // Since the start. Times a peer and we believed to hold the same and did not, which was mended; documents that came
  // back though they had been deleted here, and were deleted again; deletions that are remembered no longer.
  std::uint64_t repairs = 0, documents_given_up = 0, tombstones_purged = 0;
  bool paused = false;
  bool unsynced = false;
};

// What the gap ledger has kept in this database (BackgroundSync::gaps() in the process that syncs). Thread-safe.
// Errors: the database's; Corrupt if nothing of the record can be read. Single entries that are damaged are left out.
[[nodiscard]] Result<std::vector<Gap>> recorded_gaps(Database& database);

// A running subscribe(). Destroying it cancels; documents received stay.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<void> handle) : handle_(std::move(handle)) {}

 private:
  std::shared_ptr<void> handle_;
};

struct SubscribeOptions {
  // The content of the attachments that matching documents name comes too, whenever a peer has it. Else it comes when
  // fetch_attachment() asks for it.
  bool fetch_attachments = false;
};

// How far a fetch_attachment() has come.
struct AttachmentProgress {
  std::uint64_t received_bytes = 0;  // stored here; begins anew if what came was another content
  std::uint64_t size_bytes = 0;
  bool done = false;           // nothing more is told
  std::optional<Error> error;  // if done: why it is not here (NoSpace, LimitExceeded, Io, Corrupt)
};

// A running fetch_attachment(). Destroying it cancels; what has been received is kept for ten minutes, and for as long
// as a document names the attachment.
class [[nodiscard]] AttachmentFetch {
 public:
  AttachmentFetch() = default;
  explicit AttachmentFetch(std::shared_ptr<void> handle) : handle_(std::move(handle)) {}

 private:
  std::shared_ptr<void> handle_;
};

// Thread-safe. Destroying it stops it.
class Peer {
 public:
  struct Options {
    std::string directory;
    Secret secret;
    std::string name;  // for people; default: the host's name
    bool must_exist = false;
    Executor executor;  // for observers and progress; see Database::Options
    Durability durability = Durability::Normal;
    // How long a deletion is remembered. Whoever is away for longer compares all it has when it returns, which loses
    // nothing but takes longer. Zero: for ever.
    std::chrono::hours tombstone_ttl{30 * 24};
    BackgroundSync* background =
        nullptr;  // joined by start(), must outlive the peer; nullptr: BackgroundSync::shared()
  };

  // Opens or creates the directory: database, device key. Errors: as Database::open.
  [[nodiscard]] static Result<std::unique_ptr<Peer>> open(Options options);
  ~Peer();

  [[nodiscard]] Database& database();

  // Asks every peer that we meet for the documents of `SELECT * FROM c [WHERE …]`, now and later.
  // Errors: Syntax, InvalidArgument (ORDER BY, LIMIT or a missing parameter), LimitExceeded (1024
  // different ones, or 8 MiB of text in all), Closed.
  [[nodiscard]] Result<Subscription> subscribe(std::string_view select, const Map& parameters = {},
                                               const SubscribeOptions& options = {});

  // Brings the content of an attachment here, so that Database::open_attachment finds it: from whichever connected peer
  // has it, now or once one connects; it goes on where an earlier fetch ended, also of an earlier process. `progress`
  // is called on the executor, with the latest and not with every step, and last with `done`; at once if the content is
  // here. Error: Closed.
  [[nodiscard]] Result<AttachmentFetch> fetch_attachment(const Attachment& attachment,
                                                         std::function<void(const AttachmentProgress&)> progress = {});

  // Starts listening and dialing, once: after an error open the peer anew. Errors: Busy (port in use), InvalidArgument
  // (address), Closed (started before).
  [[nodiscard]] Status start(const NetworkOptions& network);
  // Says goodbye and closes every connection. No callback of the peer's afterwards; the database stays usable.
  // Idempotent.
  void stop();

  [[nodiscard]] PeerStatus status();

  struct Impl;

 private:
  explicit Peer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata
