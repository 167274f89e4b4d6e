// A run's events as spans, as a document and as pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "phone/timeline.hpp"

namespace fermata::phone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

RunRecord short_run() {
  RunRecord run;
  run.policy = "ios";
  run.seed = 7;
  run.events = {{0, "start", "", ""},
                {100, "background", "", ",\"time_left_ms\":5000"},
                {100, "task_begin", "save", ",\"name\":\"save\""},
                {150, "call_begin", "", ""},
                {160, "call_begin", "", ""},
                {200, "task_begin", "<load> & \"go\"", ""},
                {300, "task_end", "save", ""},
                {350, "call_end", "", ""},
                {400, "frozen", "", ""},
                {500, "note", "tea & <cake>", ""},
                {900, "exit", "", ""}};
  run.end_ms = 1000;
  return run;
}

std::vector<std::string> in_words(const std::vector<Span>& spans) {
  std::vector<std::string> words;
  for (const Span& span : spans)
    words.push_back(span.kind + (span.name.empty() ? "" : " " + span.name) + " " +
                    std::to_string(static_cast<int>(span.begin_ms)) + "-" +
                    std::to_string(static_cast<int>(span.end_ms)));
  return words;
}

TEST(PhoneTimeline, EventsBecomeSpansAndTheProgramsEndEndsItsOwn) {
  EXPECT_THAT(in_words(spans_of(short_run())),
              ElementsAre("foreground 0-100", "background 100-900", "task save 100-300", "call 150-350",
                          "call 160-1000", "task <load> & \"go\" 200-900", "frozen 400-900"));
}

TEST(PhoneTimeline, TheDocumentHoldsPolicySpansEventsAndResult) {
  RunRecord run = short_run();
  run.code = 1;
  run.failure = "script line 3: \"x\"";
  const std::string json = timeline_json(run);
  EXPECT_THAT(json, HasSubstr(R"({"policy":"ios","seed":7,"time_scale":1,"means":{})"));
  EXPECT_THAT(json, HasSubstr(R"({"kind":"task","name":"save","begin_ms":100.000,"end_ms":300.000})"));
  EXPECT_THAT(json, HasSubstr(R"({"t_ms":100.000,"event":"background","time_left_ms":5000})"));
  EXPECT_THAT(json, HasSubstr(R"("result":{"code":1,"passed":false,"failure":"script line 3: \"x\""})"));
}

TEST(PhoneTimeline, ThePictureEscapesWhatTheProgramSaidAndShowsOnlyLanesThatAreUsed) {
  const std::string svg = timeline_svg(short_run());
  EXPECT_THAT(svg, HasSubstr("tea &amp; &lt;cake>"));
  EXPECT_THAT(svg, Not(HasSubstr("<load>")));
  EXPECT_THAT(svg, HasSubstr(">frozen</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("maintenance")));
}

TEST(PhoneTimeline, TheTerminalShowsTheLanesToScale) {
  const std::string text = timeline_text(short_run(), 53);
  EXPECT_THAT(text, HasSubstr("app          ████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    \n"));
  EXPECT_THAT(text, HasSubstr("frozen                       ░░░░░░░░░░░░░░░░░░░░    \n"));
  EXPECT_THAT(text, Not(HasSubstr("airplane")));
}

TEST(PhoneEvents, AreValidWhateverTheProgramSays) {
  EXPECT_EQ(json_string("a\"\\\n\x1B[2J"), R"("a\"\\\u000a\u001b[2J")");
  EXPECT_EQ(json_string("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8D\xB5"), "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8D\xB5\"");
  for (const char* bad : {"\x80", "\xC3", "\xC0", "\xF5", "\xFF"})
    EXPECT_EQ(json_string(bad), R"("\ufffd")") << "one byte that belongs to nothing";
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x8D"})
    EXPECT_THAT(json_string(bad), testing::MatchesRegex(R"("(\\ufffd)+")"))
        << "overlong, a surrogate, too high, cut off";
}

TEST(PhoneEvents, SayNothingThatATerminalObeys) {
  EventLog log = EventLog::open(std::nullopt, Voice::Spoken).value();
  testing::internal::CaptureStderr();
  log.say("tea\x1B[2J\xC2\x9B\x7F\r\xFF \xC3\xA9");
  const std::string said = testing::internal::GetCapturedStderr();
  constexpr const char* kNot = "\xEF\xBF\xBD";
  EXPECT_THAT(said, HasSubstr(std::string("tea") + kNot + "[2J" + kNot + kNot + kNot + kNot + " \xC3\xA9\n"));
}

}  // namespace
}  // namespace fermata::phone
