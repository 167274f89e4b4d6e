// FERMATA_CHECK is for our own bugs only: it names the condition and ends the process.
// Bytes from a peer or a disk are never checked with it; they are an Error.
#pragma once

namespace fermata::detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define FERMATA_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::fermata::detail::check_failed(#condition, __FILE__, __LINE__))
