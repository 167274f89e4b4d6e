#include "sync/compression.hpp"

#include <zstd.h>

#include "sync/limits.hpp"

namespace fermata::sync {
namespace {

// Level 3 saves a few percent more of documents, for twice the time.
constexpr int kLevel = 1;

}  // namespace

struct Compressor::Context {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{ZSTD_createCCtx(), &ZSTD_freeCCtx};
};

Compressor::Compressor() = default;
Compressor::~Compressor() = default;

std::optional<Bytes> Compressor::pack(ByteView plain) {
  if (plain.size() < kMinCompressed) return std::nullopt;
  if (!context_) context_ = std::make_unique<Context>();
  Bytes packed(ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compressCCtx(context_->zstd.get(), packed.data(), packed.size(), plain.data(), plain.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size > plain.size() - plain.size() / 8) return std::nullopt;
  // A remote would take it for an attack.
  if (plain.size() / size >= kMaxCompression) return std::nullopt;
  packed.resize(size);
  return packed;
}

Result<Bytes> unpack(ByteView packed, std::size_t size) {
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != size)
    return fail(ErrorCode::Malformed, "a compressed message that is not of the size it claims");
  Bytes plain(size);
  const std::size_t written = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(written) != 0 || written != size)
    return fail(ErrorCode::Malformed, "a compressed message that does not unpack");
  return plain;
}

}  // namespace fermata::sync
