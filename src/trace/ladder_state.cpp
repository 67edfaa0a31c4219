#include "trace/ladder_state.h"

namespace estab::trace {

void StateTracker::sent(const Segment& segment) {
  if (segment.flags.rst()) {
    state_ = State::closed;
    return;
  }
  if (segment.flags.ack() && rcv_nxt_) advance_receive(segment.ack);
  if (segment.flags.syn()) sent_syn(segment);
  if (segment.flags.fin()) sent_fin(segment);
}

void StateTracker::sent_syn(const Segment& segment) {
  snd_syn_end_ = segment.seq + 1;
  snd_fin_end_.reset();
  if (!segment.flags.ack()) {
    state_ = State::syn_sent;
  } else if (!is_synchronized(state_) || state_ == State::time_wait) {
    state_ = State::syn_received;
    rcv_nxt_ = segment.ack;
    rcv_fin_end_.reset();
    fin_taken_ = false;
  }
}

void StateTracker::sent_fin(const Segment& segment) {
  snd_fin_end_ = segment.seq + segment.length();
  if (state_ == State::established || state_ == State::syn_received) state_ = State::fin_wait_1;
  if (state_ == State::close_wait) state_ = State::last_ack;
}

void StateTracker::received(const Segment& segment) {
  if (state_ == State::closed || state_ == State::listen) return;
  if (state_ == State::syn_sent) return received_while_opening(segment);
  if (segment.flags.rst()) {
    if (!rcv_nxt_ || segment.seq == *rcv_nxt_) state_ = State::closed;
    return;
  }
  if (segment.flags.ack()) received_ack(segment.ack);
  received_text(segment);
}

// RFC 9293 §3.10.7.3.
void StateTracker::received_while_opening(const Segment& segment) {
  const bool good_ack = segment.flags.ack() && snd_syn_end_ && segment.ack == *snd_syn_end_;
  if (segment.flags.rst()) {
    if (good_ack) state_ = State::closed;
    return;
  }
  if (!segment.flags.syn()) return;
  rcv_nxt_ = segment.seq + 1;
  state_ = good_ack ? State::established : State::syn_received;
}

// RFC 9293 §3.10.7.4, fifth check.
void StateTracker::received_ack(SeqNum ack) {
  if (state_ == State::syn_received && snd_syn_end_ && ack - *snd_syn_end_ >= 0)
    state_ = State::established;
  if (!snd_fin_end_ || ack - *snd_fin_end_ < 0) return;
  if (state_ == State::fin_wait_1) state_ = State::fin_wait_2;
  if (state_ == State::closing) state_ = State::time_wait;
  if (state_ == State::last_ack) state_ = State::closed;
}

// RFC 9293 §3.10.7.4, seventh and eighth check. Text out of order is only believed once this end
// acknowledges it.
void StateTracker::received_text(const Segment& segment) {
  const SeqNum end = segment.seq + segment.length();
  if (segment.flags.fin()) rcv_fin_end_ = end;
  if (!rcv_nxt_) rcv_nxt_ = segment.seq;
  if (segment.seq - *rcv_nxt_ <= 0) advance_receive(end);
}

void StateTracker::advance_receive(SeqNum next) {
  if (next - *rcv_nxt_ > 0) rcv_nxt_ = next;
  if (rcv_fin_end_ && *rcv_nxt_ - *rcv_fin_end_ >= 0) take_fin();
}

void StateTracker::take_fin() {
  if (fin_taken_) return;
  fin_taken_ = true;
  switch (state_) {
    case State::syn_received:
    case State::established:
      state_ = State::close_wait;
      break;
    case State::fin_wait_1:
      state_ = State::closing;
      break;
    case State::fin_wait_2:
      state_ = State::time_wait;
      break;
    default:
      break;
  }
}

}  // namespace estab::trace
