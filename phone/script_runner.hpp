// Walks through a script's steps on the phone's loop. Steps may be added while it runs.
#pragma once

#include <deque>
#include <fermata/result.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "phone/loop.hpp"
#include "phone/script.hpp"

namespace fermata::phone {

class ScriptRunner {
 public:
  // What a script can do to the phone, and ask of it.
  struct Host {
    std::function<Status(const Step&)> act;           // everything but waiting and expecting; an error fails the run
    std::function<bool()> in_call;                    // or an alarm
    std::function<bool(const Step&)> holds;           // is this expectation true? If so, it is met
    std::function<void(std::string message)> failed;  // the script asked for something that did not come true
  };

  ScriptRunner(Loop& loop, Host host);

  void add(Step step);
  // Goes on as far as possible. To be called after everything that may have changed an answer of the host.
  void advance();
  // Nothing more can happen: an expectation that is left and does not hold has failed.
  void program_ended();
  void stop();  // what is left is not done
  [[nodiscard]] bool is_done() const { return steps_.empty(); }
  [[nodiscard]] bool will_launch() const;

 private:
  enum class Progress : std::uint8_t { Done, Blocked };
  Progress perform(const Step& step);
  Progress wait_for(const Step& step);
  Progress expect(const Step& step);
  void fail_run(std::string message);

  Host host_;
  std::deque<Step> steps_;
  std::optional<Loop::Instant> until_;  // of the step in front, once it waits
  std::unique_ptr<Loop::Timer> timer_;
  bool advancing_ = false;
};

}  // namespace fermata::phone
