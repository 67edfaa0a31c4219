// Draw: chances for a scenario, from one seed. A value: a copy draws the same numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <iterator>

#include "estab/time.h"

#include "base/prng.h"

namespace estab::properties {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : prng_(seed) {}

  std::uint64_t next() { return prng_.next(); }
  bool chance(double probability) { return prng_.chance(probability); }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + prng_.below(most - least + 1);
  }
  /// Every order of magnitude is as likely as every other.
  std::uint64_t magnitude(std::uint64_t least, std::uint64_t most) {
    const double low = std::log2(static_cast<double>(least) + 1);
    const double high = std::log2(static_cast<double>(most) + 1);
    const double drawn = std::exp2(low + (high - low) * share()) - 1;
    return std::min(most, std::max(least, static_cast<std::uint64_t>(drawn)));
  }
  double share() { return static_cast<double>(prng_.next() >> 11) * 0x1p-53; }
  Duration duration(Duration least, Duration most) {
    return Duration(static_cast<Duration::rep>(magnitude(
        static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count()))));
  }
  template <class T>
  T pick(std::initializer_list<T> from) {
    return *std::next(from.begin(), static_cast<std::ptrdiff_t>(prng_.below(from.size())));
  }

  friend bool operator==(const Draw&, const Draw&) = default;

 private:
  base::Prng prng_;
};

}  // namespace estab::properties
