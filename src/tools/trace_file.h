// --trace FILE: what a stack saw and decided, written as qlog while it happens (docs/trace.md).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "estab/capture.h"
#include "estab/qlog.h"
#include "estab/recorder.h"

#include "tools/exit_code.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace estab::tools {

class TraceFile {
 public:
  /// `real_now`: of a clock that runs with the time of day; nothing: virtual time. Throws Failure.
  TraceFile(const std::string& path, std::string_view title,
            std::optional<Instant> real_now = std::nullopt);

  QlogWriter& writer() { return writer_; }
  /// `code`; if not everything could be written, says so, and is not ok.
  ExitCode judge(ExitCode code) const;

 private:
  std::shared_ptr<CaptureFile> file_;
  QlogWriter writer_;
};

/// Adds `--trace FILE`.
CLI::Option* add_trace_option(CLI::App& command, std::string& path);

}  // namespace estab::tools
