// Pattern: an endless stream of octets in which each follows from its position and a key, so that
// an octet lost, repeated, moved or of another stream shows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "estab/octets.h"

#include "base/prng.h"

namespace estab::properties {

class Pattern {
 public:
  explicit Pattern(std::uint64_t key) : key_(key) {}

  void fill(std::uint64_t position, MutableOctets octets) const {
    walk(position, octets.size(), [&](std::size_t i, std::uint8_t octet) {
      octets[i] = octet;
      return true;
    });
  }
  /// How many octets of the run that begins at `position` are as they should be, up to the first
  /// that is not.
  std::size_t matching(std::uint64_t position, Octets octets) const {
    std::size_t good = 0;
    walk(position, octets.size(), [&](std::size_t i, std::uint8_t octet) {
      good += octets[i] == octet;
      return good == i + 1;
    });
    return good;
  }

 private:
  template <class Visit>
  void walk(std::uint64_t position, std::size_t size, Visit&& visit) const {
    std::uint64_t word = word_at(position);
    for (std::size_t i = 0; i < size; ++i, ++position) {
      if (position % 8 == 0) word = word_at(position);
      if (!visit(i, static_cast<std::uint8_t>(word >> position % 8 * 8))) return;
    }
  }
  std::uint64_t word_at(std::uint64_t position) const {
    std::uint64_t state = key_ + position / 8 * 0x632be59bd9b4e019;
    return base::splitmix64(state);
  }

  std::uint64_t key_;
};

}  // namespace estab::properties
