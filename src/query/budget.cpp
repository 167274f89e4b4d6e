#include "query/budget.hpp"

namespace fermata::query {
namespace {

std::size_t steps_of_bytes(std::size_t bytes) {
  constexpr std::size_t kBytesPerStep = 256;
  return bytes / kBytesPerStep;
}

}  // namespace

std::size_t steps_of(const Value& value) {
  std::size_t steps = 0;
  if (const auto* text = value.if_a<std::string>()) return steps_of_bytes(text->size());
  if (const auto* bytes = value.if_a<Bytes>()) return steps_of_bytes(bytes->size());
  if (const auto* array = value.if_a<Array>()) {
    for (const Value& each : *array) steps += 1 + steps_of(each);
  } else if (const auto* map = value.if_a<Map>()) {
    for (const auto& [name, each] : *map) steps += 1 + steps_of_bytes(name.size()) + steps_of(each);
  }
  return steps;
}

Status Budget::status() const {
  if (!is_spent_) return {};
  return fail(ErrorCode::LimitExceeded,
              "what is computed of one document or group takes more than " + std::to_string(kMaxSteps) +
                  " steps; use fewer ANY and EVERY inside one another, or functions of smaller arrays and texts there");
}

}  // namespace fermata::query
