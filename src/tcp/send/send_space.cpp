#include "tcp/send/send_space.h"

#include "base/hasher.h"

namespace estab::tcp {

AckKind SendSpace::check_ack(StreamOffset ack) const {
  if (ack > max_) return AckKind::beyond;
  if (ack > una_) return AckKind::advance;
  return ack == una_ ? AckKind::duplicate : AckKind::old;
}

// RFC 9293 §3.10.7.4 asks for SND.WL1 < SEG.SEQ first. But a retransmission has an old number and
// today's window: if only it acknowledges new octets, the window left from before would be counted
// from the new SND.UNA, and so reach beyond what was allowed (the test
// ARetransmissionsNewAcknowledgementBringsItsWindow fails by the RFC's rule). Acknowledgements
// never go back: they tell the order. Every window the RFC's rule takes is taken by this one.
bool SendSpace::check_window_update(StreamOffset seq, StreamOffset ack) const {
  return wl2_ < ack || (wl2_ == ack && wl1_ <= seq);
}

SendSpace::WindowChange SendSpace::accept_window(StreamOffset seq, StreamOffset ack,
                                                 std::uint32_t window) {
  wl1_ = seq;
  wl2_ = ack;
  if (window == window_) return WindowChange::none;
  const bool opens = window_ == 0;
  window_ = window;
  max_window_ = std::max(max_window_, window);
  return opens ? WindowChange::opened : WindowChange::changed;
}

void SendSpace::hash_into(base::Hasher& hasher) const {
  const auto& [numbers, window, max_window, una, nxt, max, wl1, wl2] = *this;
  hasher.add_all(numbers, window, max_window, una, nxt, max, wl1, wl2);
}

}  // namespace estab::tcp
