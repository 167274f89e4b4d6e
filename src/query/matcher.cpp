#include "query/matcher.hpp"

#include "query/functions.hpp"

namespace fermata::query {
namespace {

// A value that somebody keeps, or that was just made.
class Held {
 public:
  Held(const Value* kept) : kept_(kept) {}
  Held(std::optional<Value> made) : made_(std::move(made)) {}
  [[nodiscard]] const Value* value() const { return made_ ? &*made_ : kept_; }
  [[nodiscard]] std::optional<Value> take() {
    if (made_) return std::move(made_);
    return kept_ == nullptr ? std::nullopt : std::optional<Value>(*kept_);
  }

 private:
  const Value* kept_ = nullptr;
  std::optional<Value> made_;
};

bool holds(Comparison comparison, std::weak_ordering order) {
  switch (comparison) {
    case Comparison::Equal:
      return order == 0;
    case Comparison::NotEqual:
      return order != 0;
    case Comparison::Less:
      return order < 0;
    case Comparison::LessOrEqual:
      return order <= 0;
    case Comparison::Greater:
      return order > 0;
    case Comparison::GreaterOrEqual:
      return order >= 0;
  }
  return false;
}

Scalar scalar_of(const Held& held) {
  return held.value() == nullptr ? Scalar(Null{}) : to_scalar(*held.value());
}

class Evaluator {
 public:
  explicit Evaluator(const Scope& scope) : scope_(scope), budget_(scope.budget != nullptr ? *scope.budget : whole_) {}

  std::optional<Value> result(const Operand& operand) {
    std::optional<Value> found = value(operand).take();
    if (budget_.is_spent()) found = Value(nullptr);
    return found;
  }

  Truth result(const Expression& node) {
    const Truth found = truth_of(node);
    return budget_.is_spent() ? Truth::Unknown : found;
  }

 private:
  Held value(const Operand& operand) {
    if (const auto* literal = std::get_if<Value>(&operand)) return literal;
    if (const auto* path = std::get_if<crdt::Path>(&operand)) return field(0, *path);
    if (const auto* joined = std::get_if<JoinedPath>(&operand)) return field(joined->source, joined->path);
    if (const auto* variable = std::get_if<Variable>(&operand)) return elements_.at(variable->depth);
    if (const auto* slot = std::get_if<Slot>(&operand)) {
      const auto& computed = scope_.slots[slot->number];
      return computed ? &*computed : nullptr;
    }
    return computed(*std::get<ExpressionRef>(operand));
  }

  Truth truth_of(const Expression& node) {
    if (!budget_.spend(1)) return Truth::Unknown;
    switch (node.kind) {
      case ExpressionKind::And:
        return combine(node, Truth::False);
      case ExpressionKind::Or:
        return combine(node, Truth::True);
      case ExpressionKind::Not:
        return negate(truth_of(node.children.front()));
      case ExpressionKind::Compare:
        return compared(node);
      case ExpressionKind::In:
        return listed(node);
      case ExpressionKind::Any:
        return quantified(node, Truth::True);
      case ExpressionKind::Every:
        return quantified(node, Truth::False);
      case ExpressionKind::Match:
        return Truth::True;
      default:
        return leaf(node);
    }
  }

  Held field(std::size_t source, const crdt::Path& path) const {
    const FieldSource* found = source < scope_.sources.size() ? scope_.sources[source] : nullptr;
    return found == nullptr ? nullptr : found->find(path);
  }

  Held computed(const Expression& node) {
    if (node.kind == ExpressionKind::Call) return called(node);
    const Truth result = truth_of(node);
    return std::optional<Value>(result == Truth::Unknown ? Value(nullptr) : Value(result == Truth::True));
  }

  Held called(const Expression& node) {
    std::vector<Held> held;
    held.reserve(node.operands.size());
    for (const Operand& operand : node.operands) held.push_back(value(operand));
    std::vector<const Value*> arguments;
    arguments.reserve(held.size());
    for (const Held& each : held) arguments.push_back(each.value());
    if (!can_afford(*node.function, held)) return nullptr;
    Held result = call(*node.function, arguments);
    look_at(result);
    return result;
  }

  // Taking a part out of an array or map looks at that part alone.
  bool can_afford(const Function& function, const std::vector<Held>& arguments) {
    const bool takes_part = function.notation == Notation::Element || function.notation == Notation::Member;
    for (const Held& each : arguments) {
      if (!takes_part) look_at(each);
    }
    return budget_.spend(1);
  }

  // What compares or computes looks at all of it.
  bool look_at(const Held& held) { return held.value() == nullptr || budget_.spend(steps_of(*held.value())); }

