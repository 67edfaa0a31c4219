// Closing a connection (RFC 9293 §3.6): four segments, half-close, simultaneous close, FINs that
// come early, late, twice or with data, and what an application that has let go is spared.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class Closing : public EachFamily {
 protected:
  State stream_state() { return peer.stack().state(peer.stream()); }
};
INSTANTIATE_TEST_SUITE_P(Families, Closing, both_families(), family_name);

// ---- the normal close

// RFC 9293 figure 12, seen from A.
TEST_P(Closing, TakesFourSegmentsFromTheActiveSide) {
  peer.establish();
  EXPECT_TRUE(peer.shutdown());
  EXPECT_EQ(peer.state(), State::fin_wait_1);
  peer.out("F. 1:1(0) ack 1");
  EXPECT_EQ(peer.in(". 1:1(0) ack 2 win 65535"), Verdict::accepted);
  EXPECT_EQ(peer.state(), State::fin_wait_2);
  peer.quiet();
  EXPECT_EQ(peer.told(), StreamEvent{.stream = peer.stream()});
  EXPECT_EQ(peer.in("F. 1:1(0) ack 2 win 65535"), Verdict::accepted);
  EXPECT_EQ(peer.state(), State::time_wait);
  peer.out(". 2:2(0) ack 2");
  const StreamEvent told = peer.told();
  EXPECT_TRUE(told.peer_closed && told.readable && told.closed);
  EXPECT_FALSE(told.failure);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.time_wait = 1, .listeners = 1}));
  peer.after(60s);  // 2 MSL
  peer.quiet();
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
}

// Figure 12, seen from B.
// [RFC 9293 MUST-12]
TEST_P(Closing, TakesFourSegmentsFromThePassiveSide) {
  peer.establish();
  EXPECT_EQ(peer.in("F. 1:1(0) ack 1 win 65535"), Verdict::accepted);
  EXPECT_EQ(peer.state(), State::close_wait);
  peer.out(". 1:1(0) ack 2");
  StreamEvent told = peer.told();
  EXPECT_TRUE(told.peer_closed && told.readable);
  EXPECT_FALSE(told.closed);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
  EXPECT_TRUE(peer.shutdown());
  EXPECT_EQ(peer.state(), State::last_ack);
  peer.out("F. 1:1(0) ack 2");
  EXPECT_EQ(peer.in(". 2:2(0) ack 2 win 65535"), Verdict::accepted);
  EXPECT_EQ(stream_state(), State::closed);
  told = peer.told();
  EXPECT_TRUE(told.closed);
  EXPECT_FALSE(told.failure);
  peer.quiet();
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
}

// The ACK of the FIN waits for nothing else, so an application that ends at once saves a segment.
TEST_P(Closing, MergesAckAndFinWhenThePassiveSideHasNothingLeft) {
  peer.establish();
  peer.together([&] {
    peer.in("F. 1:1(0) ack 1 win 65535");
    EXPECT_TRUE(peer.shutdown());
  });
  peer.out("F. 1:1(0) ack 2");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::last_ack);
  peer.in(". 2:2(0) ack 2 win 65535");
  EXPECT_EQ(stream_state(), State::closed);
}

TEST_P(Closing, MergesLastDataAckAndFin) {
  peer.establish();
  peer.together([&] {
    peer.in("FP. 1:21(20) ack 1 win 65535");
    EXPECT_EQ(peer.recv(), 20u);
    peer.send(10);
    EXPECT_TRUE(peer.close());
  });
  peer.out("FP. 1:11(10) ack 22");
  peer.quiet();
  peer.in(". 22:22(0) ack 12 win 65535");
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
}

// The peer's side of the same: its FIN and its ACK of ours in one segment (figure 5, note 2).
TEST_P(Closing, GoesFromFinWait1StraightToTimeWaitWhenAckAndFinComeTogether) {
  peer.reach(State::fin_wait_1);
  peer.in("F. 1:1(0) ack 2 win 65535");
  peer.out(". 2:2(0) ack 2");
  EXPECT_EQ(peer.state(), State::time_wait);
}

