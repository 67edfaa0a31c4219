// SHA-256 (FIPS 180-4), to tell whether a file came over whole. Not for secrets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "estab/octets.h"

namespace estab::tools {

class Sha256 {
 public:
  void update(Octets octets);
  /// The digest in hexadecimal of all octets so far.
  std::string hex() const;

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t total_ = 0;
};

/// The digest of one run of octets.
std::string sha256_hex(Octets octets);

}  // namespace estab::tools
