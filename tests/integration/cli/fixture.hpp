// A database directory to work on, and the checks that most tests share.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <fermata/value.hpp>

#include "integration/cli/program.hpp"

namespace fermata::test {

// `fermata init` in a new folder.
class CommandLine : public ::testing::Test {
 protected:
  void SetUp() override {
    const Outcome run = fermata({"init", directory_});
    ASSERT_EQ(run.code, 0) << run;
  }

  // A query that must succeed; its lines.
  std::vector<std::string> query(const std::string& statement, const Words& more = {}) const {
    Words words{"query", directory_, statement};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome run = fermata(words);
    EXPECT_EQ(run.code, 0) << run;
    return lines_of(run.out);
  }

  Folder folder_;
  std::string directory_ = folder_ / "db";
};

// A failed run: this code, one line "fermata: …" that holds `words`, nothing on stdout.
inline void expect_one_clear_line(const Outcome& run, int code, const std::string& words) {
  EXPECT_EQ(run.code, code) << run;
  EXPECT_EQ(run.out, "") << run;
  EXPECT_EQ(lines_of(run.err).size(), 1u) << run;
  EXPECT_TRUE(run.err.starts_with("fermata: ")) << run;
  EXPECT_NE(run.err.find(words), std::string::npos) << "expected the words: " << words << "\n" << run;
}

// `fermata serve` that is ready; its lines so far are read. `address` is where it listens, if it does.
class Server {
 public:
  explicit Server(const std::string& directory, const Words& more = {}) : program_(words(directory, more)) {
    while (auto line = program_.err_line()) {
      said_ += *line + "\n";
      const std::string prefix = "fermata: listening on ";
      if (line->starts_with(prefix)) address_ = line->substr(prefix.size());
      if (*line == "fermata: ready") return;
    }
    ADD_FAILURE() << "the server did not become ready; repeat with: " << program_.command() << "\nstderr: " << said_;
  }

  [[nodiscard]] Program& program() { return program_; }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  static Words words(const std::string& directory, const Words& more) {
    Words all{"serve", directory};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  Program program_;
  std::string address_, said_;
};

}  // namespace fermata::test
