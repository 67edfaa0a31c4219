// The states of RFC 9293 §3.3.2, by their RFC names.
#pragma once

#include <cstdint>
#include <string_view>

namespace estab {

enum class State : std::uint8_t {
  closed,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};

/// `CLOSED`, `SYN-SENT`, `TIME-WAIT` and so on.
std::string_view name(State state);

/// True for the states that follow a completed handshake (RFC 9293 §3.5.2, third group).
constexpr bool is_synchronized(State state) {
  return state >= State::established;
}

}  // namespace estab
