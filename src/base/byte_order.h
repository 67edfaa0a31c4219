// Numbers to and from octets. Network order is big-endian (RFC 9293 §3.1 by way of RFC 791 appendix
// B). The addresses need no alignment; the caller has checked the bounds.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace estab::base {

template <std::endian kOrder, std::unsigned_integral T>
inline T load(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (kOrder != std::endian::native) value = std::byteswap(value);
  return value;
}

template <std::endian kOrder, std::unsigned_integral T>
inline void store(std::uint8_t* to, T value) {
  if constexpr (kOrder != std::endian::native) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

inline std::uint16_t load_be16(const std::uint8_t* from) {
  return load<std::endian::big, std::uint16_t>(from);
}
inline std::uint32_t load_be32(const std::uint8_t* from) {
  return load<std::endian::big, std::uint32_t>(from);
}
inline std::uint64_t load_be64(const std::uint8_t* from) {
  return load<std::endian::big, std::uint64_t>(from);
}
inline std::uint64_t load_le64(const std::uint8_t* from) {
  return load<std::endian::little, std::uint64_t>(from);
}

inline void store_be16(std::uint8_t* to, std::uint16_t value) {
  store<std::endian::big>(to, value);
}
inline void store_be32(std::uint8_t* to, std::uint32_t value) {
  store<std::endian::big>(to, value);
}
inline void store_be64(std::uint8_t* to, std::uint64_t value) {
  store<std::endian::big>(to, value);
}
inline void store_le64(std::uint8_t* to, std::uint64_t value) {
  store<std::endian::little>(to, value);
}

}  // namespace estab::base
