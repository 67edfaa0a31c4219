// Chronograph: how long a sender has had something to do, and what held it up meanwhile (Linux's
// tcp_chrono, the busy, rwnd_limited and sndbuf_limited of TCP_INFO).
//
// Law: one thing at a time is timed. Being held up counts as being busy too.
#pragma once

#include <array>
#include <cstdint>

#include "estab/info.h"
#include "estab/time.h"

namespace estab::tcp {

class Chronograph {
 public:
  enum class What : std::uint8_t {
    nothing,      ///< all has been acknowledged, and no octet waits
    busy,         ///< octets are on their way
    receiver,     ///< octets wait for the peer's window
    send_buffer,  ///< all octets are on their way, and the application waits for room for more
  };

  void turn_to(What what, Instant now) {
    if (what == what_) return;
    spent_[static_cast<std::size_t>(what_)] += now - since_;
    what_ = what;
    since_ = now;
  }
  bool is_idle() const { return what_ == What::nothing; }

  void fill(TcpInfo& info, Instant now) const {
    info.rwnd_limited = spent(What::receiver, now);
    info.sndbuf_limited = spent(What::send_buffer, now);
    info.busy = spent(What::busy, now) + info.rwnd_limited + info.sndbuf_limited;
  }

  friend bool operator==(const Chronograph&, const Chronograph&) = default;

 private:
  Duration spent(What what, Instant now) const {
    const Duration before = spent_[static_cast<std::size_t>(what)];
    return what == what_ ? before + (now - since_) : before;
  }

  What what_ = What::nothing;
  Instant since_{};
  std::array<Duration, 4> spent_{};
};

}  // namespace estab::tcp