TEST_P(Closing, SendsEverythingQueuedBeforeTheFin) {
  peer.establish({.window = 1000});
  peer.send(2500);
  EXPECT_TRUE(peer.shutdown());
  EXPECT_EQ(peer.state(), State::fin_wait_1);
  peer.out(". 1:1001(1000) ack 1");
  peer.quiet();
  peer.in(". 1:1(0) ack 1001 win 1000");
  EXPECT_EQ(peer.state(), State::fin_wait_1);
  peer.out(". 1001:2001(1000) ack 1");
  peer.in(". 1:1(0) ack 2001 win 1000");
  peer.out("FP. 2001:2501(500) ack 1");
  peer.in(". 1:1(0) ack 2501 win 1000");  // all but the FIN
  EXPECT_EQ(peer.state(), State::fin_wait_1);
  peer.in(". 1:1(0) ack 2502 win 1000");
  EXPECT_EQ(peer.state(), State::fin_wait_2);
}

TEST_P(Closing, RepeatsALostFin) {
  for (const State state : {State::fin_wait_1, State::last_ack, State::closing}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    const std::string fin = state == State::fin_wait_1 ? "F. 1:1(0) ack 1" : "F. 1:1(0) ack 2";
    each.mark();
    each.after(1500ms);
    each.out_at(200ms, fin);
    each.out_at(600ms, fin);
    each.out_at(1400ms, fin);
    each.quiet();
    EXPECT_EQ(each.state(), state);
  }
}

// ---- simultaneous close: figure 13

TEST_P(Closing, PassesThroughClosingWhenBothSidesCloseAtOnce) {
  peer.reach(State::fin_wait_1);
  peer.in("F. 1:1(0) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::closing);
  peer.out(". 2:2(0) ack 2");
  EXPECT_TRUE(peer.told().peer_closed);
  peer.in(". 2:2(0) ack 1 win 65535");  // does not acknowledge the FIN
  EXPECT_EQ(peer.state(), State::closing);
  peer.in(". 2:2(0) ack 2 win 65535");
  EXPECT_EQ(peer.state(), State::time_wait);
  peer.quiet();
  EXPECT_TRUE(peer.told().closed);
}

TEST_P(Closing, ClosesSimultaneouslyWithDataInBothFins) {
  peer.establish();
  peer.together([&] {
    peer.send(10);
    EXPECT_TRUE(peer.shutdown());
  });
  peer.out("FP. 1:11(10) ack 1");
  peer.in("FP. 1:31(30) ack 1 win 65535");
  peer.out(". 12:12(0) ack 32");
  EXPECT_EQ(peer.state(), State::closing);
  peer.in(". 32:32(0) ack 12 win 65535");
  EXPECT_EQ(peer.state(), State::time_wait);
  EXPECT_EQ(peer.recv(), 30u);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
}

// ---- half-close

TEST_P(Closing, ReceivesAsLongAsThePeerLikesAfterItsOwnFin) {
  peer.reach(State::fin_wait_2);
  for (int day = 0; day < 5; ++day) {
    const std::uint32_t at = 1 + 100 * static_cast<std::uint32_t>(day);
    peer.after(24h);
    peer.quiet();
    peer.in("P. " + std::to_string(at) + ":" + std::to_string(at + 100) + "(100) ack 2 win 65535");
    peer.after(1s);
    peer.out(". 2:2(0) ack " + std::to_string(at + 100));
    peer.quiet();
    EXPECT_EQ(peer.recv(), 100u);
    EXPECT_EQ(peer.state(), State::fin_wait_2);
  }
  peer.in("F. 501:501(0) ack 2 win 65535");
  peer.out(". 2:2(0) ack 502");
  EXPECT_EQ(peer.state(), State::time_wait);
}

TEST_P(Closing, SendsAsLongAsItLikesAfterThePeersFin) {
  peer.reach(State::close_wait);
  for (int day = 0; day < 5; ++day) {
    const std::uint32_t at = 1 + 100 * static_cast<std::uint32_t>(day);
    peer.after(24h);
    peer.quiet();
    EXPECT_EQ(peer.send(100), 100u);
    peer.out("P. " + std::to_string(at) + ":" + std::to_string(at + 100) + "(100) ack 2");
    peer.in(". 2:2(0) ack " + std::to_string(at + 100) + " win 65535");
    EXPECT_EQ(peer.state(), State::close_wait);
  }
  EXPECT_TRUE(peer.shutdown());
  peer.out("F. 501:501(0) ack 2");
  peer.in(". 2:2(0) ack 502 win 65535");
  EXPECT_EQ(stream_state(), State::closed);
}

// [RFC 9293 MAY-1]
TEST_P(Closing, RefusesToSendAfterItsOwnFinAndToCloseTwice) {
  peer.reach(State::fin_wait_2);
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), pattern(Stream::from_stack, 2, 1)).error(),
            Error::already_shut_down);
  EXPECT_EQ(peer.shutdown().error(), Error::already_shut_down);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
  EXPECT_EQ(peer.recv_error(), Error::would_block);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.close().error(), Error::no_such_id);
  EXPECT_EQ(peer.abort().error(), Error::no_such_id);
  EXPECT_EQ(peer.shutdown().error(), Error::no_such_id);
  peer.quiet();
}

