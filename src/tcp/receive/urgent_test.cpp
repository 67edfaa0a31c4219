// Urgent data (RFC 9293 §3.8.5, RFC 6093), sent and received.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

// ---- sent

// [RFC 9293 MUST-62]
TEST(Urgent, PointsBehindTheLastUrgentOctet) {  // MUST-62
  Opened peer;
  peer.send(100, SendMode::urgent);
  peer.out("PU. 1:101(100) ack 1 urg 100");
}

// [RFC 9293 MUST-30]
TEST(Urgent, IsSaidFromTheFirstSegmentOnAndNoLongerBehindIt) {
  Opened peer;
  peer.together([&] {
    peer.send(2500, SendMode::urgent);
    peer.send(1500);
  });
  peer.out("U. 1:1001(1000) ack 1 urg 2500");
  peer.out("U. 1001:2001(1000) ack 1 urg 1500");
  peer.out("U. 2001:3001(1000) ack 1 urg 500");
  peer.out("P. 3001:4001(1000) ack 1");
  peer.quiet();
}

TEST(Urgent, IsSaidOfWhatWasQueuedBefore) {
  Opened peer({.window = 1000});
  peer.send(5000);
  peer.out(". 1:1001(1000) ack 1");
  peer.send(1, SendMode::urgent);
  peer.out("U. 1001:1001(0) ack 1 urg 4001");  // at once, though the window is full
  peer.ack(1001);
  peer.out("U. 1001:2001(1000) ack 1 urg 4001");
}

TEST(Urgent, GoesWithoutWaitingForAnAck) {
  Opened peer;
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.send(1, SendMode::urgent);
  peer.out("PU. 11:12(1) ack 1 urg 1");
}

TEST(Urgent, IsSaidThoughTheWindowIsShut) {  // MUST-66
  Opened peer;
  peer.in(". 1:1(0) ack 1 win 0");
  peer.send(10, SendMode::urgent);
  EXPECT_EQ(peer.out("U. 1:1(0) ack 1 urg 10").reason, SendReason::urgent);
  peer.quiet();
  peer.after(300ms);
  peer.out("U. 1:2(1) ack 1 urg 10");  // and in the probe
}

// [RFC 9293 MUST-31]
TEST(Urgent, MayBeOfAnyLength) {  // MUST-31
  Opened peer({.options = "mss 1000,wscale 7"});
  peer.send(100000, SendMode::urgent);
  int next = 1;
  while (next <= 100000) {
    const auto sent = peer.next();
    ASSERT_TRUE(sent);
    ASSERT_TRUE(sent->segment->flags.urg());
    EXPECT_EQ(sent->segment->urgent_pointer, std::min(100001 - next, 65535));
    next += static_cast<int>(sent->segment->payload.size());
    if (peer.waiting() == 0) peer.ack(next);
  }
  peer.send(10);
  peer.out("P. 100001:100011(10) ack 1");
}

TEST(Urgent, MayBeMarkedAgainBeforeTheFirstMarkIsSent) {
  Opened peer({.window = 1000});
  peer.send(1000, SendMode::urgent);
  peer.out("PU. 1:1001(1000) ack 1 urg 1000");
  peer.send(500, SendMode::urgent);
  peer.out("U. 1001:1001(0) ack 1 urg 500");
  peer.send(300, SendMode::urgent);
  peer.out("U. 1001:1001(0) ack 1 urg 800");
  peer.ack(1001);
  peer.out("PU. 1001:1801(800) ack 1 urg 800");
}

TEST(Urgent, IsSaidInARetransmission) {
  Opened peer;
  peer.send(100, SendMode::urgent);
  peer.forget_output();
  peer.after(300ms);
  peer.out("PU. 1:101(100) ack 1 urg 100");
}

TEST(Urgent, IsNeverPartOfASuperSegment) {  // a device would copy the pointer into every part
  Opened peer({.interface = {.name = "offload", .segmentation_v4 = true}});
  peer.together([&] {
    peer.send(3000, SendMode::urgent);
    peer.send(3000);
  });
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(peer.out("U. " + Opened::range(1 + i * 1000, 1001 + i * 1000) + " ack 1 urg " +
                       std::to_string(3000 - i * 1000))
                  .gso_size,
              0);
  EXPECT_EQ(peer.out("P. 3001:6001(3000) ack 1").gso_size, 1000);
}

// ---- received

/// Twenty octets have come, of which the twelfth is the last urgent one.
struct UrgentInline : testing::Test {
  UrgentInline() { peer.in("PU. 1:21(20) ack 1 win 65535 urg 12"); }
  std::uint64_t left() const {
    const auto mark = peer.stack().urgent(peer.stream());
    return mark ? mark->octets_before_end : 0;
  }
  mutable Opened peer;
};

// [RFC 9293 MUST-30, MUST-32]
TEST_F(UrgentInline, IsToldOfAtOnce) {  // MUST-32
  EXPECT_TRUE(peer.told().urgent);
  EXPECT_FALSE(peer.told().urgent) << "once";
}