  Truth leaf(const Expression& node) {
    const Held held = value(node.operands.front());
    if (node.kind == ExpressionKind::IsNull) return truth(held.value() != nullptr && counts_as_null(*held.value()));
    if (node.kind == ExpressionKind::IsMissing) return truth(held.value() == nullptr);
    if (!look_at(held)) return Truth::Unknown;
    if (node.kind == ExpressionKind::Like) return is_like(held, value(node.operands[1]));
    return query::truth_of(scalar_of(held));
  }

  // Each character is compared with 64 of the pattern at a time.
  Truth is_like(const Held& held, const Held& pattern) {
    const auto* text = pattern.value() == nullptr ? nullptr : pattern.value()->if_a<std::string>();
    const std::size_t rounds = text == nullptr ? 0 : text->size() / 64;
    if (held.value() != nullptr && !budget_.spend(rounds * steps_of(*held.value()))) return Truth::Unknown;
    return like(scalar_of(held), scalar_of(pattern));
  }

  Truth compared(const Expression& node) {
    const Held left = value(node.operands[0]), right = value(node.operands[1]);
    if (!look_at(left) || !look_at(right)) return Truth::Unknown;
    const auto order = compare(scalar_of(left), scalar_of(right));
    return order ? truth(holds(node.comparison, *order)) : Truth::Unknown;
  }

  Truth listed(const Expression& node) {
    const Held held = value(node.operands[0]);
    if (!look_at(held)) return Truth::Unknown;
    const Scalar needle = scalar_of(held);
    Truth result = Truth::False;
    for (std::size_t i = 1; i < node.operands.size(); ++i) {
      const Held candidate = value(node.operands[i]);
      if (!budget_.spend(1) || !look_at(candidate)) return Truth::Unknown;
      const auto order = compare(needle, scalar_of(candidate));
      if (!order) {
        result = Truth::Unknown;
      } else if (*order == 0) {
        return Truth::True;
      }
    }
    return result;
  }

  // `decisive` ends the search: False for AND, True for OR.
  Truth combine(const Expression& node, Truth decisive) {
    Truth result = negate(decisive);
    for (const Expression& child : node.children) {
      const Truth part = truth_of(child);
      if (part == decisive) return decisive;
      if (part == Truth::Unknown) result = Truth::Unknown;
    }
    return result;
  }

  // As OR and AND over the elements; of what is no array, unknown.
  Truth quantified(const Expression& node, Truth decisive) {
    const Held held = value(node.operands.front());
    const auto* array = held.value() == nullptr ? nullptr : held.value()->if_a<Array>();
    if (array == nullptr) return Truth::Unknown;
    Truth result = negate(decisive);
    for (const Value& element : *array) {
      if (!budget_.spend(1)) return Truth::Unknown;
      elements_.push_back(&element);
      const Truth part = truth_of(node.children.front());
      elements_.pop_back();
      if (part == decisive) return decisive;
      if (part == Truth::Unknown) result = Truth::Unknown;
    }
    return result;
  }

  const Scope& scope_;
  Budget whole_;
  Budget& budget_;
  std::vector<const Value*> elements_;  // of the arrays that are being looked through
};

template <class Evaluate>
auto in_document(const DocumentView& document, Evaluate evaluate_in) {
  const MapSource source(document);
  const FieldSource* const sources[] = {&source};
  return evaluate_in(Scope{sources});
}

}  // namespace

const Value* value_at(const Map& fields, const crdt::Path& path) {
  const Map* level = &fields;
  const Value* value = nullptr;
  for (const std::string& name : path) {
    if (level == nullptr) return nullptr;
    const auto entry = level->find(name);
    if (entry == level->end()) return nullptr;
    value = &entry->second;
    level = value->if_a<Map>();
  }
  return value;
}

const Value* MapSource::find(const crdt::Path& path) const {
  if (path.front() != kIdField) return value_at(document_.fields, path);
  if (!is_id(path)) return nullptr;
  if (!id_) id_ = Value(document_.id);
  return &*id_;
}

std::optional<Value> evaluate(const Operand& operand, const Scope& scope) {
  return Evaluator(scope).result(operand);
}

std::optional<Value> evaluate(const Operand& operand, const DocumentView& document) {
  return in_document(document, [&](const Scope& scope) { return evaluate(operand, scope); });
}

Truth evaluate(const Expression& expression, const Scope& scope) {
  return Evaluator(scope).result(expression);
}

Truth evaluate(const Expression& expression, const DocumentView& document) {
  return in_document(document, [&](const Scope& scope) { return evaluate(expression, scope); });
}

bool matches(const Where& where, const DocumentView& document) {
  return where == nullptr || evaluate(*where, document) == Truth::True;
}

}  // namespace fermata::query
