#include "sync/supply.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fermata::sync {

Status Supply::on(const Fetch& fetch) {
  stop(fetch.hash);
  asked_in_vain_.erase(fetch.hash);
  if (!fetch.offset) return {};
  if (requests_.size() >= kMaxSupplied)
    return fail(ErrorCode::LimitExceeded,
                fmt::format("the peer asks for more than {} attachments at a time", kMaxSupplied));
  Request& request = requests_.emplace_back();
  request.hash = fetch.hash;
  request.offset = *fetch.offset;
  auto found = outlet_.shared.store.attachments().find_complete(fetch.hash, fetch.size_bytes);
  if (found) {
    request.row = found->first;
    request.pin = std::move(found->second);
    return {};
  }
  // One that is incomplete here, or has another size, is none.
  const ErrorCode code = found.error().code;
  if (code != ErrorCode::NotFound && code != ErrorCode::InvalidArgument) return fail(std::move(found).error());
  if (asked_in_vain_.size() < kMaxAskedInVain) asked_in_vain_.insert(fetch.hash);
  return {};
}

void Supply::stop(const ContentHash& hash) {
  std::erase_if(requests_, [&](const Request& each) { return each.hash == hash; });
}

bool Supply::has_room() {
  while (!in_flight_.empty() && in_flight_.front() <= feed_.acked_frames()) in_flight_.pop_front();
  return in_flight_.size() < kMaxPartsInFlight && feed_.window_open();
}

Status Supply::pump() {
  while (!requests_.empty() && has_room()) {
    if (auto sent = send_next(); !sent) return sent;
  }
  return {};
}

Status Supply::send_next() {
  Request request = std::move(requests_.front());
  requests_.pop_front();
  Part part{request.hash, request.offset, std::nullopt};
  if (request.row) {
    part.bytes.emplace(store::kChunkBytes);
    const auto count = outlet_.shared.store.attachments().read(*request.row, request.offset, *part.bytes);
    if (count) {
      part.bytes->resize(*count);
    } else if (count.error().code == ErrorCode::Corrupt) {
      part.bytes.reset();  // what is damaged here may be whole elsewhere
    } else {
      return fail(count.error());
    }
  }
  feed_.send_in_window(encode(part));
  in_flight_.push_back(feed_.sent_frames());
  if (!part.bytes) return {};
  request.offset += part.bytes->size();
  if (request.offset < request.row->size_bytes) requests_.push_back(std::move(request));
  return {};
}

void Supply::stored(const ContentHash& hash) {
  if (asked_in_vain_.erase(hash) != 0) outlet_.send(encode(Have{hash}));
}

}  // namespace fermata::sync