// ---- FINs out of the ordinary

TEST_P(Closing, TakesAFinWithData) {
  peer.establish();
  peer.in("FP. 1:101(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 102");
  EXPECT_EQ(peer.state(), State::close_wait);
  EXPECT_FALSE(peer.stack().at_end(peer.stream()));
  EXPECT_EQ(peer.recv(), 100u);
  EXPECT_TRUE(peer.stack().at_end(peer.stream()));
}

TEST_P(Closing, KeepsAFinThatComesBeforeTheDataInFrontOfIt) {
  peer.establish();
  peer.in("F. 101:101(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1");
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_FALSE(peer.told().peer_closed);
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 102");
  EXPECT_EQ(peer.state(), State::close_wait);
  EXPECT_TRUE(peer.told().peer_closed);
  EXPECT_EQ(peer.recv(), 100u);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
}

TEST_P(Closing, KeepsAFinWithDataThatComesBeforeOtherData) {
  peer.establish({.options = "mss 1460,sackOK"});
  peer.in("FP. 101:201(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1 <sack 101:202>");
  EXPECT_EQ(peer.state(), State::established);
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 202");
  EXPECT_EQ(peer.state(), State::close_wait);
  EXPECT_EQ(peer.recv(), 200u);
}

// The stream ends where the FIN says, whatever comes behind it.
TEST_P(Closing, TakesNothingBehindAFin) {
  peer.establish();
  peer.in("F. 101:101(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1");
  peer.in("P. 51:151(100) ack 1 win 65535");
  peer.forget_output();
  peer.in("P. 1:51(50) ack 1 win 65535");
  peer.out(". 1:1(0) ack 102");
  EXPECT_EQ(peer.recv(), 100u);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
  EXPECT_EQ(peer.state(), State::close_wait);
}

TEST_P(Closing, IgnoresUrgentPointerTextAndFinBehindTheFirstFin) {
  for (const State state : {State::close_wait, State::closing, State::last_ack}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    each.in("PU. 2:12(10) ack 1 win 65535 urg 5");
    each.in("F. 2:12(10) ack 1 win 65535");
    each.forget_output();
    EXPECT_EQ(each.state(), state);
    EXPECT_FALSE(each.stack().urgent(each.stream()));
    EXPECT_EQ(each.stack().readable(each.stream()), 0u);
    EXPECT_FALSE(each.told().urgent);
  }
}

TEST_P(Closing, AcknowledgesARepeatedFinAgain) {
  for (const State state : {State::close_wait, State::closing, State::last_ack}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    const std::string next = state == State::close_wait ? "1:1" : "2:2";
    for (int i = 0; i < 20; ++i) {
      each.in("F. 1:1(0) ack 1 win 65535");
      each.out(". " + next + "(0) ack 2");
    }
    EXPECT_EQ(each.state(), state);
  }
}

// RFC 9293 §3.10.7.4, eighth: a FIN counts only where its number can be validated.
TEST_P(Closing, DropsAFinWithoutAck) {
  peer.establish();
  EXPECT_EQ(peer.in("F 1:1(0) win 65535"), Verdict::no_ack_bit);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::established);
}

// ---- an application that has let go

