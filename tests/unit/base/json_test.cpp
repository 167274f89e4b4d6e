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
  for (const char* text : {"", "  ", "1 2", "{} x", "[1,]", "{\"a\"}", "{\"a\":1,\"a\":2}", "nul", "\"open", "[1}",
                           "{\"$bytes\":\"*\"}"}) {
    EXPECT_FALSE(from_json(text)) << text;
  }
}

TEST(Json, RefusesNestingBeyondTheLimitWithoutExhaustingTheStack) {
  EXPECT_TRUE(from_json(std::string(60, '[') + std::string(60, ']')));
  const auto deep = from_json(std::string(100'000, '['));
  ASSERT_FALSE(deep);
}

RC_GTEST_PROP(Json, EveryValueComesBackFromItsText, ()) {
  const Value value = *generate_value(4);
  const auto back = from_json(to_json(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == value);
}

}  // namespace
}  // namespace fermata
