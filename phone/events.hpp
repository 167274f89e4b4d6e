// What happened, as one JSON line per event for programs and one short line on stderr for people.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <fermata/result.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::phone {

// Programs say what they like: what is no UTF-8 becomes U+FFFD, one for each byte.
[[nodiscard]] std::string json_string(std::string_view text);  // quoted and escaped
[[nodiscard]] std::string printable(std::string_view text);    // control characters become U+FFFD as well
[[nodiscard]] std::int64_t boottime_ns();                      // CLOCK_BOOTTIME
void say_on_stderr(std::string_view text);  // whoever does not listen (a full disk, a closed pipe) misses it

class Event {
 public:
  // `words`: the line for people; empty: only the JSON line is written.
  explicit Event(std::string name, std::string words = {});

  Event& with(std::string_view key, std::string_view text);
  Event& with(std::string_view key, std::int64_t number);
  Event& about(std::string_view subject);  // for the picture only
  Event& with_json(std::string_view key, std::string_view json);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& words() const { return words_; }
  [[nodiscard]] std::string json(std::int64_t t_ns) const;
  [[nodiscard]] const std::string& fields() const { return fields_; }
  [[nodiscard]] const std::string& subject() const { return subject_; }

 private:
  std::string name_;
  std::string words_;
  std::string fields_;
  std::string subject_;
};

// An event as it stays in memory, for the picture of the run.
struct Recorded {
  double t_ms = 0;  // since the start
  std::string name;
  std::string subject;  // what it is about: the value of "name" (with "value", if there is one) or "text", or about();
                        // printable
  std::string fields;   // of its JSON object: empty, or beginning with a comma
};

enum class Voice : std::uint8_t { Spoken, Quiet };  // are the lines for people written?

// One thread. Each line is flushed, so that another process can follow the file.
class EventLog {
 public:
  // No path: nothing for programs. An existing file is replaced. Errors: Io.
  [[nodiscard]] static Result<EventLog> open(const std::optional<std::string>& path, Voice voice);
  void write(const Event& event);
  void say(std::string_view words);  // printable() of it
  // Io, once a line for programs could not be written; those after it were not tried.
  [[nodiscard]] Status written() const;
  // The first 100,000.
  [[nodiscard]] const std::vector<Recorded>& recorded() const { return recorded_; }
  [[nodiscard]] double elapsed_ms() const;

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  EventLog(std::FILE* file, std::string path, Voice voice)
      : file_(file), path_(std::move(path)), voice_(voice), start_ns_(boottime_ns()) {}

  std::unique_ptr<std::FILE, Closer> file_;
  std::string path_;
  int error_ = 0;  // errno of the line that failed
  Voice voice_;
  std::int64_t start_ns_;
  std::vector<Recorded> recorded_;
};

}  // namespace fermata::phone