// [RFC 9293 MUST-62, MUST-33]
TEST_F(UrgentInline, SaysHowMuchIsLeft) {  // MUST-33
  EXPECT_EQ(left(), 12u);
  EXPECT_EQ(peer.recv(5), 5u);
  EXPECT_EQ(left(), 7u);
  EXPECT_EQ(peer.recv(6), 6u);
  EXPECT_EQ(left(), 1u);
  EXPECT_EQ(peer.recv(1), 1u);
  EXPECT_FALSE(peer.stack().urgent(peer.stream())) << "the pointer means the octet behind";
  EXPECT_EQ(peer.recv(), 8u);
}

TEST_F(UrgentInline, KeepsTheUrgentOctetsInTheStream) {  // RFC 6093 §4
  EXPECT_EQ(peer.recv(), 20u);
}

// [RFC 9293 MUST-32, 3.9.1.8-1]
TEST_F(UrgentInline, IsToldAgainWhenThePointerMovesForward) {
  (void)peer.told();
  peer.in("PU. 21:31(10) ack 1 win 65535 urg 3");
  EXPECT_TRUE(peer.told().urgent);
  EXPECT_EQ(left(), 23u);
}

TEST_F(UrgentInline, DoesNotMoveBack) {
  (void)peer.told();
  peer.in("U. 21:21(0) ack 1 win 65535 urg 1");
  EXPECT_EQ(left(), 21u);
  (void)peer.told();
  peer.in("PU. 11:31(20) ack 1 win 65535 urg 4");  // points at 15
  EXPECT_FALSE(peer.told().urgent);
  EXPECT_EQ(left(), 21u);
}

// [RFC 9293 MUST-32]
TEST(Urgent, IsToldBeforeTheUrgentOctetsArrive) {  // MUST-32
  Opened peer;
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 5000");
  EXPECT_TRUE(peer.told().urgent);
  EXPECT_EQ(peer.stack().urgent(peer.stream())->octets_before_end, 5000u);
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_EQ(peer.stack().urgent(peer.stream())->octets_before_end, 4990u);
}

// [RFC 9293 MUST-31]
TEST(Urgent, OfAnyLengthIsFollowedAsThePointerMovesOn) {  // MUST-31
  Opened peer;
  for (int i = 0; i < 5; ++i) {
    peer.in("U. " + Opened::range(1 + i * 1000, 1001 + i * 1000) + " ack 1 win 65535 urg 65535");
    EXPECT_EQ(peer.stack().urgent(peer.stream())->octets_before_end, 65535u + i * 1000u);
  }
}

TEST(Urgent, PointerIsCountedAcrossTheWrapOfNumbers) {
  Opened peer({.remote_isn = SeqNum(0xfffffffa)});  // five octets before the wrap
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 10");
  EXPECT_EQ(peer.stack().urgent(peer.stream())->octets_before_end, 10u);
  EXPECT_EQ(peer.recv(9), 9u);
  EXPECT_EQ(peer.stack().urgent(peer.stream())->octets_before_end, 1u);
}

TEST(Urgent, PointerWithoutTheFlagMeansNothing) {
  Opened peer;
  auto octets = peer.make("P. 1:11(10) ack 1 win 65535 urg 0");
  peer.in_octets(octets);
  EXPECT_FALSE(peer.told().urgent);
  EXPECT_FALSE(peer.stack().urgent(peer.stream()));
}

TEST(Urgent, BeyondAGapIsToldAtOnce) {
  Opened peer;
  peer.in("PU. 101:111(10) ack 1 win 65535 urg 10");
  EXPECT_TRUE(peer.told().urgent);
  EXPECT_EQ(peer.stack().urgent(peer.stream())->octets_before_end, 110u);
  EXPECT_EQ(peer.recv(), 0u);
}

TEST(Urgent, OutsideTheWindowIsNotBelieved) {
  Opened peer;
  EXPECT_EQ(peer.in("PU. 70001:70011(10) ack 1 win 65535 urg 10"), Verdict::out_of_window);
  EXPECT_FALSE(peer.told().urgent);
}

TEST(Urgent, IsNotPredicted) {
  Opened peer;
  EXPECT_EQ(peer.in("PU. 1:11(10) ack 1 win 65535 urg 10"), Verdict::accepted);
  EXPECT_EQ(peer.in("P. 11:21(10) ack 1 win 65535"), Verdict::accepted)
      << "nor while any is unread";
  EXPECT_EQ(peer.recv(), 20u);
  EXPECT_EQ(peer.in("P. 21:31(10) ack 1 win 65535"), Verdict::predicted);
}

// ---- out of band

