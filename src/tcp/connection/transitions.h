// The arrows of RFC 9293 §3.3.2, figure 5, as a table. Connection::set_state asserts it: a change
// of state that the RFC does not draw cannot happen. Every state may also fall to CLOSED (RST,
// abort, timeout), which the figure leaves out for readability, as its notes say.
#pragma once

#include <array>
#include <cstdint>

#include "estab/state.h"

namespace estab::tcp {

struct Arrow {
  State from, to;
};

inline constexpr std::array kArrows = {
    Arrow{State::closed, State::listen},             // passive OPEN
    Arrow{State::closed, State::syn_sent},           // active OPEN, send SYN
    Arrow{State::listen, State::syn_received},       // rcv SYN, send SYN,ACK
    Arrow{State::listen, State::syn_sent},           // SEND, send SYN
    Arrow{State::syn_sent, State::syn_received},     // rcv SYN, send SYN,ACK (simultaneous open)
    Arrow{State::syn_sent, State::established},      // rcv SYN,ACK, send ACK
    Arrow{State::syn_received, State::established},  // rcv ACK of SYN
    Arrow{State::syn_received, State::fin_wait_1},   // CLOSE, send FIN
    Arrow{State::syn_received, State::listen},       // rcv RST (note 1)
    Arrow{State::established, State::fin_wait_1},    // CLOSE, send FIN
    Arrow{State::established, State::close_wait},    // rcv FIN, send ACK
    Arrow{State::fin_wait_1, State::fin_wait_2},     // rcv ACK of FIN
    Arrow{State::fin_wait_1, State::closing},        // rcv FIN, send ACK
    Arrow{State::fin_wait_1, State::time_wait},      // rcv FIN+ACK of FIN, send ACK (note 2)
    Arrow{State::fin_wait_2, State::time_wait},      // rcv FIN, send ACK
    Arrow{State::closing, State::time_wait},         // rcv ACK of FIN
    Arrow{State::close_wait, State::last_ack},       // CLOSE, send FIN
    Arrow{State::last_ack, State::closed},           // rcv ACK of FIN
    Arrow{State::time_wait, State::closed},          // timeout = 2 MSL
};

/// The same for looking up: a bit for each state that can follow.
inline constexpr auto kFollowing = [] {
  constexpr auto bit = [](State state) {
    return static_cast<std::uint16_t>(1 << static_cast<int>(state));
  };
  std::array<std::uint16_t, 11> following;
  following.fill(bit(State::closed));
  following[static_cast<std::size_t>(State::closed)] = 0;
  for (const Arrow& arrow : kArrows)
    following[static_cast<std::size_t>(arrow.from)] |= bit(arrow.to);
  return following;
}();

constexpr bool is_arrow(State from, State to) {
  return (kFollowing[static_cast<std::size_t>(from)] >> static_cast<int>(to) & 1) != 0;
}

static_assert(is_arrow(State::fin_wait_1, State::closing));
static_assert(!is_arrow(State::established, State::time_wait));

}  // namespace estab::tcp
