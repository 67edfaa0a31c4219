#include "trace/ladder_state.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "estab/notation.h"

namespace estab::trace {
namespace {

// A tracker fed with lines such as "< S 0:0(0) win 1" (it gets) and "> S. 0:0(0) ack 1 win 1" (it
// sends), each side's numbers relative to an ISN just below the wrap.
class Fed {
 public:
  explicit Fed(State initial = State::closed) : tracker_(initial) {}

  Fed& operator()(std::string_view line, State expected) {
    const bool sends = line.starts_with(">");
    const SeqNum own(0xfffffffe), peer(0xffffff00);
    const auto noted = parse_segment(line.substr(2), sends ? own : peer, sends ? peer : own);
    EXPECT_TRUE(noted.has_value()) << line;
    if (!noted) return *this;
    Segment segment = noted->segment;
    segment.payload = as_octets(std::string_view("0123456789").substr(0, noted->payload_length));
    sends ? tracker_.sent(segment) : tracker_.received(segment);
    story_ += std::string(line) + "\n";
    EXPECT_EQ(tracker_.state(), expected) << story_ << "is " << name(tracker_.state());
    return *this;
  }

 private:
  StateTracker tracker_;
  std::string story_;
};

Fed open_actively() {
  Fed fed;
  fed("> S 0:0(0) win 9", State::syn_sent)("< S. 0:0(0) ack 1 win 9", State::established);
  fed("> . 1:1(0) ack 1 win 9", State::established);
  return fed;
}

TEST(StateTracker, OpensPassively) {
  Fed fed(State::listen);
  fed("< S 0:0(0) win 9", State::listen)("> S. 0:0(0) ack 1 win 9", State::syn_received);
  fed("< . 1:1(0) ack 1 win 9", State::established);
}

TEST(StateTracker, OpensAtOnceWithTheOther) {
  Fed fed;
  fed("> S 0:0(0) win 9", State::syn_sent)("< S 0:0(0) win 9", State::syn_received);
  fed("> S. 0:0(0) ack 1 win 9", State::syn_received);
  fed("< S. 0:0(0) ack 1 win 9", State::established);
}

TEST(StateTracker, ClosesFirst) {
  Fed fed = open_actively();
  fed("> F. 1:6(5) ack 1 win 9", State::fin_wait_1)("< . 1:1(0) ack 6 win 9", State::fin_wait_1);
  fed("< . 1:1(0) ack 7 win 9", State::fin_wait_2)("< F. 1:1(0) ack 7 win 9", State::time_wait);
  fed("> . 7:7(0) ack 2 win 9", State::time_wait);
}

TEST(StateTracker, ClosesSecond) {
  Fed fed = open_actively();
  fed("< F. 1:6(5) ack 1 win 9", State::close_wait)("> . 1:1(0) ack 7 win 9", State::close_wait);
  fed("> F. 1:1(0) ack 7 win 9", State::last_ack)("< . 7:7(0) ack 2 win 9", State::closed);
}

TEST(StateTracker, ClosesAtOnceWithTheOther) {
  Fed fed = open_actively();
  fed("> F. 1:1(0) ack 1 win 9", State::fin_wait_1)("< F. 1:1(0) ack 1 win 9", State::closing);
  fed("> . 2:2(0) ack 2 win 9", State::closing)("< . 2:2(0) ack 2 win 9", State::time_wait);
}

TEST(StateTracker, TakesFinAndItsAckInOneSegment) {
  Fed fed = open_actively();
  fed("> F. 1:1(0) ack 1 win 9", State::fin_wait_1)("< F. 1:1(0) ack 2 win 9", State::time_wait);
}

TEST(StateTracker, BelievesAFinOutOfOrderOnlyOnceItIsAcknowledged) {
  Fed fed = open_actively();
  fed("< F. 6:6(0) ack 1 win 9", State::established);
  fed("> . 1:1(0) ack 1 win 9", State::established)("> . 1:1(0) ack 7 win 9", State::close_wait);
}

TEST(StateTracker, ObeysOnlyAnExactReset) {
  Fed fed = open_actively();
  fed("< R 5:5(0) win 0", State::established)("< R 1:1(0) win 0", State::closed);
  Fed opening;
  opening("> S 0:0(0) win 9", State::syn_sent)("< R. 0:0(0) ack 9 win 0", State::syn_sent);
  opening("< R. 0:0(0) ack 1 win 0", State::closed);
}

TEST(StateTracker, IsClosedOnceItResets) {
  open_actively()("> R. 1:1(0) ack 1 win 0", State::closed);
}

}  // namespace
}  // namespace estab::trace
