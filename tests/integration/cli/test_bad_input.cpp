#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

namespace fs = std::filesystem;

// The collection is as it was: without anything.
class BadImport : public CommandLine {
 protected:
  void expect_refused(const std::string& content, int code, const std::string& words, const Words& more = {}) {
    const std::string file = folder_.file("bad.json", content);
    Words all{"import", directory_, "things", file};
    all.insert(all.end(), more.begin(), more.end());
    expect_one_clear_line(fermata(all), code, words);
    const Outcome status = fermata({"status", directory_, "--json"});
    EXPECT_EQ(status.out, "{\"collections\":{},\"serving\":false}\n") << status;
  }
};

TEST_F(BadImport, AMissingFileIsNamed) {
  expect_one_clear_line(fermata({"import", directory_, "things", folder_ / "none.json"}), 5, "none.json");
}

TEST_F(BadImport, AnUnreadableFileIsNamed) {
  expect_one_clear_line(fermata({"import", directory_, "things", folder_.path()}), 1, "Is a directory");
}

TEST_F(BadImport, MalformedJsonNamesTheLine) {
  expect_refused("[{\"_id\":\"a\"},\n {\"_id\":\"b\"},\n {\"_id\" \"c\"}]\n", 9, "line 3");
}

TEST_F(BadImport, AFileThatStopsShortIsMalformed) {
  expect_refused("[{\"_id\":\"a\"},\n {\"_id\":\"b\"}", 9, "ended early");
}

TEST_F(BadImport, AMalformedLineOfManyNamesItsNumber) {
  expect_refused("{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":}\n", 9, "line 3");
}

TEST_F(BadImport, ADocumentWithoutTheIdIsNamedByItsNumber) {
  expect_refused(R"([{"_id":"a"},{"id":"b"}])", 4, "document 2 has no field \"_id\"");
}

TEST_F(BadImport, ALineWithoutTheIdIsNamedByItsNumber) {
  expect_refused("{\"code\":\"a\"}\n\n{\"cod\":\"b\"}\n", 4, "line 3 has no field \"code\"", {"--id", "code"});
}

TEST_F(BadImport, AnIdThatIsNoTextIsRefused) {
  expect_refused(R"([{"_id":"a"},{"_id":[1]}])", 7, "document 2");
}

TEST_F(BadImport, AnArrayOfOtherThingsIsRefused) {
  expect_refused(R"([{"_id":"a"},5])", 7, "document 2 is not a JSON object");
}

TEST_F(BadImport, NestingWithoutEndIsRefused) {
  expect_refused("{\"_id\":\"a\",\"x\":" + std::string(100000, '[') + std::string(100000, ']') + "}", 8, "");
}

TEST_F(BadImport, TextAfterTheEndIsCalledSo) {
  expect_refused("\n[{\"_id\":\"a]\\\"\"}]\n x", 9, "line 3: there is text after the end of the array");
  expect_refused("{\"_id\":\"a\"}\n{\"_id\":\"b\"} {}\n", 9, "line 2: there is text after the end of the object");
}

TEST_F(BadImport, AnIdThatComesTwiceNamesBothDocuments) {
  expect_refused(R"([{"_id":"a"},{"_id":"b"},{"_id":"a"}])", 4, "document 1 and document 3 have the same id \"a\"");
  expect_refused("{\"code\":7}\n\n{\"code\":\"7\"}\n", 4, "line 1 and line 3 have the same id \"7\"", {"--id", "code"});
  expect_refused(R"({"x":[{"_id":"a"}],"y":[{"_id":"a"}]})", 4, "document 1 and document 2 have the same id");
}

TEST_F(BadImport, AnIdThatComesTwiceIsFoundHoweverManyComeBetween) {
  std::string rows = "_id\nfirst\n";
  constexpr int kMany = 400'000;  // more than memory keeps
  for (int i = 0; i < kMany; ++i) rows += "id" + std::to_string(i) + "\n";
  const std::string last = std::to_string(kMany + 3);
  expect_refused(rows + "id7\n", 4, "line 10 and line " + last + " have the same id \"id7\"", {"--format", "csv"});
}

TEST_F(BadImport, AnObjectThatIsNotOnlyArraysSaysHowItIsRead) {
  expect_refused(R"({"version":1,"things":[{"_id":"a"}]})", 4, "all its members are arrays, and \"version\" is none");
}

TEST_F(BadImport, ARecordWithoutEndIsRefused) {
  const std::string file = folder_.file("huge.json", "[\"");
  fs::resize_file(file, std::uintmax_t{200} << 20);
  expect_one_clear_line(fermata({"import", directory_, "things", file}), 8, "beyond 104 MiB");
}

