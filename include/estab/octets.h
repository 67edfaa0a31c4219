// Octets: views of raw memory. The library's unit is the octet, always unsigned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace estab {

using Octets = std::span<const std::uint8_t>;
using MutableOctets = std::span<std::uint8_t>;

/// The octets of a text, without copying. The text must outlive the view.
inline Octets as_octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The octets as text, without copying or checking any encoding.
inline std::string_view as_text(Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace estab
