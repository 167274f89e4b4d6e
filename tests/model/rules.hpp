// The rules that the model follows, and the ways in which a test breaks them.
#pragma once

#include <cstdint>
#include <string_view>

namespace fermata::model {

// Each is a plausible mistake, or an alternative that was considered. With `None` the model follows the rules.
enum class Defect : std::uint8_t {
  None,
  CursorOffByOne,           // a received range counts for one change more than it held
  BaseIgnored,              // an interrupted walk claims to have left nothing behind
  BeforeMatchIgnored,       // live: a document that leaves a subscription is not sent
  LeaversNotNamed,          // walk: a document that does not match is not named
  HeldRangeFolded,          // the cursor passes named documents before they came
  SupersededNotTold,        // nobody corrects a holder whose copy is overtaken by a state outside its query
  HorizonIgnored,           // who missed purged deletions is treated like anybody else
  HorizonPassedEarly,       // the cursor passes the horizon before the surplus was judged
  JudgeAlways,              // what the receiver does not have must have been deleted
  JudgeNever,               // what the receiver does not have is new
  JudgeByPartialQuery,      // a holder of part of a collection judges by its cursor
  DropWithoutTrace,         // given up means the row is gone, without a tombstone
  StaleDeviceDrops,         // a device alone for long gives up whatever the other lacks
  PartialMerged,            // part of an unknown document is merged instead of asked for
  EchoWithheldFromNothing,  // who states no cursor is not sent what it once sent itself
  AnswerWithoutEcho,        // an answer leaves out what once came from who asks
  PurgeUnrecognisable,      // a tombstone is purged though its document would not be recognised
  KnownToPartial,           // who holds only part of the collection takes over what others know
  KnownBeforeLevel,         // knowledge is taken over before the documents have come
  ForgottenLivesPurged,     // a document is purged though one of its earlier lives would not be recognised
  DeadNotTold,              // who sends a living document that is dead here is not told
  LifeReused,               // an insert after a purge starts with life 1 again
  EvictKeepsCursors,        // cursors of ended subscriptions survive an eviction
  EvictKeepsKnown,          // so does the knowledge of commits
  EvictWanted,              // a document that is subscribed to is evicted
  Count
};

std::string_view name_of(Defect defect);

struct Rules {
  Defect defect = Defect::None;
  [[nodiscard]] bool broken(Defect which) const { return defect == which; }
};

}  // namespace fermata::model
