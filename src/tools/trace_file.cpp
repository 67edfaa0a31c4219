#include "tools/trace_file.h"

#include <chrono>

#include "tools/console.h"
#include "tools/options.h"

namespace estab::tools {

namespace {

std::shared_ptr<CaptureFile> open_trace(const std::string& path) {
  auto file = CaptureFile::open(path, "trace");
  if (!file) throw Failure(ExitCode::bad_input, "--trace: " + file.error().what);
  return *file;
}

std::optional<Duration> since_1970(const std::optional<Instant>& real_now) {
  if (!real_now) return std::nullopt;
  return Duration(std::chrono::system_clock::now().time_since_epoch()) -
         real_now->time_since_epoch();
}

}  // namespace

TraceFile::TraceFile(const std::string& path, std::string_view title,
                     std::optional<Instant> real_now)
    : file_(open_trace(path)),
      writer_(sink_to(file_), {.title = title, .wall_clock_offset = since_1970(real_now)}) {}

ExitCode TraceFile::judge(ExitCode code) const {
  if (!file_->failure()) return code;
  log_line("the trace is not complete: " + file_->failure()->what);
  return code == ExitCode::ok ? ExitCode::found_wrong : code;
}

CLI::Option* add_trace_option(CLI::App& command, std::string& path) {
  return command
      .add_option("--trace", path,
                  "Write every segment, state, timer and loss, and why, into a qlog file")
      ->type_name("FILE");
}

}  // namespace estab::tools
