// StateTracker: the state of an unobserved end, inferred from the segments it sends and receives by
// the transitions of RFC 9293 figure 5. What it acknowledges is believed over what was sent to it.
#pragma once

#include <optional>

#include "estab/segment.h"
#include "estab/state.h"

namespace estab::trace {

class StateTracker {
 public:
  explicit StateTracker(State initial = State::closed) : state_(initial) {}

  void sent(const Segment& segment);
  void received(const Segment& segment);
  State state() const { return state_; }

 private:
  void sent_syn(const Segment& segment);
  void sent_fin(const Segment& segment);
  void received_while_opening(const Segment& segment);
  void received_ack(SeqNum ack);
  void received_text(const Segment& segment);
  void advance_receive(SeqNum next);
  void take_fin();

  State state_;
  std::optional<SeqNum> snd_fin_end_;  // behind this end's FIN, once sent
  std::optional<SeqNum> snd_syn_end_;  // behind this end's SYN, once sent
  std::optional<SeqNum> rcv_nxt_;
  std::optional<SeqNum> rcv_fin_end_;  // behind the other's FIN, once seen
  bool fin_taken_ = false;
};

}  // namespace estab::trace