// [RFC 9293 MAY-1, SHLD-3]
TEST_P(Closing, ResetsWhenClosedWithOctetsUnread) {
  for (const State state : {State::established, State::fin_wait_1, State::fin_wait_2}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    const bool fin_sent = state != State::established;
    const std::string ack = state == State::fin_wait_2 ? "2" : "1";
    each.in("P. 1:11(10) ack " + ack + " win 65535");
    each.after(1s);
    each.forget_output();
    EXPECT_TRUE(each.close());
    each.out(fin_sent ? "R. 2:2(0) ack 11 win 0" : "R. 1:1(0) ack 11 win 0");
    each.after(600s);
    each.quiet();
    EXPECT_EQ(each.stack().census(), (Stack::Census{.listeners = 1}));
  }
}

// [RFC 9293 SHLD-3]
TEST_P(Closing, ResetsWhenDataComesAfterClose) {
  for (const State state : {State::established, State::fin_wait_2}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    EXPECT_TRUE(each.close());
    if (state == State::established) each.out("F. 1:1(0) ack 1");
    each.in(". 1:1(0) ack 2 win 65535");
    each.quiet();
    EXPECT_EQ(each.in("P. 1:11(10) ack 2 win 65535"), Verdict::data_after_close);
    each.out("R 2:2(0) win 0");
    EXPECT_EQ(each.stack().census(), (Stack::Census{.listeners = 1}));
  }
}

// The handle is stale: of a stream that is still being delivered only its state is told.
TEST_P(Closing, LeavesNothingToBeReadOrAskedOfAStreamThatWasClosed) {
  for (const State state : {State::established, State::close_wait, State::fin_wait_2}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    if (state != State::fin_wait_2) each.send(10);
    each.forget_output();
    EXPECT_TRUE(each.close());
    const Stack& stack = each.stack();
    const StreamId id = each.stream();
    EXPECT_NE(stack.state(id), State::closed);
    std::array<Octets, 4> views;
    EXPECT_EQ(stack.readable(id), 0u);
    EXPECT_EQ(stack.peek(id, views), 0u);
    EXPECT_FALSE(stack.at_end(id));
    EXPECT_EQ(stack.writable(id), 0u);
    EXPECT_FALSE(stack.urgent(id) || stack.failure(id) || stack.icmp_report(id));
    EXPECT_EQ(stack.info(id).error(), Error::no_such_id);
    EXPECT_EQ(stack.endpoints(id).error(), Error::no_such_id);
    EXPECT_EQ(stack.settings(id).error(), Error::no_such_id);
    EXPECT_EQ(each.recv_error(), Error::no_such_id);
    EXPECT_EQ(each.shutdown().error(), Error::no_such_id);
    EXPECT_EQ(each.abort().error(), Error::no_such_id);
    EXPECT_EQ(each.told(), StreamEvent{.stream = id});
  }
}

// RFC 5961 §3: a peer believes a RST only with the very number it expects next. What it has not
// received of ours cannot count.
TEST_P(Closing, ResetsWithTheNumberThePeerExpects) {
  peer.establish();
  EXPECT_EQ(peer.send(1000), 1000u);
  peer.out("P. 1:1001(1000) ack 1");  // lost
  EXPECT_TRUE(peer.close());
  peer.out("F. 1001:1001(0) ack 1");  // lost
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535"), Verdict::data_after_close);
  peer.out("R 1:1(0) win 0");
}

TEST_P(Closing, DoesNotResetForAFinOrOldDataAfterClose) {
  peer.establish();
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_TRUE(peer.close());
  peer.out("F. 1:1(0) ack 11");
  peer.in("P. 1:11(10) ack 1 win 65535");  // repeated
  peer.out(". 2:2(0) ack 11");
  peer.in("F. 11:11(0) ack 2 win 65535");
  peer.out(". 2:2(0) ack 12");
  EXPECT_EQ(peer.state(), State::time_wait);
}