struct OutOfBand : testing::Test {
  /// What recv gives, as places in the remote's stream.
  OctetVector read(std::size_t most = 100) {
    OctetVector octets(most);
    octets.resize(peer.stack().recv(peer.now(), peer.stream(), octets).value_or(0));
    return octets;
  }
  static OctetVector places(std::uint32_t from, std::uint32_t to) {
    return pattern(Stream::from_remote, from, to - from);
  }
  static std::uint8_t place(std::uint32_t at) { return pattern(Stream::from_remote, at); }
  std::optional<UrgentMark> mark() { return peer.stack().urgent(peer.stream()); }

  Opened peer{{.tcp = {.urgent_inline = false}}};
};

TEST_F(OutOfBand, SetsTheLastUrgentOctetAside) {
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 5");
  ASSERT_TRUE(mark());
  EXPECT_EQ(mark()->out_of_band, place(5));
  EXPECT_EQ(mark()->octets_before_end, 5u);
  EXPECT_EQ(read(), places(1, 5));
  EXPECT_EQ(read(), places(6, 11));
  EXPECT_EQ(mark()->out_of_band, place(5)) << "it can be asked for as long as no other follows";
  EXPECT_EQ(mark()->octets_before_end, 0u);
}

TEST_F(OutOfBand, StopsAReaderInFrontOfIt) {
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 5");
  EXPECT_EQ(peer.stack().readable(peer.stream()), 4u);
  std::array<Octets, 4> views;
  ASSERT_EQ(peer.stack().peek(peer.stream(), views), 1u);
  EXPECT_EQ(views[0].size(), 4u);
  ASSERT_TRUE(peer.stack().consume(peer.now(), peer.stream(), 4));
  EXPECT_EQ(peer.stack().readable(peer.stream()), 5u);
}

TEST_F(OutOfBand, IsTakenOutAtOnceIfItIsTheNextOctet) {
  peer.in("PU. 1:2(1) ack 1 win 65535 urg 1");
  EXPECT_EQ(mark()->out_of_band, place(1));
  EXPECT_EQ(peer.stack().readable(peer.stream()), 0u);
  peer.in("P. 2:12(10) ack 1 win 65535");
  EXPECT_EQ(read(), places(2, 12));
}

TEST_F(OutOfBand, IsAnnouncedBeforeItArrives) {
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 15");
  EXPECT_TRUE(peer.told().urgent);
  EXPECT_EQ(mark()->octets_before_end, 15u);
  EXPECT_EQ(mark()->out_of_band, std::nullopt);
  EXPECT_EQ(read(), places(1, 11));
  peer.in("P. 11:21(10) ack 1 win 65535");
  EXPECT_EQ(mark()->out_of_band, place(15));
  EXPECT_EQ(read(), places(11, 15));
  EXPECT_EQ(read(), places(16, 21));
}

TEST_F(OutOfBand, ComesOutOfAGapThatIsFilled) {
  peer.in("PU. 11:21(10) ack 1 win 65535 urg 5");
  EXPECT_EQ(mark()->out_of_band, std::nullopt);
  peer.in("P. 1:11(10) ack 1 win 65535");
  EXPECT_EQ(mark()->out_of_band, place(15));
  EXPECT_EQ(read(), places(1, 15));
  EXPECT_EQ(read(), places(16, 21));
}

TEST_F(OutOfBand, HoldsTheLatestOfSeveralMarksAndTheOthersStayInTheStream) {
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 5");
  peer.in("PU. 11:21(10) ack 1 win 65535 urg 5");
  EXPECT_EQ(mark()->out_of_band, place(15));
  EXPECT_EQ(read(), places(1, 15));
  EXPECT_EQ(read(), places(16, 21));
}

TEST_F(OutOfBand, TakesOneMarkAfterTheOther) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    peer.in("PU. " + Opened::range(1 + i * 10, 11 + i * 10) + " ack 1 win 65535 urg 5");
    EXPECT_EQ(read(), places(1 + i * 10, 5 + i * 10));
    EXPECT_EQ(mark()->out_of_band, place(5 + i * 10));
    EXPECT_EQ(read(), places(6 + i * 10, 11 + i * 10));
  }
}

TEST_F(OutOfBand, CanBeSwitchedOffOnAnOpenConnection) {
  peer.reconfigure([](TcpConfig& c) { c.urgent_inline = true; });
  peer.in("PU. 1:11(10) ack 1 win 65535 urg 5");
  EXPECT_EQ(mark()->out_of_band, std::nullopt);
  EXPECT_EQ(read(), places(1, 11));
}

TEST_F(OutOfBand, FreesItsRoomInTheWindow) {
  Opened small({.tcp = {.receive_buffer = 1000, .urgent_inline = false}});
  small.in("PU. 1:1001(1000) ack 1 win 65535 urg 1");
  small.forget_output();
  OctetVector octets(999);
  EXPECT_EQ(small.stack().recv(small.now(), small.stream(), octets), 999u);
  small.out(". 1:1(0) ack 1001 win 1000");
}

}  // namespace
}  // namespace estab::script
