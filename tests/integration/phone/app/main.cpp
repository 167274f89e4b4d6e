// The app under the phone. Its arguments are done one after the other; it tells what happens on standard output.
//   tick FILE        from now on writes CLOCK_BOOTTIME nanoseconds to FILE every 10 ms
//   play ROLE        from now on plays silence; obeys request-cork and request-uncork
//   hello            connects to the phone
//   on WORDS DO LINE when the phone says a line that starts with WORDS, answers LINE ("-": ends with status 0; "burn"
//   and
//                    "mpris STATUS" are done instead of said)
//   lock FILE        takes a flock
//   database FILE    opens an SQLite database in WAL mode, reads from it and leaves it open
//   connect PORT     connects to 127.0.0.1:PORT and keeps the connection
//   listen           listens on a TCP port of 127.0.0.1 and says "port N"
//   mpris STATUS     is a media player on the session bus with this PlaybackStatus
//   burn             uses all of a processor
//   run              stays until it is ended
//   exit N           ends
#include <fcntl.h>
#include <poll.h>
#include <pulse/pulseaudio.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace {

struct App {
  pa_mainloop* loop = pa_mainloop_new();
  pa_stream* stream = nullptr;
  std::string role;
  int phone = -1;
  int ticks = -1;
  std::string received;
  std::vector<std::pair<std::string, std::string>> answers;
  sd_bus* bus = nullptr;
  std::string playback_status;
};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::_Exit(90);
}

pa_io_event* watch(App& app, int fd, pa_io_event_cb_t callback) {
  pa_mainloop_api* api = pa_mainloop_get_api(app.loop);
  return api->io_new(api, fd, PA_IO_EVENT_INPUT, callback, &app);
}

void tick(App& app, const char* path) {
  app.ticks = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  itimerspec every{};
  every.it_value.tv_nsec = every.it_interval.tv_nsec = 10'000'000;
  timerfd_settime(timer, 0, &every, nullptr);
  watch(app, timer, [](pa_mainloop_api*, pa_io_event*, int fd, pa_io_event_flags_t, void* self) {
    unsigned long long expirations = 0;
    if (read(fd, &expirations, sizeof expirations) < 0) give_up("timer");
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const std::string line = std::to_string(now.tv_sec * 1'000'000'000LL + now.tv_nsec) + "\n";
    if (write(static_cast<App*>(self)->ticks, line.data(), line.size()) < 0) give_up("tick");
  });
}

void on_cork_request(pa_stream* stream, const char* name, pa_proplist*, void*) {
  say(name);
  const int cork = std::strcmp(name, PA_STREAM_EVENT_REQUEST_CORK) == 0 ? 1 : 0;
  if (pa_operation* operation = pa_stream_cork(stream, cork, nullptr, nullptr)) pa_operation_unref(operation);
}

void open_stream(pa_context* context, App& app) {
  const pa_sample_spec spec{PA_SAMPLE_U8, 8000, 1};
  pa_proplist* properties = pa_proplist_new();
  pa_proplist_sets(properties, PA_PROP_MEDIA_ROLE, app.role.c_str());
  app.stream = pa_stream_new_with_proplist(context, "silence", &spec, nullptr, properties);
  pa_proplist_free(properties);
  pa_stream_set_event_callback(app.stream, on_cork_request, nullptr);
  const auto on_state = [](pa_stream* changed, void*) {
    if (pa_stream_get_state(changed) == PA_STREAM_FAILED) say("stream failed");
  };
  pa_stream_set_state_callback(app.stream, on_state, nullptr);
  pa_stream_set_moved_callback(
      app.stream, [](pa_stream*, void*) { say("stream moved"); }, nullptr);
  const auto fill = [](pa_stream* out, std::size_t wanted, void*) {
    const std::vector<char> silence(wanted, '\x80');
    pa_stream_write(out, silence.data(), silence.size(), nullptr, 0, PA_SEEK_RELATIVE);
  };
  pa_stream_set_write_callback(app.stream, fill, nullptr);
  pa_stream_connect_playback(app.stream, nullptr, nullptr, PA_STREAM_NOFLAGS, nullptr, nullptr);
}

void play(App& app, const char* role) {
  app.role = role;
  pa_context* context = pa_context_new(pa_mainloop_get_api(app.loop), "phone test app");
  const auto on_state = [](pa_context* changed, void* self) {
    if (pa_context_get_state(changed) == PA_CONTEXT_READY) open_stream(changed, *static_cast<App*>(self));
    if (pa_context_get_state(changed) == PA_CONTEXT_FAILED) say("audio failed");
  };
  pa_context_set_state_callback(context, on_state, &app);
  if (pa_context_connect(context, nullptr, PA_CONTEXT_NOAUTOSPAWN, nullptr) != 0) give_up("audio");
}

void tell(App& app, const std::string& line) {
  const std::string text = line + "\n";
  if (write(app.phone, text.data(), text.size()) < 0) give_up("phone");
}

void be_a_player(App& app, const char* status);
void burn(App& app);

void on_phone_line(App& app, const std::string& line) {
  say(line);
  for (const auto& [start, answer] : app.answers) {
    if (line.rfind(start, 0) != 0) continue;
    if (answer == "-") std::_Exit(0);
    if (answer == "burn") {
      burn(app);
      continue;
    }
    if (answer.rfind("mpris ", 0) == 0) {
      be_a_player(app, answer.c_str() + 6);
      continue;
    }
    tell(app, answer);
  }
}

void hello(App& app) {
  app.phone = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, std::getenv("FERMATA_PHONE_SOCKET"), sizeof address.sun_path - 1);
  if (connect(app.phone, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("phone");
  watch(app, app.phone, [](pa_mainloop_api* api, pa_io_event* event, int fd, pa_io_event_flags_t, void* self) {
    App& me = *static_cast<App*>(self);
    char buffer[1024];
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size <= 0) return api->io_free(event);
    me.received.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t end; (end = me.received.find('\n')) != std::string::npos; me.received.erase(0, end + 1))
      on_phone_line(me, me.received.substr(0, end));
  });
  tell(app, "hello 1 phone_test_app");
}

