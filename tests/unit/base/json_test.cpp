#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <fermata/value.hpp>

#include <cmath>

#include "support/value_generator.hpp"

namespace fermata {
namespace {

std::string error_of(std::string_view text) {
  auto value = from_json(text);
  return value ? "no error" : value.error().message;
}

TEST(Json, ReadsEveryKindOfValue) {
  const auto value = from_json(R"({"a":[1,-2,2.5,true,false,null,"x\n\u00e9"],"b":{}, "n": 1e3})");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(*value,
            Value(Map{{"a", Array{1, -2, 2.5, true, false, nullptr, "x\n\u00e9"}}, {"b", Map{}}, {"n", 1000.0}}));
}

TEST(Json, KeepsSixtyFourBitIntegersAndTurnsLargerOnesIntoReals) {
  EXPECT_EQ(from_json("9223372036854775807").value(), Value(std::int64_t{9223372036854775807}));
  EXPECT_EQ(from_json("-9223372036854775808").value(), Value(std::int64_t{INT64_MIN}));
  EXPECT_EQ(from_json("9223372036854775808").value(), Value(9223372036854775808.0));
  EXPECT_EQ(to_json(Value(1.0)), "1.0");
}

TEST(Json, NamesTheLineOfAFault) {
  EXPECT_NE(error_of("{\n\"a\": 1,\n\"b\": oops\n}").find("line 3"), std::string::npos)
      << error_of("{\n\"a\": 1,\n\"b\": oops\n}");
  EXPECT_NE(error_of("[1,\n2\n").find("line 2"), std::string::npos) << error_of("[1,\n2\n");
  EXPECT_NE(error_of("[{\"a\":\n1},\n{\"b\"").find("line 3"), std::string::npos) << error_of("[{\"a\":\n1},\n{\"b\"");
  EXPECT_NE(error_of("[\n\"\xff\"]").find("line 2"), std::string::npos) << error_of("[\n\"\xff\"]");
}

TEST(Json, RefusesWhatIsNotOneValue) {
  for (const char* text :
       {"", "  ", "1 2", "{} x", "[1,]", "{\"a\"}", "{\"a\":1,\"a\":2}", "nul", "\"open", "[1}", "{\"$bytes\":\"*\"}",
        R"({"$bytes":1})", R"({"$timestamp":"2026-02-30T00:00:00Z"})", R"({"$timestamp":1})", R"({"$double":"nan"})",
        R"({"$double":1})", R"({"$map":1})", R"({"$attachment":{"hash":"00","size":1,"metadata":{}}})"}) {
    EXPECT_FALSE(from_json(text)) << text;
  }
}

TEST(Json, RefusesNestingBeyondTheLimitWithoutExhaustingTheStack) {
  EXPECT_TRUE(from_json(std::string(60, '[') + std::string(60, ']')));
  const auto deep = from_json(std::string(100'000, '['));
  ASSERT_FALSE(deep);
}

TEST(Json, WhatJsonLacksIsAMapOfOneKey) {
  const ContentHash hash{0xab};
  const auto attachment = Attachment::make(hash, 3, {{"name", "a"}}).value();
  const Value value(Array{Bytes{1}, Timestamp::parse("2026-11-23T19:40:26Z").value(), attachment, HUGE_VAL});
  EXPECT_EQ(to_json(value),
            R"([{"$bytes":"AQ=="},{"$timestamp":"2026-11-23T19:40:26.000Z"},{"$attachment":{"hash":"ab)" +
                std::string(62, '0') + R"(","size":3,"metadata":{"name":"a"}}},{"$double":"Infinity"}])");
  EXPECT_EQ(to_json(Value(std::nan(""))), R"({"$double":"NaN"})");
  const auto back = from_json(R"({"$double":"NaN"})");
  EXPECT_TRUE(back && back->if_a<double>() != nullptr && std::isnan(*back->if_a<double>()));
}

TEST(Json, AMapOfOneKeyThatLooksLikeAMarkIsKept) {
  const Value looks = Map{{"$bytes", "AQ=="}};
  EXPECT_EQ(to_json(looks), R"({"$map":{"$bytes":"AQ=="}})");
  EXPECT_EQ(from_json(R"({"$map":{"$bytes":"AQ=="}})").value(), looks);
  EXPECT_EQ(from_json(R"({"$map":{"$map":{"$map":{"$map":1}}}})").value(), Value(Map{{"$map", Map{{"$map", 1}}}}));
}

TEST(Json, AMarkAmongOtherKeysIsAFieldLikeAny) {
  const Value expected = Map{{"$map", Bytes{1}}, {"a", 1}};
  EXPECT_EQ(from_json(R"({"$map":{"$bytes":"AQ=="},"a":1})").value(), expected);
  EXPECT_EQ(from_json(R"({"a":1,"$map":{"$bytes":"AQ=="}})").value(), expected);
  EXPECT_EQ(from_json(R"({"$map":{"$map":{"b":2}},"a":1})").value(), Value(Map{{"$map", Map{{"b", 2}}}, {"a", 1}}));
}

TEST(Json, MarksAreNoLevelsOfTheValue) {
  Value deep = Bytes{1};
  for (std::size_t i = 0; i < 64; ++i) deep = Map{{"$map", std::move(deep)}};
  EXPECT_EQ(from_json(to_json(deep)).value(), deep);
  const auto too_deep = from_json(to_json(Map{{"$map", deep}}));
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code, ErrorCode::LimitExceeded);
}

RC_GTEST_PROP(Json, EveryValueComesBackFromItsText, ()) {
  const Value value = *generate_value(4);
  const auto back = from_json(to_json(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == value);
}

}  // namespace
}  // namespace fermata
