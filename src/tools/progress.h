// How far a transfer is, on one line that is drawn over and over. Only on a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "estab/time.h"

namespace estab::tools {

struct Progress {
  std::uint64_t done = 0;                ///< octets
  std::optional<std::uint64_t> total{};  ///< octets, if it is known
  Duration elapsed{};
};

/// At most `columns` wide: `[=====>    ]  52 %  33.3 MiB of 64.0 MiB  941 Mbit/s  3.10 s left`.
std::string progress_line(const Progress& progress, int columns);

/// Draws the line on stderr, ten times a second at most, if that is a terminal.
class ProgressMeter {
 public:
  explicit ProgressMeter(int columns) : columns_(columns) {}
  void show(const Progress& progress);
  /// Draws the last state and ends the line.
  void finish(const Progress& progress);

 private:
  void draw(const Progress& progress, const char* after);
  int columns_;
  std::optional<Duration> shown_;
};

}  // namespace estab::tools
