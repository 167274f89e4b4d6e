// Random Values for property tests.
#pragma once

#include <rapidcheck.h>
#include <fermata/value.hpp>

#include <cmath>

namespace fermata {

inline rc::Gen<std::string> generate_text() {
  return rc::gen::map(rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\"\\\n{}.z"))),
                      [](std::string text) { return text.size() % 5 == 4 ? text + "\u00e9\u20ac" : text; });
}

// Any Value nested at most `depth` levels; reals are finite, because JSON has no others.
inline rc::Gen<Value> generate_value(int depth) {
  auto leaf = rc::gen::oneOf(
      rc::gen::just(Value()), rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return Value(v); }),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return Value(v); }),
      rc::gen::map(rc::gen::arbitrary<double>(), [](double v) { return Value(std::isfinite(v) ? v : 0.5); }),
      rc::gen::map(generate_text(), [](std::string v) { return Value(std::move(v)); }),
      rc::gen::map(rc::gen::arbitrary<Bytes>(), [](Bytes v) { return Value(std::move(v)); }));
  if (depth == 0) return leaf;
  auto array = rc::gen::map(
      rc::gen::resize(4, rc::gen::container<Array>(rc::gen::lazy([depth] { return generate_value(depth - 1); }))),
      [](Array v) { return Value(std::move(v)); });
  auto map = rc::gen::map(
      rc::gen::resize(
          4, rc::gen::container<Map>(generate_text(), rc::gen::lazy([depth] { return generate_value(depth - 1); }))),
      [](Map v) { return Value(std::move(v)); });
  return rc::gen::oneOf(leaf, leaf, array, map);
}

}  // namespace fermata
