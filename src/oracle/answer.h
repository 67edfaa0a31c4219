// What a host did upon one step, with everything taken out that hosts may choose freely: numbers
// are relative, clocks are left out, windows are shut or open.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estab/segment.h"
#include "estab/state.h"

namespace estab::oracle {

enum class Window : std::uint8_t {
  shut,
  open,
  moved_back,  ///< its right edge lies before one announced earlier (RFC 9293 §3.8.6: SHLD-14)
};

/// Numbers near the edge of a window, which each host has elsewhere, are told by the place they
/// were injected at: from here on.
inline constexpr std::int64_t kToldByPlace = 1'000'000'000;
/// Numbers beyond this are: nothing a sequence sends in order gets there.
inline constexpr std::uint32_t kFarFromStart = 12000;

/// A segment of the host's.
struct SentSegment {
  TcpFlags flags;
  std::int64_t seq = 0, ack = 0;  ///< relative; ack is 0 without the ACK bit
  std::uint32_t payload = 0;
  bool payload_right = true;  ///< the octets are those the application wrote at that place
  Window window = Window::open;
  std::uint16_t urgent_pointer = 0;
  std::optional<std::uint16_t> mss{};
  bool window_scale = false, sack_permitted = false;
  std::optional<std::uint32_t> timestamp_echo{};  ///< TSecr, if there are timestamps
  std::vector<std::array<std::int64_t, 2>> sack{};
  std::string option_order{};  ///< a letter an option
  std::uint8_t ecn = 0;
  bool reserved_clear = true;

  friend bool operator==(const SentSegment&, const SentSegment&) = default;
};

/// What a call gave.
struct CallResult {
  std::int64_t value = 0;
  int error = 0;
  std::uint32_t digest = 0;  ///< of the octets that were read
  friend bool operator==(const CallResult&, const CallResult&) = default;
};

struct Answer {
  std::optional<CallResult> call{};
  std::vector<SentSegment> sent{};
  std::vector<std::string> other{};  ///< what it sent that is no TCP
  State state = State::closed;       ///< of the pair of endpoints; LISTEN counts as CLOSED
  friend bool operator==(const Answer&, const Answer&) = default;
};

std::string to_string(const SentSegment& segment);
std::string to_string(const Answer& answer);

}  // namespace estab::oracle
