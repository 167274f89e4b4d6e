// What the app declared in its Info.plist. What is not declared is not offered: the system would refuse it.
#pragma once

#include <string>

namespace fermata::apple {

struct Declared {
  bool audio = false;           // UIBackgroundModes has audio
  std::string refresh_task;     // of BGTaskSchedulerPermittedIdentifiers, the one that ends in .fermata.refresh
  std::string processing_task;  // ….fermata.processing
  std::string continued_task;   // ….fermata.continued
  // FermataContinuedTaskTitle and …Subtitle: what the system shows people while a continued task runs.
  std::string continued_title = "Syncing";
  std::string continued_subtitle = "Your devices stay in step";
};

[[nodiscard]] Declared declared_in_info_plist();

}  // namespace fermata::apple
