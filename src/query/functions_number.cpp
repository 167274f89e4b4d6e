#include <charconv>
#include <cmath>

#include "query/functions.hpp"
#include "query/scalar.hpp"

namespace fermata::query {
namespace {

// An argument as a number: booleans are 1 and 0; nothing for what is none.
using Number = std::variant<std::monostate, std::int64_t, double>;

Number number_of(const Value& value) {
  if (const auto* boolean = value.if_a<bool>()) return std::int64_t{*boolean ? 1 : 0};
  if (const auto* integer = value.if_a<std::int64_t>()) return *integer;
  if (const auto* real = value.if_a<double>(); real != nullptr && !std::isnan(*real)) return *real;
  return {};
}

bool is_number(const Number& number) {
  return number.index() != 0;
}

double real_of(const Number& number) {
  const auto* integer = std::get_if<std::int64_t>(&number);
  return integer != nullptr ? static_cast<double>(*integer) : std::get<double>(number);
}

// NaN is null everywhere in the language.
Value real(double value) {
  return std::isnan(value) ? Value(nullptr) : Value(value);
}

// Integers as long as they fit, then doubles, as SQLite does.
template <class Checked, class Real>
std::optional<Value> arithmetic(Arguments arguments, Checked checked, Real on_reals) {
  const Number left = number_of(*arguments[0]), right = number_of(*arguments[1]);
  if (!is_number(left) || !is_number(right)) return Value(nullptr);
  const auto* a = std::get_if<std::int64_t>(&left);
  const auto* b = std::get_if<std::int64_t>(&right);
  if (std::int64_t result = 0; a != nullptr && b != nullptr && !checked(*a, *b, &result)) return whole(result);
  return real(on_reals(real_of(left), real_of(right)));
}

std::optional<Value> add(Arguments arguments) {
  return arithmetic(
      arguments, [](auto a, auto b, auto* sum) { return __builtin_add_overflow(a, b, sum); },
      [](double a, double b) { return a + b; });
}
std::optional<Value> subtract(Arguments arguments) {
  return arithmetic(
      arguments, [](auto a, auto b, auto* difference) { return __builtin_sub_overflow(a, b, difference); },
      [](double a, double b) { return a - b; });
}
std::optional<Value> multiply(Arguments arguments) {
  return arithmetic(
      arguments, [](auto a, auto b, auto* product) { return __builtin_mul_overflow(a, b, product); },
      [](double a, double b) { return a * b; });
}

bool is_zero(const Value& value) {
  const Number number = number_of(value);
  return is_number(number) && real_of(number) == 0;
}

// By zero: null. Between integers it is whole, rounded towards zero.
std::optional<Value> divide(Arguments arguments) {
  if (is_zero(*arguments[1])) return Value(nullptr);
  const auto halve = [](std::int64_t a, std::int64_t b, std::int64_t* quotient) {
    if (b == -1) return __builtin_sub_overflow(std::int64_t{0}, a, quotient);
    *quotient = a / b;
    return false;
  };
  return arithmetic(arguments, halve, [](double a, double b) { return a / b; });
}

// Of whole numbers only; its sign is that of the left side.
std::optional<Value> remainder(Arguments arguments) {
  const Number left = number_of(*arguments[0]), right = number_of(*arguments[1]);
  const auto* a = std::get_if<std::int64_t>(&left);
  const auto* b = std::get_if<std::int64_t>(&right);
  if (a == nullptr || b == nullptr || *b == 0) return Value(nullptr);
  return whole(*b == -1 ? 0 : *a % *b);
}

std::optional<Value> minus(Arguments arguments) {
  const Value zero(0);
  const Value* const from_zero[] = {&zero, arguments[0]};
  const auto* real_argument = arguments[0]->if_a<double>();
  return real_argument != nullptr ? real(-*real_argument) : subtract(from_zero);
}

template <class OnReal>
std::optional<Value> rounded(const Value& value, OnReal on_real) {
  const Number number = number_of(value);
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return whole(*integer);
  return is_number(number) ? real(on_real(real_of(number))) : Value(nullptr);
}

std::optional<Value> absolute(Arguments arguments) {
  const Number number = number_of(*arguments[0]);
  const auto* integer = std::get_if<std::int64_t>(&number);
  if (integer == nullptr) return is_number(number) ? real(std::fabs(real_of(number))) : Value(nullptr);
  return *integer < 0 ? minus(arguments) : whole(*integer);
}
std::optional<Value> ceiling(Arguments arguments) {
  return rounded(*arguments[0], [](double value) { return std::ceil(value); });
}
std::optional<Value> floor(Arguments arguments) {
  return rounded(*arguments[0], [](double value) { return std::floor(value); });
}

// To so many digits behind the point, halves away from zero.
std::optional<Value> round(Arguments arguments) {
  const Number digits = arguments.size() > 1 ? number_of(*arguments[1]) : Number(std::int64_t{0});
  const auto* places = std::get_if<std::int64_t>(&digits);
  if (places == nullptr) return Value(nullptr);
  constexpr std::int64_t kMostPlaces = 30;
  const double scale = std::pow(10.0, static_cast<double>(std::clamp<std::int64_t>(*places, 0, kMostPlaces)));
  return rounded(*arguments[0], [scale](double value) {
    const double scaled = value * scale;
    // Beyond 2^52 a double has no fraction, and scaling might overflow.
    return std::fabs(scaled) < 4503599627370496.0 ? std::round(scaled) / scale : value;
  });
}

std::optional<Value> sign(Arguments arguments) {
  const Number number = number_of(*arguments[0]);
  if (!is_number(number)) return Value(nullptr);
  const double value = real_of(number);
  return whole(value > 0 ? 1 : value < 0 ? -1 : 0);
}
std::optional<Value> square_root(Arguments arguments) {
  const Number number = number_of(*arguments[0]);
  return is_number(number) ? real(std::sqrt(real_of(number))) : Value(nullptr);
}
std::optional<Value> power(Arguments arguments) {
  const Number base = number_of(*arguments[0]), exponent = number_of(*arguments[1]);
  if (!is_number(base) || !is_number(exponent)) return Value(nullptr);
  return real(std::pow(real_of(base), real_of(exponent)));
}

// Text that is a number as the language writes numbers; numbers stay, all else is null.
std::optional<Value> number(Arguments arguments) {
  const Value& value = *arguments[0];
  const auto* text = value.if_a<std::string>();
  if (text == nullptr) {
    const Number number = number_of(value);
    if (!is_number(number)) return Value(nullptr);
    return value.if_a<double>() != nullptr ? value : whole(std::get<std::int64_t>(number));
  }
  const char* const end = text->data() + text->size();
  std::int64_t integer = 0;
  if (const auto read = std::from_chars(text->data(), end, integer); read.ec == std::errc{} && read.ptr == end) {
    return whole(integer);
  }
  double floating = 0;
  const auto read = std::from_chars(text->data(), end, floating);
  if (read.ec != std::errc{} || read.ptr != end || !std::isfinite(floating)) return Value(nullptr);
  return Value(floating);
}

template <bool kGreatest>
std::optional<Value> extreme(Arguments arguments) {
  const Value* best = arguments[0];
  for (const Value* candidate : arguments.subspan(1)) {
    const auto order = compare(to_scalar(*candidate), to_scalar(*best));
    if (order && (kGreatest ? *order > 0 : *order < 0)) best = candidate;
  }
  return *best;
}

constexpr Function kNumberFunctions[] = {
    {"+", 2, 2, add, Nulls::GiveNull, Notation::Infix},
    {"-", 2, 2, subtract, Nulls::GiveNull, Notation::Infix},
    {"*", 2, 2, multiply, Nulls::GiveNull, Notation::Infix},
    {"/", 2, 2, divide, Nulls::GiveNull, Notation::Infix},
    {"%", 2, 2, remainder, Nulls::GiveNull, Notation::Infix},
    {"negate", 1, 1, minus, Nulls::GiveNull, Notation::Prefix},
    {"abs", 1, 1, absolute},
    {"ceil", 1, 1, ceiling},
    {"floor", 1, 1, floor},
    {"round", 1, 2, round},
    {"sign", 1, 1, sign},
    {"sqrt", 1, 1, square_root},
    {"power", 2, 2, power},
    {"number", 1, 1, number},
    {"greatest", 1, kAnyNumber, extreme<true>},
    {"least", 1, kAnyNumber, extreme<false>},
};

}  // namespace

std::span<const Function> number_functions() {
  return kNumberFunctions;
}

}  // namespace fermata::query
