// What the command line says, verb by verb, and the functions that do it. Each returns the exit code, or an Error for
// main() to print.
#pragma once

#include <fermata/background_sync.hpp>
#include <fermata/result.hpp>
#include <optional>
#include <string>
#include <vector>

namespace fermata::cli {

struct InitOptions {
  std::string directory, secret_file;
};
struct ImportOptions {
  std::string directory, collection, file, id_field = "_id", format, types;
  bool skip_bad = false, json = false;
};
struct QueryOptions {
  std::string directory, statement;
  std::vector<std::string> parameters;
  bool json = false;
};
struct WatchOptions {
  std::string directory, select;
  std::vector<std::string> parameters;
  std::uint64_t count = 0;  // 0: no end
};
struct ExportOptions {
  std::string directory, collection, file, format;
  bool json = false;
};
struct BackupOptions {
  std::string directory, target;
};
struct CompactOptions {
  std::string directory;
};
struct CheckVerbOptions {
  std::string directory;
  bool repair = false, json = false;
};
struct AttachOptions {
  std::string directory, collection, id, field, file;
  std::vector<std::string> metadata;
};
struct AttachmentOptions {
  std::string directory, hash, file;
};
struct ServeOptions {
  std::string directory, secret_file, name;
  std::vector<std::string> listen, connect, subscribe;
  bool attachments = false;
  bool background_sync = false;
  BackgroundSyncOptions background;
};
struct StatusOptions {
  std::string directory;
  bool json = false;
};
struct GapsOptions {
  std::string directory, svg;
  bool json = false;
};
struct PhoneOptions {
  std::string policy, script, pulse_server;
  std::optional<std::string> events, json, svg;
  double time_scale = 1;
  std::optional<std::uint64_t> seed;
  bool clock = false, timeline = false, quiet = false;
  std::vector<std::string> program;
};

[[nodiscard]] Result<int> run_init(const InitOptions& options);
[[nodiscard]] Result<int> run_import(const ImportOptions& options);
[[nodiscard]] Result<int> run_query(const QueryOptions& options);
[[nodiscard]] Result<int> run_watch(const WatchOptions& options);
[[nodiscard]] Result<int> run_export(const ExportOptions& options);
[[nodiscard]] Result<int> run_backup(const BackupOptions& options);
[[nodiscard]] Result<int> run_compact(const CompactOptions& options);
[[nodiscard]] Result<int> run_check(const CheckVerbOptions& options);
[[nodiscard]] Result<int> run_attach(const AttachOptions& options);
[[nodiscard]] Result<int> run_attachment(const AttachmentOptions& options);
[[nodiscard]] Result<int> run_serve(const ServeOptions& options);
[[nodiscard]] Result<int> run_status(const StatusOptions& options);
[[nodiscard]] Result<int> run_gaps(const GapsOptions& options);
[[nodiscard]] Result<int> run_phone(const PhoneOptions& options);

}  // namespace fermata::cli
