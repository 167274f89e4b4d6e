// The demo as it runs: on a terminal two moving lanes, elsewhere a line per event. Words go to stderr.
#pragma once

#include <string>

#include "cli/demo_record.hpp"

namespace fermata::cli {

class DemoTimeline {
 public:
  explicit DemoTimeline(const DemoRecord& record);
  ~DemoTimeline();  // leaves the last picture standing

  // Something worth a line happened.
  void event(const std::string& words);
  // Time went on; redraws at most five times a second, on a terminal only.
  void refresh(Nanoseconds now);

 private:
  [[nodiscard]] std::string picture(Nanoseconds now) const;

  const DemoRecord& record_;
  const bool live_;
  Nanoseconds last_draw_ = 0;
  std::string last_event_;
  int drawn_lines_ = 0;
};

}  // namespace fermata::cli
