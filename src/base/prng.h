// Prng: xoshiro256** of Blackman and Vigna, seeded through splitmix64. Law: the same seed gives the
// same numbers on every machine. It is a value; it is not for secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/ensure.h"

namespace estab::base {

/// One step of splitmix64: advances the state and gives a well-mixed number.
constexpr std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

class Prng {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit constexpr Prng(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
  }
  explicit constexpr Prng(std::array<std::uint64_t, 2> seed) {
    std::uint64_t mixed = seed[0];
    mixed = splitmix64(mixed) ^ seed[1];
    for (std::uint64_t& word : state_) word = splitmix64(mixed);
  }
  /// Goes on where another generator stood. Not all words may be zero.
  static constexpr Prng from_state(const State& state) {
    ensure((state[0] | state[1] | state[2] | state[3]) != 0);
    Prng prng;
    prng.state_ = state;
    return prng;
  }
  constexpr const State& state() const { return state_; }

  constexpr std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 0 to n - 1, each as likely as the others. n is not 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    ensure(n > 0);
    if (n == 1) return 0;
    // The top bits that n - 1 needs, until they fall below n: two draws at most on average.
    const int unused = std::countl_zero(n - 1);
    while (true) {
      const std::uint64_t drawn = next() >> unused;
      if (drawn < n) return drawn;
    }
  }

  /// True with probability p.
  constexpr bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

  bool operator==(const Prng&) const = default;
  constexpr void hash_into(auto& hasher) const { hasher.add(state_); }

 private:
  constexpr Prng() = default;

  State state_{};
};

}  // namespace estab::base
