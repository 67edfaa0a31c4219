#include "tcp/receive/right_sizing.h"

#include <algorithm>
#include <utility>

#include "base/hasher.h"

namespace estab::tcp {

void RightSizing::on_text(Instant now, StreamOffset nxt, StreamOffset edge,
                          const loss::Echo& echo) {
  if (!echo.value) return time_window(now, nxt, edge);
  if (std::exchange(last_echo_, *echo.value) == *echo.value) return;  // the same ACK's answer
  time_echo(*echo.age(now));
}

// What an idle peer returns is old: each sample counts an eighth, as in RFC 6298.
void RightSizing::time_echo(Duration age) {
  rtt_ = rtt_ == Duration{0} ? age : rtt_ + (age - rtt_) / 8;
}

// A window takes a round trip at least, and longer where the peer does not fill it: the least
// counts.
void RightSizing::time_window(Instant now, StreamOffset nxt, StreamOffset edge) {
  if (window_end_ > kSynOffset && nxt < window_end_) return;
  if (window_end_ > kSynOffset) {
    const Duration taken = std::max<Duration>(now - window_began_, std::chrono::milliseconds(1));
    rtt_ = rtt_ == Duration{0} ? taken : std::min(rtt_, taken);
  }
  window_began_ = now;
  window_end_ = edge;
}

// Twice what was read in this round trip: while a loss is repaired twice the window is under way,
// and the window that goes out now is for the next round trip. In slow start that one brings twice
// as much, so what it has grown by counts again.
std::optional<std::uint64_t> RightSizing::on_read(Instant now, StreamOffset read,
                                                  std::uint32_t segment) {
  if (rtt_ == Duration{0} || now - began_ < rtt_) return std::nullopt;
  const auto octets = static_cast<std::uint64_t>(read - std::exchange(read_, read));
  began_ = now;
  if (octets <= most_) return std::nullopt;
  const std::uint64_t steady = 2 * octets + 16 * std::uint64_t{segment};
  const std::uint64_t before = std::exchange(most_, octets);
  if (before == 0) return steady;
  return steady + std::min(steady * (octets - before) / before, steady);
}

void RightSizing::hash_into(base::Hasher& hasher) const {
  const auto& [began, read, most, last_echo, rtt, window_began, window_end] = *this;
  hasher.add_all(began, read, most, last_echo, rtt, window_began, window_end);
}

}  // namespace estab::tcp
