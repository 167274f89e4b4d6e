// Bytes to messages: a link's frames through MessageReader. What decodes must encode to something that decodes to the
// same.
#include "check.hpp"
#include "steps.hpp"
#include "sync/changes_writer.hpp"
#include "sync/message_reader.hpp"

namespace fermata::sync {
namespace {

struct Again {
  Bytes frame(const Changes& changes) {
    for (const SentDocument& sent : changes.documents) {
      // Only what no frame of ours would hold is not taken.
      if (!writer.add(sent.delta, sent.fingerprint)) continue;
    }
    for (const DocumentName& name : changes.named) writer.name(name);
    if (changes.again) return writer.take_again(changes.head, changes.assumed_epoch);
    return writer.take(changes.head, changes.assumed_epoch, changes.ranges);
  }
  ChangesWriter writer;
};

void round_trip(const Changes& changes, Again& first, MessageReader& reader, Again& second) {
  const Bytes once = first.frame(changes);
  const auto back = reader.read(once);
  FUZZ_EXPECT(back.has_value());
  FUZZ_EXPECT(second.frame(std::get<Changes>(*back)) == once);
}

}  // namespace
}  // namespace fermata::sync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fermata;
  fuzz::Steps steps({data, size});
  sync::MessageReader reader, back;
  sync::Again first, second;
  while (const auto step = steps.next()) {
    const auto message = reader.read(step->bytes);
    if (!message) break;
    if (const auto* changes = std::get_if<sync::Changes>(&*message)) sync::round_trip(*changes, first, back, second);
  }
  return 0;
}
