// What a face above the stack asks of it: the table of sockets, why a stream ended.

#include "stack/testing/peer.h"

namespace estab::script {
namespace {

std::vector<State> states(const Stack& stack) {
  std::vector<State> found;
  for (const SocketRow& row : stack.table()) found.push_back(row.state);
  return found;
}

TEST(Table, ShowsEverySocketWhoeverHoldsIt) {
  Peer peer;
  peer.listen(7);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(states(peer.stack()), (std::vector{State::listen, State::syn_received}));
  peer.in(". 1:1(0) ack 1 win 65535");
  const SocketRow listening{{peer.local(), 8080}, std::nullopt, State::listen, 1, 7};
  EXPECT_EQ(peer.stack().table()[0], listening);
  EXPECT_EQ(peer.stack().acceptable(peer.listener()), 1u);
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.stack().acceptable(peer.listener()), 0u);
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.send(30), 30u);
  peer.out("P. 1:31(30) ack 11");
  const SocketRow open{peer.tuple().local(), peer.tuple().remote(), State::established, 10, 30};
  EXPECT_EQ(peer.stack().table()[1], open);
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(states(peer.stack()), (std::vector{State::listen, State::fin_wait_1}));
  peer.in("F. 11:11(0) ack 32 win 65535");
  EXPECT_EQ(states(peer.stack()), (std::vector{State::listen, State::time_wait}));
  peer.after(60s);
  EXPECT_EQ(states(peer.stack()), std::vector{State::listen});
}

TEST(Table, ShowsAnOpeningWithWhatWaitsForIt) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  EXPECT_EQ(peer.send(5), 5u);
  const SocketRow opening{peer.tuple().local(), peer.tuple().remote(), State::syn_sent, 0, 5};
  EXPECT_EQ(peer.stack().table(), std::vector{opening});
}

TEST(Failure, IsToldAsLongAsTheHandleLives) {
  Peer peer;
  peer.establish();
  EXPECT_EQ(peer.stack().failure(peer.stream()), std::nullopt);
  peer.in("R. 1:1(0) ack 1");
  EXPECT_EQ(peer.stack().failure(peer.stream()), Error::connection_reset);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.stack().failure(peer.stream()), std::nullopt);

  Peer refused;
  ASSERT_TRUE(refused.connect());
  refused.out("S 0:0(0) <*>");
  refused.in("R. 0:0(0) ack 1");
  EXPECT_EQ(refused.stack().failure(refused.stream()), Error::connection_refused);
}

TEST(Ipv6Only, KeepsIpv4FromTheUnspecifiedAddress) {
  for (const bool only : {false, true}) {
    Peer peer;
    ListenOptions options{.local = {IpAddress::any(Family::ipv6), Peer::kLocalPort}};
    options.ipv6_only = only;
    ASSERT_TRUE(peer.stack().listen(options));
    EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"),
              only ? Verdict::answered_reset : Verdict::syn_queued);
  }
  Peer six(TcpConfig{}, Family::ipv6);
  ListenOptions options{.local = {IpAddress::any(Family::ipv6), Peer::kLocalPort}};
  options.ipv6_only = true;
  ASSERT_TRUE(six.stack().listen(options));
  EXPECT_EQ(six.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_queued);
  EXPECT_TRUE(six.stack().is_local(six.local()));
  EXPECT_FALSE(six.stack().is_local(six.remote()));
}

TEST(QuickAcks, AreAskedForAndGivenBack) {
  TcpConfig tcp;
  tcp.quick_acks = 0;
  Peer peer(tcp);
  peer.establish();
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.quiet();
  ASSERT_TRUE(peer.stack().set_quick_acks(peer.now(), peer.stream(), 1));
  peer.out(". 1:1(0) ack 11");
  peer.in("P. 11:21(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 21");
  peer.in("P. 21:31(10) ack 1 win 65535");
  peer.quiet();
}

// RFC 1122 §4.2.2.13: what nobody will read is refused, once this side has said all.
TEST(RefusedInput, IsAnsweredWithAResetAfterOurFin) {
  Peer peer;
  peer.establish();
  ASSERT_TRUE(peer.stack().refuse_input(peer.now(), peer.stream()));
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_TRUE(peer.shutdown());
  peer.out("F. 1:1(0) ack 11");
  peer.in(". 11:11(0) ack 2 win 65535");
  peer.in("P. 1:11(10) ack 2 win 65535");  // old
  peer.out(". 2:2(0) ack 11");
  EXPECT_EQ(peer.in("P. 11:21(10) ack 2 win 65535"), Verdict::data_after_close);
  peer.out("R 2:2(0)");
  EXPECT_EQ(peer.told().failure, Error::connection_reset);
}

}  // namespace
}  // namespace estab::script
