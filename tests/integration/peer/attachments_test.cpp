// Attachments between whole peers: real SQLite, real TLS sockets on loopback, real threads.
#include <algorithm>

#include "integration/peer/peer_fixture.hpp"

namespace fermata {
namespace {

constexpr std::size_t kSize = (24u << 20) + 5;

// Bytes that do not compress, each of its place.
Database::AttachmentSource noise(std::size_t size) {
  return [size, at = std::size_t{0},
          state = 88172645463325252ull](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(into.size(), size - at);
    for (std::size_t i = 0; i < count; ++i, ++at) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
      into[i] = static_cast<std::uint8_t>(state >> 32U);
    }
    return count;
  };
}

void expect_noise(Database& database, const Attachment& attachment) {
  auto reader = database.open_attachment(attachment);
  ASSERT_TRUE(reader) << reader.error().message;
  auto expected = noise(attachment.size_bytes());
  Bytes found(1u << 16), wanted(1u << 16);
  for (std::size_t count = 1; count != 0;) {
    count = reader->read(found).value_or(0);
    ASSERT_EQ(expected(wanted), count);
    ASSERT_TRUE(std::equal(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), wanted.begin()));
  }
}

// The progress of one fetch, and ways to wait for it.
class Progress {
 public:
  void operator()(const AttachmentProgress& progress) {
    const std::lock_guard lock(mutex_);
    went_back_ = went_back_ || progress.received_bytes < latest_.received_bytes || latest_.done;
    latest_ = progress;
    changed_.notify_all();
  }
  template <class Condition>
  AttachmentProgress wait(Condition condition) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 3 * kPatience, [&] { return condition(latest_); })) << latest_.received_bytes;
    return latest_;
  }
  AttachmentProgress wait_done() {
    return wait([](const AttachmentProgress& progress) { return progress.done; });
  }
  [[nodiscard]] bool went_back() const { return went_back_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  AttachmentProgress latest_;
  bool went_back_ = false;
};

Result<AttachmentFetch> fetch(TestPeer& peer, const Attachment& attachment, Progress& progress) {
  return peer.peer->fetch_attachment(attachment, [&progress](const AttachmentProgress& each) { progress(each); });
}

TEST(PeerAttachments, AreFetchedWhenAskedForWithProgress) {
  TestPeer desk, phone;
  const auto attachment = desk.database().put_attachment(noise(kSize));
  ASSERT_TRUE(attachment) << attachment.error().message;
  phone.connect(desk.listen());
  Progress progress;
  const auto fetching = fetch(phone, *attachment, progress);
  ASSERT_TRUE(fetching) << fetching.error().message;
  const AttachmentProgress last = progress.wait_done();
  EXPECT_FALSE(last.error);
  EXPECT_EQ(last.received_bytes, kSize);
  EXPECT_FALSE(progress.went_back());
  expect_noise(phone.database(), *attachment);
  Progress again;
  const auto here = fetch(phone, *attachment, again);
  EXPECT_EQ(again.wait_done().received_bytes, kSize);
}

TEST(PeerAttachments, ComeWithTheDocumentsOfASubscriptionThatAsksForThem) {
  TestPeer desk, phone;
  auto wanted = phone.peer->subscribe("SELECT * FROM photos", {}, {.fetch_attachments = true});
  ASSERT_TRUE(wanted) << wanted.error().message;
  phone.connect(desk.listen());
  Watched on_phone(phone.database(), "SELECT * FROM photos");
  const auto attachment = desk.database().put_attachment(noise(200'000));
  desk.run("INSERT INTO photos DOCUMENTS (:p)", {{"p", Map{{"file", *attachment}}}});
  ASSERT_TRUE(on_phone.wait_count(1));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!phone.database().open_attachment(*attachment) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  expect_noise(phone.database(), *attachment);
}

TEST(PeerAttachments, GoOnAfterACutWithoutResendingWhatWasStored) {
  TestPeer desk, phone;
  const auto attachment = desk.database().put_attachment(noise(2 * kSize));
  const std::string address = desk.listen();
  phone.connect(address);
  Progress progress;
  const auto fetching = fetch(phone, *attachment, progress);
  progress.wait([](const AttachmentProgress& each) { return each.received_bytes > kSize / 8; });
  desk.open();  // the old one goes, and its links with it
  const AttachmentProgress at_cut = progress.wait([](const AttachmentProgress&) { return true; });
  ASSERT_LT(at_cut.received_bytes, 2 * kSize) << "it was too quick to be cut";
  ASSERT_TRUE(desk.peer->start({.listen = {address}}));
  EXPECT_FALSE(progress.wait_done().error);
  EXPECT_FALSE(progress.went_back());
  expect_noise(phone.database(), *attachment);
  // All of it once, a part of 64 KiB that was under way perhaps twice, and what frames and TLS add.
  EXPECT_LT(phone.peer->status().wire_bytes_received, 2 * kSize + kSize / 16 + 6 * (64u << 10));
}

TEST(PeerAttachments, ThatOnePeerLacksComeFromAnother) {
  TestPeer desk, other, phone;
  const auto attachment = other.database().put_attachment(noise(300'000));
  const auto started = phone.peer->start({.connect = {desk.listen(), other.listen()}});
  ASSERT_TRUE(started) << started.error().message;
  Progress progress;
  const auto fetching = fetch(phone, *attachment, progress);
  EXPECT_FALSE(progress.wait_done().error);
  expect_noise(phone.database(), *attachment);
  // And desk gets it from phone, which it could not get it from before.
  Progress of_desk;
  const auto relayed = fetch(desk, *attachment, of_desk);
  EXPECT_FALSE(of_desk.wait_done().error);
  expect_noise(desk.database(), *attachment);
}

TEST(PeerAttachments, NothingIsToldAfterTheHandleOrThePeerHasGone) {
  TestPeer desk, phone;
  const auto attachment = desk.database().put_attachment(noise(kSize));
  phone.connect(desk.listen());
  auto told = std::make_unique<Progress>();
  auto fetching = fetch(phone, *attachment, *told);
  told->wait([](const AttachmentProgress& each) { return each.received_bytes > 0; });
  *fetching = AttachmentFetch();
  told.reset();  // whoever calls it now is found by the sanitizer
  auto more = std::make_unique<Progress>();
  auto again = fetch(phone, *attachment, *more);
  more->wait([](const AttachmentProgress& each) { return each.received_bytes > 0; });
  phone.peer->stop();
  more.reset();
  EXPECT_EQ(phone.peer->fetch_attachment(*attachment).error().code, ErrorCode::Closed);
}

}  // namespace
}  // namespace fermata
