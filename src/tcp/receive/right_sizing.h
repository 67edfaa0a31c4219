// RightSizing: how large a receive buffer an application needs, by what it does (dynamic
// right-sizing: Fisk and Feng, 2001; Linux's tcp_rcv_space_adjust).
//
// Law: what counts is what the application has read in a round trip, not what has come. So an
// application that reads slowly keeps a small buffer, whatever the peer would send.
//
// A receiver that sends no text knows the round trip only from others: from the timestamps its
// peer returns (RFC 7323 §4), or else from the time that one whole window takes to arrive.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/time.h"

#include "tcp/loss/echo.h"
#include "tcp/sequence.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

class RightSizing {
 public:
  /// `read`: the first octet the application has not read.
  RightSizing(Instant now, StreamOffset read) : began_(now), read_(read) {}

  /// A full segment has come. `nxt`, `edge`: RCV.NXT and the right edge of the window.
  void on_text(Instant now, StreamOffset nxt, StreamOffset edge, const loss::Echo& echo);
  /// The application has read all before `read`: the octets its buffer needs, if that can be said.
  std::optional<std::uint64_t> on_read(Instant now, StreamOffset read, std::uint32_t segment);
  Duration rtt() const { return rtt_; }

  friend bool operator==(const RightSizing&, const RightSizing&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  void time_echo(Duration age);
  void time_window(Instant now, StreamOffset nxt, StreamOffset edge);

  Instant began_;           // when this round trip's count began
  StreamOffset read_;       // and where
  std::uint64_t most_ = 0;  // octets read in one round trip, the most so far
  std::uint32_t last_echo_ = 0;
  Duration rtt_{};             // zero: not known yet
  Instant window_began_{};     // without timestamps: when the peer was offered this window,
  StreamOffset window_end_{};  // and where it ends; 0: none yet
};

}  // namespace estab::tcp
