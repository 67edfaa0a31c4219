// SEND and the end of a direction before the connection is open (RFC 9293 §3.10.2, §3.10.4):
// queued, and sent after entering ESTABLISHED.

#include <memory>

#include "stack/testing/peer.h"

namespace estab::script {
namespace {

TEST(EarlyData, IsSentWithTheThirdSegment) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(100), 100u);
  EXPECT_EQ(peer.send(50), 50u);
  peer.quiet();
  EXPECT_EQ(peer.info().notsent_bytes, 150u);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out("P. 1:151(150) ack 1");
  peer.quiet();
  EXPECT_TRUE(peer.told().connected);
  peer.in(". 1:1(0) ack 151 win 65535");
  EXPECT_EQ(peer.send(10), 10u);
  peer.out("P. 151:161(10) ack 1");
}

TEST(EarlyData, WaitsThroughARepeatedSynAndASimultaneousOpen) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(20), 20u);
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.state(), State::syn_received);
  EXPECT_EQ(peer.send(20), 20u);
  peer.quiet();
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out("P. 1:41(40) ack 1");
}

TEST(EarlyData, HasNoPushIfMoreIsToCome) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(1000, SendMode::more), 1000u);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out(". 1:1001(1000) ack 1");
  EXPECT_EQ(peer.send(10), 10u);
  peer.in(". 1:1(0) ack 1001 win 65535");
  peer.out("P. 1001:1011(10) ack 1");
}

TEST(EarlyData, IsFollowedByTheFinThatWasAskedFor) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(100), 100u);
  EXPECT_TRUE(peer.shutdown());
  EXPECT_EQ(peer.shutdown().error(), Error::already_shut_down);
  EXPECT_EQ(peer.send(1), 0u);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out("FP. 1:101(100) ack 1");
  EXPECT_EQ(peer.state(), State::fin_wait_1);
}

TEST(EarlyData, IsNoMoreThanTheSendBufferHolds) {
  Peer peer(TcpConfig{.send_buffer = 1000});
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.stack().writable(peer.stream()), 1000u);
  EXPECT_EQ(peer.send(1500), 1000u);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
  const std::uint8_t octet = 0;
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), {&octet, 1}).error(), Error::would_block);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out("P. 1:1001(1000) ack 1");
  (void)peer.told();
  peer.in(". 1:1(0) ack 1001 win 65535");
  EXPECT_TRUE(peer.told().writable);
}

TEST(EarlyData, MayBeLent) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  auto text = std::make_shared<OctetVector>(pattern(Stream::from_stack, 1, 300));
  const std::weak_ptr<OctetVector> watch = text;
  const Octets octets = *text;
  ASSERT_TRUE(peer.stack().send_owned(peer.now(), peer.stream(), octets, std::move(text)));
  EXPECT_FALSE(watch.expired());
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out("P. 1:301(300) ack 1");
  peer.in(". 1:1(0) ack 301 win 65535");
  EXPECT_TRUE(watch.expired());
}

TEST(EarlyData, IsDroppedWithAnOpeningThatFails) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(100), 100u);
  peer.in("R. 0:0(0) ack 1");
  EXPECT_EQ(peer.told().failure, Error::connection_refused);
  const std::uint8_t octet = 0;
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), {&octet, 1}).error(),
            Error::connection_refused);
  peer.quiet();
}

TEST(EarlyData, IsForgottenWhenAnOpeningIsClosed) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(100), 100u);
  EXPECT_TRUE(peer.close());
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out("R 1:1(0)");
  peer.quiet();
}

TEST(EarlyData, BelongsToTheValueOfTheStack) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  Stack before = peer.stack();
  EXPECT_EQ(peer.send(100), 100u);
  EXPECT_FALSE(before == peer.stack());
  EXPECT_NE(before.hash(), peer.stack().hash());
  const Stack copy = peer.stack();
  EXPECT_TRUE(copy == peer.stack());
  EXPECT_EQ(copy.hash(), peer.stack().hash());
}

}  // namespace
}  // namespace estab::script
