// What a message may hold and what a session may make us keep or do. Where nothing else is said, the session of whoever
// goes beyond ends with LimitExceeded; tests/unit/sync/limits_test.cpp tries it. What a peer may write is bounded by
// the disk alone: who is let into a group is trusted to write.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/transport.hpp"

namespace fermata::sync {

// --- names; store and query refuse longer ones before they are written ---
inline constexpr std::size_t kMaxQueryText = 64u << 10;
inline constexpr std::size_t kMaxQueryTexts = 8u << 20;  // of all subscriptions together, which one HELLO states
inline constexpr std::size_t kMaxNameBytes = 256;        // of a device, for people; of a reason
inline constexpr std::size_t kMaxCollectionBytes = 128;
inline constexpr std::size_t kMaxIdBytes = 512;
inline constexpr std::size_t kMaxEpochBytes = 64;

// --- one message; together they keep what a frame costs decoded to a small multiple of the largest frame ---
inline constexpr std::size_t kMaxFields = 1024;
// Of one document; leaves room in a frame for what else it holds.
inline constexpr std::size_t kMaxDeltaBytes = kMaxFrame - (256u << 10);
inline constexpr std::size_t kMaxDocumentsPerFrame = 1u << 16;
// Registers, the names of their paths, and the values in arrays: about 60 bytes each in memory, one or more on the
// wire.
inline constexpr std::size_t kMaxItemsPerFrame = 1u << 20;
inline constexpr std::size_t kMaxItemsPerDelta = kMaxItemsPerFrame / 2;  // and none is begun in a frame of so many
// Each is looked up, those of CHANGES within one transaction, and so are offers. We name no more than we read of the
// log at once, and have fewer offers under way (see kMaxOffersInFlight).
inline constexpr std::size_t kMaxNamesPerFrame = 1u << 13;
// The answer to a WANT repeats its ranges beside those of its own.
inline constexpr std::size_t kMaxRangesPerFrame = 4096;
inline constexpr std::size_t kMaxOffersPerFrame = 1u << 12;
inline constexpr std::size_t kMaxAuthorsPerOffer = 16;
inline constexpr std::size_t kMaxActorsPerDigest = 4096;   // of more only some are told
inline constexpr std::size_t kMaxBranchesPerFrame = 1024;  // of PRUNE and GRAFT

// A compressed message is refused before it is unpacked if it claims to be larger than the largest frame, or so many
// times its own size; below kMinCompressed bytes none is worth the work.
inline constexpr std::size_t kMaxCompression = 256;
inline constexpr std::size_t kMinCompressed = 1024;

inline constexpr std::size_t kPartBytes = 64u << 10;  // of an attachment, in one message; the store's chunk

// --- one engine ---
// Attachments wanted by subscriptions; others are looked for again when there is room.
inline constexpr std::size_t kMaxFetches = 1u << 14;
inline constexpr std::size_t kMaxActiveFetches = 8;  // attachments that peers are bringing us at a time
inline constexpr std::size_t kMaxRefused = 1024;     // devices that broke the protocol and are remembered for it

// --- one session ---
inline constexpr std::size_t kMaxRequestedNames = 1u << 19;   // asked for by WANT and not sent yet
inline constexpr std::size_t kMaxRequests = 4096;             // the same, of WANTs and corrections
inline constexpr std::size_t kMaxRequestedRanges = 1u << 20;  // that the answers to them will repeat
// States of documents that are remembered, 60 bytes each: of ours in all, and of each remote's.
inline constexpr std::size_t kPassedStates = 8192;
inline constexpr std::size_t kRemoteStatesKept = 256;
// Offered to us and not here yet; what is offered beyond is asked for at once. Each frame with offers may be a hole.
inline constexpr std::size_t kMaxOpenOffers = 4096;
inline constexpr std::size_t kMaxOpenFrames = 512;
// Offers sent and not acknowledged, which is when what they offer has come: fewer than the receiver waits for.
inline constexpr std::size_t kMaxOffersInFlight = kMaxOpenOffers / 2;
// Pairs of subscription and author that a session offers instead of pushing. Beyond, all are pushed again: a duplicate
// each, and what is of use is pruned anew.
inline constexpr std::size_t kMaxLazy = 1u << 14;
// Sent and not acknowledged, frames times subscriptions; beyond, the window is closed.
inline constexpr std::size_t kMaxRangesInFlight = 1u << 20;
inline constexpr std::size_t kMaxSupplied = 16;       // attachments that a remote asks for at a time
inline constexpr std::size_t kMaxPartsInFlight = 4;   // sent and not acknowledged: a document waits for no more
inline constexpr std::size_t kMaxAskedInVain = 1024;  // attachments that we tell a remote of when they come
inline constexpr std::size_t kMaxHoles = 1024;        // in the ranges of one subscription: ranges that wait for others

}  // namespace fermata::sync