// RFC 9293 §3.6 and RFC 1122 §4.2.2.13: nobody holds it, nobody may ever end it.
TEST_P(Closing, GivesUpAnOrphanInFinWait2AfterAMinute) {
  peer.establish();
  EXPECT_TRUE(peer.close());
  peer.out("F. 1:1(0) ack 1");
  peer.after(100ms);
  peer.in(". 1:1(0) ack 2 win 65535");
  peer.after(59999ms);
  EXPECT_EQ(peer.state(), State::fin_wait_2);
  peer.after(1ms);
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
  peer.quiet();
  peer.in("F. 1:1(0) ack 2 win 65535");
  peer.out("R 2:2(0) win 0");
}

TEST_P(Closing, CountsTheTimeoutOfAnOrphanFromTheCloseThatMadeItOne) {
  peer.reach(State::fin_wait_2);
  peer.after(1h);
  EXPECT_TRUE(peer.close());
  peer.after(59999ms);
  EXPECT_EQ(peer.state(), State::fin_wait_2);
  peer.after(1ms);
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
}

// ---- abort: RFC 9293 §3.10.5

TEST_P(Closing, SendsAResetOnAbortUnlessBothSidesHaveSaidAll) {
  for (const auto& [state, reset] :
       {std::pair{State::established, "R. 1:1(0) ack 1 win 0"},
        std::pair{State::fin_wait_1, "R. 2:2(0) ack 1 win 0"},
        std::pair{State::fin_wait_2, "R. 2:2(0) ack 1 win 0"},
        std::pair{State::close_wait, "R. 1:1(0) ack 2 win 0"}, std::pair{State::closing, ""},
        std::pair{State::last_ack, ""}, std::pair{State::time_wait, ""}}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    EXPECT_TRUE(each.abort());
    if (*reset) each.out(reset);
    each.after(600s);
    each.quiet();
    EXPECT_EQ(each.stack().census(), (Stack::Census{.listeners = 1}));
    EXPECT_EQ(each.abort().error(), Error::no_such_id);
  }
}

TEST_P(Closing, DeletesTheTimeWaitRecordOnAbort) {
  peer.reach(State::time_wait);
  EXPECT_TRUE(peer.abort());
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
  EXPECT_EQ(peer.state(), State::listen);
}

TEST_P(Closing, ForgetsWhatIsQueuedOnAbort) {
  peer.establish({.window = 100});
  peer.send(1000);
  peer.out(". 1:101(100) ack 1");
  EXPECT_TRUE(peer.abort());
  peer.out("R. 101:101(0) ack 1 win 0");
  peer.after(600s);
  peer.quiet();
  EXPECT_EQ(peer.stack().census().timers, 0u);
}

// ---- the state as a value

// In every state: a copy is equal, hashes alike, does the same with the same segment, and a segment
// makes a difference.
TEST_P(Closing, LeavesInEveryStateAStackThatIsEqualToItsCopyAndLivesOnAlike) {
  for (int i = static_cast<int>(State::listen); i <= static_cast<int>(State::time_wait); ++i) {
    for (const char* next :
         {"F. 1:1(0) ack 2 win 65535", "F. 1:1(0) ack 1 win 65535", "P. 1:11(10) ack 1 win 65535",
          "R. 1:1(0) ack 2 win 0", "S 0:0(0) win 65535 <mss 1460>", ". 1:1(0) ack 9 win 65535"}) {
      Peer each(TcpConfig{}, GetParam());
      each.reach(static_cast<State>(i));
      Stack copy = each.stack();
      EXPECT_EQ(copy, each.stack());
      EXPECT_EQ(copy.hash(), each.stack().hash());
      EXPECT_EQ(copy.next_deadline(), each.stack().next_deadline());
      const OctetVector octets = each.make(next);
      each.in(next);
      EXPECT_NE(copy, each.stack());  // if only in a counter
      copy.handle_frame(each.now(), each.interface(), {.octets = octets});
      TransmitFrame frame;
      while (auto sent = each.next()) {
        ASSERT_TRUE(copy.poll_transmit(each.now(), frame));
        OctetVector same(frame.size());
        frame.copy_to(same.data());
        EXPECT_EQ(same, sent->octets);
      }
      EXPECT_FALSE(copy.poll_transmit(each.now(), frame));
      EXPECT_EQ(copy, each.stack()) << each.story();
      EXPECT_EQ(copy.hash(), each.stack().hash());
    }
  }
}

}  // namespace
}  // namespace estab::script