TEST_F(CommandLine, AFileWithoutDocumentsIsRemarkedOn) {
  for (const std::string content : {"", " \n\n", "[]"}) {
    const std::string file = folder_.file("blank.json", content);
    expect_one_clear_line(fermata({"import", directory_, "things", file}), 0, "blank.json holds no documents");
  }
}

TEST_F(CommandLine, ASecretWithoutEndIsRefused) {
  const std::string other = folder_ / "other";
  expect_one_clear_line(fermata({"init", other, "--secret-file", "/dev/zero"}), 4, "more than 4 KiB");
  EXPECT_FALSE(fs::exists(other));
  expect_one_clear_line(fermata({"serve", directory_, "--secret-file", "/dev/zero"}), 4, "more than 4 KiB");
}

TEST_F(CommandLine, ASecretThatCannotBeReadSaysWhy) {
  const std::string secret = directory_ + "/group.secret";
  fs::remove(secret);
  fs::create_symlink(secret, secret);
  expect_one_clear_line(fermata({"serve", directory_}), 1, "Too many levels of symbolic links");
  if (::geteuid() == 0) return;  // root reads everything
  fs::remove(secret);
  const std::string closed = folder_.file("db/group.secret", "0123456789abcdef");
  fs::permissions(closed, fs::perms::none);
  expect_one_clear_line(fermata({"serve", directory_}), 1, "Permission denied");
}

TEST(NoDatabase, AnEmptyNameCannotBeMade) {
  expect_one_clear_line(fermata({"init", ""}), 4, "is empty");
}

TEST_F(CommandLine, NamesOfOthersCannotCommandTheTerminal) {
  const std::string name = "a\x1b]0;b\x07\nc\x7f\xc2\x9bmd\xc3\xa9";
  const std::string shown = "a\\x1B]0;b\\x07\\x0Ac\\x7F\\x9Bmd\xc3\xa9";
  const Outcome import = fermata({"import", directory_, name, "-"}, R"({"_id":"a"})");
  ASSERT_EQ(import.code, 0) << import;
  expect_one_clear_line(import, 0, shown);
  const Outcome status = fermata({"status", directory_});
  EXPECT_NE(status.out.find(shown), std::string::npos) << status;
  expect_one_clear_line(fermata({"query", directory_, "SELECT * FROM none"}), 0, shown);
}

TEST_F(CommandLine, DocumentsOfOthersCannotCommandTheTerminalAndComeBackAsTheyWere) {
  const std::string line = "{\"_id\":\"a\",\"x\":\"\\u001b[1m \\u007f \\u009b \xc2\xa0\xc3\xa9\"}";
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, line).code, 0);
  EXPECT_EQ(query("SELECT * FROM things"), Words{line});
}

