// The option area of a TCP header, read. Apart from the fixed header because it alone has a shape
// the sender chooses.
#pragma once

#include <cstdint>

#include "estab/octets.h"
#include "estab/segment.h"

namespace estab::wire {

enum class TcpOptionKind : std::uint8_t {
  end = 0,
  nop = 1,
  mss = 2,
  window_scale = 3,
  sack_permitted = 4,
  sack = 5,
  timestamps = 8,
  fast_open = 34,
  accurate_ecn_e0b_first = 172,
  accurate_ecn_e1b_first = 174,
  experimental = 254,  ///< shared: two octets say what for (RFC 6994)
};

/// With kind and length octets.
struct TcpOptionLengths {
  static constexpr std::size_t kMss = 4, kWindowScale = 3, kSackPermitted = 2, kTimestamps = 10,
                               kSackHead = 2, kSackBlock = 8, kAccurateEcnHead = 2,
                               kAccurateEcnField = 3, kFastOpenHead = 2, kExperimentHead = 4;
};

/// The experiment that became Fast Open (RFC 7413 §9).
inline constexpr std::uint16_t kFastOpenExperiment = 0xf989;

/// Reads what is known in `area` into `options`, which the caller has cleared. An option whose
/// length is not that of its kind is skipped; one whose length is below 2 or reaches beyond the
/// area ends the reading, and what was read before it stays (RFC 9293 §3.1, MUST-6, MUST-7).
void parse_tcp_options(Octets area, TcpOptions& options);

/// What an AccECN option with so many fields takes, with the NOPs that fill it up.
constexpr std::size_t accurate_ecn_room(std::size_t fields) {
  const std::size_t length =
      TcpOptionLengths::kAccurateEcnHead + fields * TcpOptionLengths::kAccurateEcnField;
  return (length + 3) / 4 * 4;
}

/// Writes the options as emit_tcp orders them; returns their length.
std::size_t emit_tcp_options(const TcpOptions& options, std::uint8_t* out);

}  // namespace estab::wire