void connect_to(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("connect");
}

void listen_on_loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 4) != 0) give_up("listen");
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  say("port " + std::to_string(ntohs(address.sin_port)));
}

int read_status(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* self, sd_bus_error*) {
  return sd_bus_message_append(reply, "s", static_cast<App*>(self)->playback_status.c_str());
}

void be_a_player(App& app, const char* status) {
  static const sd_bus_vtable vtable[] = {
      SD_BUS_VTABLE_START(0),
      SD_BUS_PROPERTY("PlaybackStatus", "s", read_status, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE), SD_BUS_VTABLE_END};
  const bool known = app.bus != nullptr;
  app.playback_status = status;
  if (!known) {
    if (sd_bus_open_user(&app.bus) < 0) give_up("bus");
    sd_bus_add_object_vtable(app.bus, nullptr, "/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player", vtable,
                             &app);
    sd_bus_request_name(app.bus, "org.mpris.MediaPlayer2.testapp", 0);
    watch(app, sd_bus_get_fd(app.bus), [](pa_mainloop_api*, pa_io_event*, int, pa_io_event_flags_t, void* self) {
      while (sd_bus_process(static_cast<App*>(self)->bus, nullptr) > 0) {
      }
    });
  }
  sd_bus_emit_properties_changed(app.bus, "/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player", "PlaybackStatus",
                                 nullptr);
  sd_bus_flush(app.bus);
}

void burn(App& app) {
  pa_mainloop_api* api = pa_mainloop_get_api(app.loop);
  api->defer_new(
      api, [](pa_mainloop_api*, pa_defer_event*, void*) {}, nullptr);
}

void lock_file(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT, 0600);
  if (flock(fd, LOCK_EX) != 0) give_up("flock");
}

void open_database(const char* path) {
  sqlite3* database = nullptr;
  const char* use =
      "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(1); SELECT * FROM t;";
  if (sqlite3_open(path, &database) != SQLITE_OK || sqlite3_exec(database, use, nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up("database");
}

}  // namespace

int main(int argc, char** argv) {
  static App app;
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "hello") hello(app);
    if (word == "tick") tick(app, words.at(++i).c_str());
    if (word == "play") play(app, words.at(++i).c_str());
    if (word == "lock") lock_file(words.at(++i).c_str());
    if (word == "database") open_database(words.at(++i).c_str());
    if (word == "connect") connect_to(words.at(++i).c_str());
    if (word == "listen") listen_on_loopback();
    if (word == "mpris") be_a_player(app, words.at(++i).c_str());
    if (word == "burn") burn(app);
    if (word == "exit") return std::atoi(words.at(++i).c_str());
    if (word == "on") {
      app.answers.emplace_back(words.at(i + 1), words.at(i + 3));
      i += 3;
    }
    if (word == "run") say("running");
  }
  int code = 0;
  pa_mainloop_run(app.loop, &code);
  return code;
}
