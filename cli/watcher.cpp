#include "cli/watcher.hpp"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fermata::cli {
namespace {

std::string id_of(const Map& document) {
  const auto found = document.find("_id");
  const std::string* id = found == document.end() ? nullptr : found->second.if_a<std::string>();
  return id == nullptr ? std::string() : *id;
}

Map change(std::string_view op, const Map& document) {
  return Map{{"op", op}, {"document", document}};
}

}  // namespace

std::vector<Map> KnownDocuments::changes_to(const QueryResult& result) {
  std::vector<Map> changes, written;
  std::map<std::string, Map> now;
  for (const Map& document : result.items) {
    const std::string id = id_of(document);
    const auto before = known_.find(id);
    if (before == known_.end()) {
      written.push_back(change("insert", document));
    } else if (before->second != document) {
      written.push_back(change("update", document));
    }
    now.emplace(id, document);
  }
  for (const auto& [id, document] : known_) {
    if (!now.contains(id)) changes.push_back(change("delete", document));
  }
  changes.insert(changes.end(), std::make_move_iterator(written.begin()), std::make_move_iterator(written.end()));
  known_ = std::move(now);
  return changes;
}

Result<std::unique_ptr<Watcher>> Watcher::start(Database& database, std::string_view select, const Map& parameters) {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail(ErrorCode::Io, fmt::format("cannot make an event: {}", std::strerror(errno)));
  std::unique_ptr<Watcher> watcher(new Watcher(std::move(event)));
  Watcher* self = watcher.get();
  auto observation = database.observe(
      select,
      [self](const QueryResult& result) {
        {
          const std::lock_guard lock(self->mutex_);
          self->latest_ = result;
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
  std::optional<QueryResult> result;
  {
    const std::lock_guard lock(mutex_);
    result.swap(latest_);
  }
  if (!result) return std::nullopt;
  return known_documents_.changes_to(*result);
}

}  // namespace fermata::cli
