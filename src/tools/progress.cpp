#include "tools/progress.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/console.h"
#include "tools/units.h"

namespace estab::tools {
namespace {

constexpr Duration kBetweenDrawings = std::chrono::milliseconds(100);

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

std::string bar(double share, int width) {
  auto filled = static_cast<int>(share * width);
  std::string cells(static_cast<std::size_t>(filled), '=');
  if (filled < width) cells += '>';
  cells.resize(static_cast<std::size_t>(width), ' ');
  return "[" + cells + "]";
}

}  // namespace

std::string progress_line(const Progress& progress, int columns) {
  double elapsed = seconds(progress.elapsed);
  double octets_per_s = elapsed > 0 ? static_cast<double>(progress.done) / elapsed : 0;
  std::string facts = format_size(progress.done);
  if (!progress.total) {
    facts += "  " + format_rate(octets_per_s * 8);
    return facts.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
  }
  std::uint64_t total = *progress.total, left = total - std::min(progress.done, total);
  double share = total == 0 ? 1 : static_cast<double>(total - left) / static_cast<double>(total);
  facts += fmt::format(" of {}  {}", format_size(total), format_rate(octets_per_s * 8));
  if (left > 0 && octets_per_s > 0) {
    double seconds_left = std::min(static_cast<double>(left) / octets_per_s, 1e9);
    facts += fmt::format("  {:.0f} s left", seconds_left);
  }
  std::string line = fmt::format("{:3.0f} %  {}", share * 100, facts);
  int room = columns - static_cast<int>(line.size()) - 3;
  if (room >= 10) line = bar(share, std::min(room, 40)) + " " + line;
  return line.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
}

void ProgressMeter::draw(const Progress& progress, const char* after) {
  // \x1b[K clears what a longer line left behind.
  draw_progress(fmt::format("\r{}\x1b[K{}", progress_line(progress, columns_ - 1), after));
  shown_ = progress.elapsed;
}

void ProgressMeter::show(const Progress& progress) {
  if (columns_ == 0 || (shown_ && progress.elapsed - *shown_ < kBetweenDrawings)) return;
  draw(progress, "");
}

void ProgressMeter::finish(const Progress& progress) {
  if (columns_ == 0 || !shown_) return;
  draw(progress, "\n");
  shown_.reset();
}

}  // namespace estab::tools
