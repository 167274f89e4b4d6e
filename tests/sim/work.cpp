// What the simulated apps do: small writes to few documents with few values, so that documents move in and out of
// subscriptions and everybody collides with everybody.
#include <fmt/format.h>

#include "base/check.hpp"
#include "crdt/counter.hpp"
#include "scenario.hpp"

namespace fermata::sim {

std::string Scenario::random_select() {
  const std::string collection = world_.chance(50) ? "cars" : "cups";
  const std::string value = std::to_string(world_.random().below(3));
  switch (world_.random().below(6)) {
    case 0:
      return "SELECT * FROM " + collection;
    case 1:
      return "SELECT * FROM " + collection + " WHERE x = " + value +
             " AND y = " + std::to_string(world_.random().below(3));
    case 2:
      return "SELECT * FROM " + collection + " WHERE x > " + value;
    case 3:
      return "SELECT * FROM " + collection + " WHERE y = " + value;
    default:
      return "SELECT * FROM " + collection + " WHERE x = " + value;
  }
}

void Scenario::change_subscription() {
  if (hubs_ == network_.size()) return;
  const std::size_t index = hubs_ + world_.random().below(network_.size() - hubs_);
  Device& device = network_.device(index);
  if (!device.up() || device.suspended()) return;
  const std::size_t count = device.subscriptions().size();
  if (count > 1 && world_.chance(50)) {
    device.unsubscribe(world_.random().below(count));
  } else {
    device.subscribe(random_select());
  }
}

// Down or suspended devices write too: an app that is opened again writes before it has met anybody.
void Scenario::write() {
  write_at(random_device(), 1 + world_.random().below(3));
}

void Scenario::write_at(std::size_t index, std::uint64_t operations) {
  Device& device = network_.device(index);
  std::vector<Acknowledged> written;
  const std::uint64_t head = device.store().last_local_seq();
  const auto attempt = [&]() -> Status {
    auto transaction = device.store().begin();
    if (!transaction) return fail(std::move(transaction.error()));
    for (; operations > 0; --operations) {
      if (auto done = write_one(*transaction, index, written); !done) return done;
    }
    if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
    return {};
  };
  // A full disk: nothing of it was promised, and nothing of it may be found later (a life that nobody gave).
  if (!attempt()) {
    ++outcome_.refused;
    return;
  }
  acknowledge(device, written, head);
  if (device.up()) device.turn([] {});
}

bool Scenario::is_of(const crdt::Register& found, const Acknowledged& write, std::uint64_t head) {
  if (write.counted == 0) return found.path == write.written->path;
  return found.kind == crdt::RegisterKind::Counter && found.mark.local_seq > head &&
         crdt::counter_path(found) == write.written->path;
}

// What the author now reads is what it wrote, and that is what it was promised.
void Scenario::acknowledge(Device& device, std::vector<Acknowledged>& written, std::uint64_t head) {
  ++commits_;
  for (Acknowledged& write : written) {
    auto document = device.store().load(write.collection, write.id);
    FERMATA_CHECK(document.has_value());
    std::uint64_t& greatest = greatest_life_[{write.collection, write.id}];
    greatest = std::max(greatest, document->life());
    write.life = document->life();
    if (!write.written) {
      deleted_life_[{write.collection, write.id}] = greatest;
      acknowledged_.push_back(write);
      continue;
    }
    for (const crdt::Register& each : document->registers()) {
      if (!is_of(each, write, head)) continue;
      write.written = each;
      // Where nothing was to unset, nothing was written.
      if (each.mark.local_seq > head) judge_dots(each);
      acknowledged_.push_back(write);
    }
  }
  outcome_.writes += written.size();
}

// A deletion that was forgotten cannot tell apart what two devices insert under one name.
bool Scenario::may_insert(std::size_t index, std::size_t document) const {
  return !plan_.forgets() || index == document % plan_.least_devices;
}

Status Scenario::write_one(store::Transaction& transaction, std::size_t index, std::vector<Acknowledged>& written) {
  const std::size_t chosen = world_.random().below(universe().size());
  const auto& [collection, id] = universe()[chosen];
  auto document = transaction.load(collection, id);
  if (!document) return fail(std::move(document.error()));
  const auto value = [this] { return Value(static_cast<std::int64_t>(world_.random().below(3))); };
  const crdt::Path path = world_.chance(20)   ? crdt::Path{"n", "z"}
                          : world_.chance(60) ? crdt::Path{"x"}
                                              : crdt::Path{"y"};
  Acknowledged write{collection, id, 0, crdt::Register{}};
  write.written->path = path;
  if (!document->alive()) {
    if (!may_insert(index, chosen)) return {};
    write.written->path = {"x"};
    written.push_back(write);
    Map fields{{"x", value()}, {"y", value()}};
    // What nobody rewrites tells whose life it is, after everything else has been rewritten.
    if (plan_.forgets()) fields.emplace("born", std::int64_t{0});
    return transaction.insert(collection, id, fields);
  }
  const std::uint64_t what = world_.random().below(10);
  if (what == 0) {
    write.written.reset();
    written.push_back(write);
    return transaction.remove(collection, id);
  }
  if (plan_.counts && world_.chance(50)) {
    write.counted = world_.chance(30) ? -1 : static_cast<std::int64_t>(1 + world_.random().below(3));
    write.written->path = {"k"};
    written.push_back(write);
    return transaction.increment(collection, id, {"k"}, write.counted);
  }
  written.push_back(write);
  if (what == 1) return transaction.unset(collection, id, path);
  return transaction.set(collection, id, path, value());
}

}  // namespace fermata::sim