TEST_F(CommandLine, AParameterThatIsNotUsedIsRemarkedOn) {
  const std::string statement = "INSERT INTO a DOCUMENTS ({_id: :id})";
  const Outcome run = fermata({"query", directory_, statement, "--param", "id=x", "--param", "i=1"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(run.err, "fermata: remark: the statement does not use :i\n") << run;
}

TEST(CommandLineUsage, ACountThatIsNoneIsExplainedInPlainWords) {
  for (const std::string count : {"0", "-1", "x", "99999999999999999999"}) {
    expect_one_clear_line(fermata({"watch", "none", "SELECT * FROM a", "--count", count}), 2,
                          "takes a whole number from 1 on, not \"" + count + "\"");
  }
}

TEST_F(CommandLine, ASyntaxErrorShowsACaretUnderItsColumn) {
  const Outcome run = fermata({"query", directory_, "SELECT * FORM things"});
  EXPECT_EQ(run.code, 3) << run;
  const auto lines = lines_of(run.err);
  ASSERT_GE(lines.size(), 3u) << run;
  EXPECT_TRUE(lines[0].starts_with("fermata: ")) << run;
  const auto statement = lines.end()[-2].find("FORM");
  ASSERT_NE(statement, std::string::npos) << run;
  EXPECT_EQ(lines.back().find('^'), statement) << run;
}

TEST_F(CommandLine, AParameterWithoutANameIsRefused) {
  expect_one_clear_line(fermata({"query", directory_, "SELECT * FROM a", "--param", "five"}), 4, "name=value");
}

TEST_F(CommandLine, AMissingParameterIsNamed) {
  expect_one_clear_line(fermata({"query", directory_, "SELECT * FROM a WHERE b = :wanted"}), 4, "wanted");
}

TEST(NoDatabase, AMissingDirectoryIsNamedByEveryVerb) {
  const Folder folder;
  const std::string none = folder / "none";
  const std::string file = folder.file("a.json", "[]");
  for (const Words& words :
       {Words{"query", none, "SELECT * FROM a"}, Words{"import", none, "a", file}, Words{"export", none, "a"},
        Words{"watch", none, "SELECT * FROM a"}, Words{"status", none}, Words{"serve", none}}) {
    expect_one_clear_line(fermata(words), 5, none);
    EXPECT_FALSE(fs::exists(none));
  }
}

TEST(NoDatabase, ADirectoryOfOtherThingsIsNoDatabaseAndStaysAsItIs) {
  const Folder folder;
  const std::string file = folder.file("letter.txt", "Dear diary");
  const Outcome run = fermata({"query", folder.path(), "SELECT * FROM a"});
  EXPECT_NE(run.code, 0) << run;
  expect_one_clear_line(run, run.code, folder.path());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << run;
}

TEST(NoDatabase, AFileInPlaceOfADirectoryIsRefused) {
  const Folder folder;
  const std::string file = folder.file("letter.txt", "Dear diary");
  for (const Words& words : {Words{"init", file}, Words{"query", file, "SELECT * FROM a"}, Words{"serve", file}}) {
    const Outcome run = fermata(words);
    EXPECT_NE(run.code, 0) << run;
    expect_one_clear_line(run, run.code, "letter.txt");
  }
  EXPECT_EQ(content_of(file), "Dear diary");
}

TEST_F(CommandLine, ADatabaseOfANewerFormatIsRefusedAndNotTouched) {
  // A database of this format that says so would be damaged, for lack of the page's checksum; one without any is not.
  const std::string file = directory_ + "/fermata.db";
  ::unlink(file.c_str());
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(database, "PRAGMA application_id = 1181053549; PRAGMA user_version = 9999; CREATE TABLE newer(a)",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(database);
  const std::string before = content_of(directory_ + "/fermata.db");
  for (const Words& words : {Words{"query", directory_, "SELECT * FROM a"}, Words{"serve", directory_}}) {
    expect_one_clear_line(fermata(words), 10, "newer");
  }
  EXPECT_EQ(content_of(directory_ + "/fermata.db"), before);
}

TEST_F(CommandLine, AFileThatIsNoDatabaseIsRefusedAndNotTouched) {
  const std::string file = folder_.file("db/fermata.db", std::string(8192, 'x'));
  const Outcome run = fermata({"query", directory_, "SELECT * FROM a"});
  EXPECT_NE(run.code, 0) << run;
  expect_one_clear_line(run, run.code, directory_);
  EXPECT_EQ(content_of(file), std::string(8192, 'x'));
}

// A small file system of its own, full as soon as something of size is written.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    ::mkdir(path_.c_str(), 0700);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=512k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_;
};

TEST(FullDisk, AnImportThatDoesNotFitLeavesTheDatabaseAsItWas) {
  const Folder folder;
  const std::string disk = folder / "disk";
  const SmallDisk small(disk);
  if (!small.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  const std::string directory = disk + "/db";
  const Outcome init = fermata({"init", directory});
  ASSERT_EQ(init.code, 0) << init;
  ASSERT_EQ(fermata({"import", directory, "things", "-"}, R"({"_id":"a"})").code, 0);
  std::string much;
  for (int i = 0; i < 2000; ++i)
    much += "{\"_id\":\"" + std::to_string(i) + "\",\"x\":\"" + std::string(1000, 'x') + "\"}\n";
  const std::string file = folder.file("much.ndjson", much);
  expect_one_clear_line(fermata({"import", directory, "things", file}), 14, "");
  const Outcome after = fermata({"query", directory, "SELECT * FROM things"});
  EXPECT_EQ(after.code, 0) << after;
  EXPECT_EQ(after.out, "{\"_id\":\"a\"}\n") << after;
}

TEST(FullDisk, AnExportThatDoesNotFitLeavesNoFile) {
  const Folder folder;
  const std::string disk = folder / "disk";
  const SmallDisk small(disk);
  if (!small.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  ASSERT_EQ(fermata({"init", folder / "db"}).code, 0);
  std::string much;
  for (int i = 0; i < 1000; ++i)
    much += "{\"_id\":\"" + std::to_string(i) + "\",\"x\":\"" + std::string(1000, 'x') + "\"}\n";
  ASSERT_EQ(fermata({"import", folder / "db", "things", "-"}, much).code, 0);
  expect_one_clear_line(fermata({"export", folder / "db", "things", disk + "/out"}), 14, "/out");
  EXPECT_TRUE(fs::is_empty(disk));
}

TEST(FullDisk, ADeviceThatIsFullIsAnErrorAndStaysADevice) {
  const Folder folder;
  ASSERT_EQ(fermata({"init", folder / "db"}).code, 0);
  ASSERT_EQ(fermata({"import", folder / "db", "things", "-"}, R"({"_id":"a"})").code, 0);
  expect_one_clear_line(fermata({"export", folder / "db", "things", "/dev/full"}), 14, "/dev/full");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

}  // namespace
}  // namespace fermata::test
