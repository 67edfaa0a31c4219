#include "tools/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "estab/host.h"

namespace estab::tools {
namespace {

struct Unit {
  std::string_view suffix;
  double factor;
};

constexpr std::array<Unit, 6> kDurations{
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 6> kRates{
    {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}};
constexpr double kKi = 1024;
constexpr std::array<Unit, 16> kSizes{{{"", 1},
                                       {"B", 1},
                                       {"k", kKi},
                                       {"K", kKi},
                                       {"M", kKi* kKi},
                                       {"G", kKi* kKi* kKi},
                                       {"T", kKi* kKi* kKi* kKi},
                                       {"KiB", kKi},
                                       {"MiB", kKi* kKi},
                                       {"GiB", kKi* kKi* kKi},
                                       {"TiB", kKi* kKi* kKi* kKi},
                                       {"kB", 1e3},
                                       {"KB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"TB", 1e12}}};

Read<double> parse_number_and_unit(std::string_view text, std::span<const Unit> units,
                                   std::string_view wanted) {
  double number = 0;
  const char* end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (problem == std::errc::result_out_of_range)
    return std::unexpected(fmt::format("too large; {}", wanted));
  if (problem != std::errc{} || !std::isfinite(number))
    return std::unexpected(fmt::format("not a number; {}", wanted));
  if (number < 0) return std::unexpected(fmt::format("must not be negative; {}", wanted));
  std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units)
    if (unit.suffix == suffix) return number * unit.factor;
  if (suffix.empty() && number == 0) return 0.0;
  if (suffix.empty()) return std::unexpected(fmt::format("has no unit; {}", wanted));
  return std::unexpected(fmt::format("unknown unit '{}'; {}", suffix, wanted));
}

std::string range_of(const WholeNumber& wanted) {
  if (wanted.most == WholeNumber{}.most && wanted.least == 0) return "write 0 or more";
  return fmt::format("write a number from {} to {}", wanted.least, wanted.most);
}

}  // namespace

Read<std::uint64_t> parse_whole(std::string_view text, const WholeNumber& wanted) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, number);
  const bool has_sign =
      text.starts_with('-') && text.find_first_not_of("0123456789", 1) == text.npos;
  if (has_sign && text.size() > 1)
    return std::unexpected(fmt::format("must not be negative; {}", range_of(wanted)));
  if (rest != end || problem == std::errc::invalid_argument)
    return std::unexpected(fmt::format("not {}; {}", wanted.what, range_of(wanted)));
  if (problem == std::errc::result_out_of_range || number > wanted.most)
    return std::unexpected(fmt::format("too large; the most is {}", wanted.most));
  if (number < wanted.least)
    return std::unexpected(fmt::format("too small; the least is {}", wanted.least));
  return number;
}

Read<Duration> parse_duration(std::string_view text) {
  auto nanoseconds =
      parse_number_and_unit(text, kDurations, "write a duration as 250us, 60ms, 1.5s, 2m or 1h");
  if (!nanoseconds) return std::unexpected(nanoseconds.error());
  // Half of what fits, so that adding it to an Instant cannot overflow.
  if (*nanoseconds > 4.6e18) return std::unexpected("too large; the most is 146 years");
  return Duration(std::llround(*nanoseconds));
}

Read<Duration> parse_limit(std::string_view text) {
  if (text == "none" || text == "forever") return kForever;
  auto duration = parse_duration(text);
  if (!duration) return std::unexpected(duration.error() + ", or none");
  return duration;
}

Read<double> parse_rate(std::string_view text) {
  return parse_number_and_unit(text, kRates, "write bits a second as 64k, 50M or 1.5G");
}

Read<std::uint64_t> parse_size(std::string_view text) {
  auto octets = parse_number_and_unit(text, kSizes, "write octets as 4096, 64K, 32M or 1G");
  if (!octets) return std::unexpected(octets.error());
  if (*octets > 9e18) return std::unexpected("too large; the most is 8 EiB");
  return static_cast<std::uint64_t>(std::llround(*octets));
}

Read<double> parse_share(std::string_view text) {
  constexpr std::array<Unit, 1> kPercent{{{"%", 0.01}}};
  auto share = parse_number_and_unit(text, kPercent, "write a share as 1% or 0.05%");
  if (!share) return share;
  if (*share > 1) return std::unexpected("too large; the most is 100%");
  return share;
}

namespace {

// Three digits that mean something: 9.41, 94.1, 941.
std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace

std::string format_duration(Duration duration) {
  auto nanoseconds = static_cast<double>(duration.count());
  if (nanoseconds >= 1e9) return three_digits(nanoseconds / 1e9) + " s";
  if (nanoseconds >= 1e6) return three_digits(nanoseconds / 1e6) + " ms";
  if (nanoseconds >= 1e3) return three_digits(nanoseconds / 1e3) + " us";
  return fmt::format("{} ns", duration.count().value());
}

std::string format_rate(double bits_per_second) {
  for (const Unit& unit : {Unit{"G", 1e9}, Unit{"M", 1e6}, Unit{"k", 1e3}})
    if (bits_per_second >= unit.factor)
      return three_digits(bits_per_second / unit.factor) + " " + std::string(unit.suffix) + "bit/s";
  return fmt::format("{:.0f} bit/s", bits_per_second);
}

std::string format_size(std::uint64_t octets) {
  if (octets < 1024) return fmt::format("{} B", octets);
  double value = static_cast<double>(octets) / kKi;
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    if (value < kKi) return three_digits(value) + " " + unit;
    value /= kKi;
  }
  return three_digits(value) + " TiB";
}

}  // namespace estab::tools
