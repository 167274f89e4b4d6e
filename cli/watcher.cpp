#include "cli/watcher.hpp"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fermata::cli {

Result<std::unique_ptr<Watcher>> Watcher::start(Database& database, std::string_view select, const Map& parameters) {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail(ErrorCode::Io, fmt::format("cannot make an event: {}", std::strerror(errno)));
  std::unique_ptr<Watcher> watcher(new Watcher(std::move(event)));
  Watcher* self = watcher.get();
  auto observation = database.observe_changes(
      select,
      [self](const ResultChange& change) {
        {
          const std::lock_guard lock(self->mutex_);
          self->rows_.apply(change);
          self->has_news_ = true;
        }
        ::eventfd_write(self->event_.fd(), 1);
      },
      parameters);
  if (!observation) return fail(observation.error());
  watcher->observation_ = std::move(*observation);
  return watcher;
}

std::optional<std::vector<Map>> Watcher::take() {
  eventfd_t count = 0;
  ::eventfd_read(event_.fd(), &count);
  const std::lock_guard lock(mutex_);
  if (!std::exchange(has_news_, false)) return std::nullopt;
  return rows_.take();
}

}  // namespace fermata::cli
