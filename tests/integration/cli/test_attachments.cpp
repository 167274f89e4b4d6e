#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

std::string some_content() {
  std::string content(300'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * i % 251);
  return content;
}

std::string hash_in(const Outcome& run) {
  const auto value = from_json(run.out);
  const auto* attachment = value ? value->if_a<Attachment>() : nullptr;
  if (attachment == nullptr) return "none";
  std::string hex;
  for (const std::uint8_t byte : attachment->hash()) {
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 15U];
  }
  return hex;
}

class AttachmentVerbs : public CommandLine {
 protected:
  void expect_round_trip() {
    query("INSERT INTO things DOCUMENTS ({_id: 'a', m: {n: 1}})");
    const std::string content = some_content();
    const Outcome attached = fermata({"attach", directory_, "things", "a", "m.file", "-", "--meta", "type=t"}, content);
    ASSERT_EQ(attached.code, 0) << attached;
    const auto shown = query("SELECT * FROM things");
    ASSERT_EQ(shown.size(), 1u);
    EXPECT_NE((shown[0] + "\n").find(attached.out.substr(0, attached.out.size() - 1)), std::string::npos) << shown[0];
    EXPECT_NE(shown[0].find(R"("metadata":{"type":"t"})"), std::string::npos) << shown[0];
    EXPECT_NE(shown[0].find(R"("size":300000)"), std::string::npos) << shown[0];
    const Outcome read = fermata({"attachment", directory_, hash_in(attached)});
    EXPECT_TRUE(read.out == content) << read.out.size();
    const std::string file = folder_ / "out";
    EXPECT_EQ(fermata({"attachment", directory_, hash_in(attached), file}).code, 0);
    EXPECT_TRUE(content_of(file) == content);
    const Outcome again = fermata({"attach", directory_, "things", "a", "copy", file});
    EXPECT_NE(again.out.find(R"("metadata":{"name":"out"})"), std::string::npos) << again;
    EXPECT_EQ(hash_in(again), hash_in(attached));
  }
  void expect_refusals() {
    query("INSERT INTO things DOCUMENTS ({_id: 'b'})");
    const std::string none(64, '0');
    expect_one_clear_line(fermata({"attachment", directory_, none}), 5, "not here");
    expect_one_clear_line(fermata({"attachment", directory_, "abc"}), 4, "64 digits");
    expect_one_clear_line(fermata({"attach", directory_, "things", "nobody", "f", "-"}, "x"), 5, "nobody");
    expect_one_clear_line(fermata({"attach", directory_, "things", "b", "f", folder_ / "missing"}), 5, "missing");
    expect_one_clear_line(fermata({"attach", directory_, "things", "b", "f", "-", "--meta", "x"}, "x"), 4, "NAME=TEXT");
    expect_one_clear_line(
        fermata({"attach", directory_, "things", "b", "f", "-", "--meta", "x=" + std::string(5000, 'x')},
                some_content()),
        8, "metadata");
  }
};

TEST_F(AttachmentVerbs, ContentComesBackAsItWas) {
  expect_round_trip();
}
TEST_F(AttachmentVerbs, ContentComesBackThroughAServer) {
  const Server server(directory_);
  expect_round_trip();
}
TEST_F(AttachmentVerbs, WhatIsNotThereOrCannotBeIsToldInOneLine) {
  expect_refusals();
}
TEST_F(AttachmentVerbs, WhatIsNotThereOrCannotBeIsToldInOneLineThroughAServer) {
  const Server server(directory_);
  expect_refusals();
}

}  // namespace
}  // namespace fermata::test
