// Quantities as people write them, in every command the same: whole numbers, durations `60ms`,
// limits `60ms` or `none`, rates `50M`, sizes `32M`, shares `1%`; and the way back. A reason is a
// clause that completes "'60 parsecs': ...".
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>

#include "estab/time.h"

namespace estab::tools {

template <class T>
using Read = std::expected<T, std::string>;

/// What a whole number may be; `what` names it, with its article: "a port".
struct WholeNumber {
  const char* what = "a whole number";
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};
Read<std::uint64_t> parse_whole(std::string_view text, const WholeNumber& wanted = {});
/// `250us`, `60ms`, `1.5s`, `2m`, `1h`; a bare 0.
Read<Duration> parse_duration(std::string_view text);
/// A duration, or `none` or `forever` for kForever (estab/host.h).
Read<Duration> parse_limit(std::string_view text);
/// Bits a second, in powers of 1000: `50M`, `1.5G`, `64k`, `1000`.
Read<double> parse_rate(std::string_view text);
/// Octets. `32M` and `32MiB` count in 1024, `32MB` in 1000; a bare number is octets.
Read<std::uint64_t> parse_size(std::string_view text);
/// `1%`, `0.05%`, a bare 0; as a fraction of one.
Read<double> parse_share(std::string_view text);

std::string format_duration(Duration duration);   ///< `1.50 s`, `60.0 ms`, `250 us`, `17 ns`
std::string format_rate(double bits_per_second);  ///< `941 Mbit/s`
std::string format_size(std::uint64_t octets);    ///< `64.0 MiB`, `17 B`

}  // namespace estab::tools
