// Random Values for property tests.
#pragma once

#include <rapidcheck.h>
#include <fermata/value.hpp>

#include <algorithm>
#include <cmath>

namespace fermata {

inline rc::Gen<std::string> generate_text() {
  return rc::gen::map(rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\"\\\n{}.z"))),
                      [](std::string text) { return text.size() % 5 == 4 ? text + "\u00e9\u20ac" : text; });
}

inline rc::Gen<Timestamp> generate_timestamp() {
  // 0001-01-01 to 9999-12-31, mostly of seconds that are not whole.
  return rc::gen::map(rc::gen::inRange<std::int64_t>(-62'135'596'800'000, 253'402'300'800'000), [](std::int64_t ms) {
    return Timestamp::from_time(Timestamp::Time(std::chrono::milliseconds(ms % 3 == 0 ? ms / 1000 * 1000 : ms)))
        .value();
  });
}

inline rc::Gen<Attachment> generate_attachment() {
  const auto metadata =
      rc::gen::resize(4, rc::gen::container<AttachmentMetadata>(
                             rc::gen::element<std::string>("name", "$map", "$bytes", "type", ""), generate_text()));
  return rc::gen::map(rc::gen::tuple(rc::gen::arbitrary<Bytes>(), metadata),
                      [](const std::tuple<Bytes, AttachmentMetadata>& parts) {
                        ContentHash hash{};
                        const Bytes& some = std::get<0>(parts);
                        std::copy_n(some.begin(), std::min(some.size(), hash.size()), hash.begin());
                        const std::uint64_t size = some.size() % 7 == 6 ? kMaxAttachmentBytes : some.size() * 1000;
                        return Attachment::make(hash, size, std::get<1>(parts)).value();
                      });
}

inline rc::Gen<std::string> generate_key() {
  return rc::gen::oneOf(
      generate_text(), generate_text(),
      rc::gen::element<std::string>("$bytes", "$map", "$timestamp", "$attachment", "$double", "$counter", "$"));
}

// Any Value nested at most `depth` levels, except NaN, which does not equal itself.
inline rc::Gen<Value> generate_value(int depth) {
  auto leaf = rc::gen::oneOf(
      rc::gen::just(Value()), rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return Value(v); }),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return Value(v); }),
      rc::gen::map(rc::gen::arbitrary<double>(), [](double v) { return Value(std::isnan(v) ? 0.5 : v); }),
      rc::gen::map(generate_text(), [](std::string v) { return Value(std::move(v)); }),
      rc::gen::map(rc::gen::arbitrary<Bytes>(), [](Bytes v) { return Value(std::move(v)); }),
      rc::gen::element<Value>(HUGE_VAL, -HUGE_VAL, -0.0, 1e300),
      rc::gen::map(generate_timestamp(), [](Timestamp v) { return Value(v); }),
      rc::gen::map(generate_attachment(), [](Attachment v) { return Value(std::move(v)); }));
  if (depth == 0) return leaf;
  auto array = rc::gen::map(
      rc::gen::resize(4, rc::gen::container<Array>(rc::gen::lazy([depth] { return generate_value(depth - 1); }))),
      [](Array v) { return Value(std::move(v)); });
  auto map = rc::gen::map(
      rc::gen::resize(
          4, rc::gen::container<Map>(generate_key(), rc::gen::lazy([depth] { return generate_value(depth - 1); }))),
      [](Map v) { return Value(std::move(v)); });
  return rc::gen::oneOf(leaf, leaf, array, map);
}

}  // namespace fermata
