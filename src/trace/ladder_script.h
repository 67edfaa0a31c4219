// For tests: a recording written by hand, segments in the notation.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "estab/ladder.h"
#include "estab/notation.h"
#include "estab/recorder.h"

namespace estab::trace {

class Script {
 public:
  static constexpr std::uint32_t kIsn[2] = {1000, 5000};

  explicit Script(const RecorderLimits& limits = {}) : recorder_(limits) {
    ends_[0] = &recorder_.add_end("A");
    ends_[1] = &recorder_.add_end("B");
    flow_ = {IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2), 49152, 80};
  }

  /// What `from` sends at that time, and what state it is in afterwards.
  void send(int ms, LadderSide from, const std::string& text, SendReason reason, State state,
            std::string_view payload = {}) {
    ends_[index_of(from)]->on_trace(
        at(ms), SegmentSent{flow(from), segment(from, text, payload), reason, state});
  }
  /// What reaches the other end of `from`.
  void arrive(int ms, LadderSide from, const std::string& text, State before, State after,
              Verdict verdict = Verdict::accepted, std::string_view payload = {}) {
    ends_[index_of(other(from))]->on_trace(
        at(ms),
        SegmentReceived{flow(other(from)), segment(from, text, payload), verdict, before, after});
  }
  template <class Event>
  void tell(int ms, LadderSide side, Event event) {
    event.flow = flow(side);
    ends_[index_of(side)]->on_trace(at(ms), event);
  }
  void note(int ms, LadderSide side, const std::string& text) {
    recorder_.note(at(ms), index_of(side), text);
  }

  const Recording& recording() const { return recorder_.recording(); }
  Ladder ladder(const LadderOptions& options = {}) const {
    return make_ladder(recording(), options).value();
  }

 private:
  static Instant at(int ms) { return Instant(std::chrono::milliseconds(ms)); }

  FourTuple flow(LadderSide side) const {
    if (side == LadderSide::left) return flow_;
    return {flow_.remote_address, flow_.local_address, flow_.remote_port, flow_.local_port};
  }

  static Segment segment(LadderSide from, const std::string& text, std::string_view payload) {
    const auto noted =
        parse_segment(text, SeqNum(kIsn[index_of(from)]), SeqNum(kIsn[index_of(other(from))]));
    EXPECT_TRUE(noted.has_value()) << text << ": " << (noted ? "" : noted.error());
    if (!noted) return {};
    static const std::string kFiller(70'000, '\0');
    Segment result = noted->segment;
    result.source_port = from == LadderSide::left ? 49152 : 80;
    result.destination_port = from == LadderSide::left ? 80 : 49152;
    result.payload = as_octets(
        payload.empty() ? std::string_view(kFiller).substr(0, noted->payload_length) : payload);
    EXPECT_EQ(result.payload.size(), noted->payload_length) << text;
    return result;
  }

  Recorder recorder_;
  std::array<Observer*, 2> ends_{};
  FourTuple flow_;
};

/// The handshake, 10 ms each way, done at 20 ms and seen by B at 30.
inline void handshake(Script& script) {
  const std::string syn = "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>";
  const std::string syn_ack =
      "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 7 ecr 1,nop,wscale 8>";
  const std::string ack = ". 1:1(0) ack 1 win 256 <nop,nop,TS val 21 ecr 7>";
  script.send(0, LadderSide::left, syn, SendReason::open, State::syn_sent);
  script.arrive(10, LadderSide::left, syn, State::listen, State::syn_received, Verdict::syn_queued);
  script.send(10, LadderSide::right, syn_ack, SendReason::open_reply, State::syn_received);
  script.arrive(20, LadderSide::right, syn_ack, State::syn_sent, State::established,
                Verdict::handshake_completed);
  script.send(20, LadderSide::left, ack, SendReason::open_complete, State::established);
  script.arrive(30, LadderSide::left, ack, State::syn_received, State::established,
                Verdict::handshake_completed);
}

/// A closes first; its last ACK arrives.
inline void teardown(Script& script, int ms) {
  const auto fin = "F. 1:1(0) ack 1 win 256", ack = ". 1:1(0) ack 2 win 256";
  const auto fin_back = "F. 1:1(0) ack 2 win 256", last = ". 2:2(0) ack 2 win 256";
  script.tell(ms, LadderSide::left, StateChanged{{}, State::established, State::fin_wait_1});
  script.send(ms, LadderSide::left, fin, SendReason::fin, State::fin_wait_1);
  script.arrive(ms + 10, LadderSide::left, fin, State::established, State::close_wait);
  script.send(ms + 10, LadderSide::right, ack, SendReason::ack_immediate, State::close_wait);
  script.arrive(ms + 20, LadderSide::right, ack, State::fin_wait_1, State::fin_wait_2);
  script.send(ms + 50, LadderSide::right, fin_back, SendReason::fin, State::last_ack);
  script.arrive(ms + 60, LadderSide::right, fin_back, State::fin_wait_2, State::time_wait);
  script.send(ms + 60, LadderSide::left, last, SendReason::ack_immediate, State::time_wait);
  script.arrive(ms + 70, LadderSide::left, last, State::last_ack, State::closed);
  script.tell(ms + 2060, LadderSide::left, StateChanged{{}, State::time_wait, State::closed});
}

}  // namespace estab::trace
