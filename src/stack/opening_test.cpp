// Opening a connection (RFC 9293 §3.5): the handshake both ways, and what goes wrong on the way.

#include "stack/testing/peer.h"

namespace estab::script {
namespace {

TEST(Opening, AnswersASynWithASynAckAndIsEstablishedByTheThirdSegment) {
  Peer peer;
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(peer.state(), State::syn_received);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::handshake_completed);
  EXPECT_EQ(peer.state(), State::established);
  peer.quiet();
  ASSERT_TRUE(peer.accept());
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.in("P. 1:21(20) ack 11 win 65535");
  EXPECT_EQ(peer.recv(), 20u);
}

TEST(Opening, ReachesEveryState) {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (int i = 0; i <= static_cast<int>(State::time_wait); ++i) {
      const State state = static_cast<State>(i);
      for (Open::Side side : {kPassive, kActive}) {
        Peer peer(TcpConfig{}, family);
        peer.reach(state, {.side = side});
        EXPECT_EQ(peer.state(), state);
        Peer with_options(TcpConfig{}, family);
        with_options.reach(state,
                           {.side = side, .options = "mss 1460,sackOK,TS val 5 ecr 0,wscale 7"});
        EXPECT_EQ(with_options.state(), state);
      }
    }
  }
}

}  // namespace
}  // namespace estab::script
