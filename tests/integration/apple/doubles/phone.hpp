// An iPhone, as far as the shim can tell: it plays the system behind the doubles of Apple's frameworks, by the rules in
// docs/LIFECYCLE.md, and keeps a journal of what the shim did.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace doubles {

// Everything here is called on the main thread, unless a function says otherwise.
class Phone {
 public:
  static Phone& one();  // there is one app and one phone
  void reset();         // a phone out of the box; forgets everything

  // The journal: what the shim asked of the system, in order. From any thread.
  void note(std::string line);
  [[nodiscard]] std::vector<std::string> journal() const;
  [[nodiscard]] std::size_t count(const std::string& line) const;
  void clear_journal();

  // Turns of the main run loop until `done` or the deadline. False at the deadline.
  static bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds at_most);
  static void settle();  // what was posted to the main thread until now is done

  // People
  void leave_screen();
  void return_to_screen();
  void call_begins();
  void call_ends();
  void alarm_rings_and_stops();  // the session is given back a moment later than told
  void unplug_headphones();
  void force_low_power(bool on);
  void lock_device();
  void unlock_device();
  void drain_battery_to(float level);
  void pay_for_network(bool by_volume);

  // The system
  void lose_media_services();
  void restart_media_services();
  void expire_background_tasks();
  void open_window(const std::string& identifier);
  void expire_window();
  void terminate();
  static void post(const char* name, const char* key = nullptr, unsigned long value = 0, const char* key2 = nullptr,
                   unsigned long value2 = 0);

  // What is really so. From any thread.
  [[nodiscard]] bool sounding() const;  // the app's sound reaches the speaker
  [[nodiscard]] std::size_t open_tasks() const;
  [[nodiscard]] std::size_t observers() const;
  [[nodiscard]] std::pair<long, long> progress() const;  // of the window that is open: completed, total
  void skip_progress_to(long completed);

  // Read and written by the doubles, under `mutex`.
  struct World {
    bool session_active = false;
    bool category_set = false;
    bool mixes = false;
    bool call_running = false;
    bool services_up = true;
    int services = 1;  // which run of the media services players belong to
    int refusals = 0;  // so many activations fail
    int refused_plays = 0;
    bool route_change_inside_activation = false;
    int playing = 0;  // players that are heard
    int state = 0;    // UIApplicationState
    double time_remaining = 30;
    bool grants_tasks = true;
    bool protected_data = true;
    bool low_power = false;
    bool battery_monitored = false;
    float battery = 1;
    int battery_state = 2;
    bool metered = false;
    long submit_error = 0;
    unsigned long next_task = 1;
    long open_windows = 0;
  };
  mutable std::recursive_mutex mutex;
  World world;

 private:
  std::vector<std::string> journal_;
};

}  // namespace doubles
