// Windows: scaling (RFC 7323 §2), the right edge, silly windows on both sides (RFC 9293 §3.8.6.2),
// Nagle (§3.7.4), and a peer that takes its window back (§3.8.6).

#include <algorithm>

#include "base/prng.h"
#include "stack/testing/opened.h"
#include "tcp/open/syn.h"

namespace estab::script {
namespace {

// ---- scaling

// [RFC 7323 2.3-2, 2.3-6]
TEST(Window, HasTheScaleThatItsLargestSizeNeeds) {
  const auto shift = [](const TcpConfig& config) { return tcp::offered_shift(config); };
  EXPECT_EQ(shift({}), 12);  // 240 MiB
  EXPECT_EQ(shift({.receive_buffer = 1 << 20}), 8);
  EXPECT_EQ(shift({.receive_buffer = BufferSize::growing(1 << 16, 0xffff << 9)}), 9);
  EXPECT_EQ(shift({.receive_buffer = BufferSize::growing(1 << 20, 1u << 31)}), 14);
  EXPECT_EQ(shift({.receive_buffer = BufferSize::growing(1 << 10, 1u << 31)}), 7);  // an eighth
  EXPECT_EQ(shift({.window_scale = 3}), 3);
}

// [RFC 7323 2.2-1, 2.2-5, 2.2-8, 2.3-2, 2.3-4, 2.3-5]
TEST(Window, IsNotScaledInASyn) {
  Peer active(TcpConfig{.receive_buffer = 1 << 20});
  ASSERT_TRUE(active.connect());
  active.out("S 0:0(0) win 65535 <wscale 8,...>");
  active.in("S. 0:0(0) ack 1 win 1000 <mss 1000,wscale 7>");
  active.out(". 1:1(0) ack 1 win 4096");  // a mebioctet in units of 256
  EXPECT_EQ(active.info().snd_wnd, 1000u);
  active.in(". 1:1(0) ack 1 win 1000");
  EXPECT_EQ(active.info().snd_wnd, 128000u);
}

// [RFC 7323 2.2-6, 2.3-1, 2.2-8]
TEST(Window, IsNotScaledInASynAck) {
  Peer passive(TcpConfig{.receive_buffer = 1 << 20});
  passive.listen();
  passive.in("S 0:0(0) win 1000 <mss 1000,wscale 7>");
  passive.out("S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 8>");
  passive.in(". 1:1(0) ack 1 win 1000");
  ASSERT_TRUE(passive.accept());
  EXPECT_EQ(passive.info().snd_wnd, 128000u);
}

// [RFC 7323 2.2-3, 2.3-3]
TEST(Window, IsScaledOnlyIfBothOffer) {
  for (const bool ours : {true, false}) {
    for (const bool theirs : {true, false}) {
      Opened peer({.tcp = {.receive_buffer = 1 << 20, .use_window_scale = ours},
                   .options = theirs ? "mss 1000,wscale 7" : "mss 1000",
                   .window = 1000});
      const bool both = ours && theirs;
      EXPECT_EQ(peer.info().wscale, both);
      EXPECT_EQ(peer.info().snd_wnd, both ? 128000u : 1000u);
      peer.in_run(1, 1001);
      peer.out(both ? ". 1:1(0) ack 1001 win 4092" : ". 1:1(0) ack 1001 win 65535");
    }
  }
}

// [RFC 9293 MUST-1, REC-1] [RFC 7323 2.3-7]
TEST(Window, IsScaledByAtMostFourteenWhateverThePeerSays) {  // RFC 7323 §2.3
  for (const int shift : {14, 15, 255}) {
    Opened peer({.options = "mss 1000,wscale " + std::to_string(shift)});
    EXPECT_EQ(peer.info().snd_wscale, 14);
    EXPECT_EQ(peer.info().snd_wnd, 65535u << 14);
  }
}

// [RFC 7323 2.3-6]
TEST(Window, IsOfferedWithAScaleOfAtMostFourteen) {
  Peer peer(TcpConfig{.window_scale = 30});
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <wscale 14,...>");
}

// [RFC 9293 MUST-1] [RFC 7323 2.2-2, 2.2-4]
TEST(Window, IsOfferedWithAScaleOfNothingToo) {  // RFC 7323 §2.2
  Peer peer(TcpConfig{.window_scale = 0});
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <wscale 0,...>");
  peer.in("S. 0:0(0) ack 1 win 1000 <mss 1000,wscale 7>");
  peer.out(". 1:1(0) ack 1 win 65535");
  peer.in(". 1:1(0) ack 1 win 1000");
  EXPECT_EQ(peer.info().snd_wnd, 128000u) << "theirs is scaled all the same";
}

// [RFC 7323 2.3-4]
TEST(Window, OfAScaledPeerLimitsWhatIsSent) {
  Opened peer({.options = "mss 1000,wscale 2", .window = 1000});
  peer.send(20000);
  peer.out_run(1, 4001);
  peer.quiet();
}

TEST(Window, IsNeverWiderThanTheReceiveBuffer) {
  Opened small({.tcp = {.receive_buffer = 5000}});
  small.in_run(1, 1001);
  small.out(". 1:1(0) ack 1001 win 4000");
  Opened large({.tcp = {.receive_buffer = 200000}});  // the peer does not scale
  large.in_run(1, 1001);
  large.out(". 1:1(0) ack 1001 win 65535");
}

// ---- the right edge, and silly windows on our side

/// A receive buffer of ten segments, filled by the remote.
struct FullBuffer : testing::Test {
  FullBuffer() {
    peer.in_run(1, 10001);
    peer.forget_output();
    peer.in(". 10001:10001(0) ack 1 win 65535");
  }
  Opened peer{{.tcp = {.receive_buffer = 10000}}};
};

TEST(Window, ShrinksAsDataArrivesAndItsEdgeStays) {
  Opened peer({.tcp = {.receive_buffer = 10000}});
  for (int i = 1; i <= 10; ++i) {
    peer.in_run(i * 1000 - 999, i * 1000 + 1);
    peer.out(". 1:1(0) ack " + std::to_string(i * 1000 + 1) + " win " +
             std::to_string(10000 - i * 1000));
  }
}

// [RFC 9293 MUST-39]
TEST_F(FullBuffer, DoesNotOpenForLessThanASegment) {  // MUST-39
  EXPECT_EQ(peer.recv(999), 999u);
  peer.quiet();
  EXPECT_EQ(peer.recv(1), 1u);
  EXPECT_EQ(peer.out(". 1:1(0) ack 10001 win 1000").reason, SendReason::window_update);
  EXPECT_EQ(peer.recv(999), 999u);
  peer.quiet();
  EXPECT_EQ(peer.recv(2), 2u);
  peer.out(". 1:1(0) ack 10001 win 2001");
}

// [RFC 9293 MUST-39]
TEST_F(FullBuffer, StaysShutInAnAckMeanwhile) {
  EXPECT_EQ(peer.recv(999), 999u);
  EXPECT_EQ(peer.in(". 10001:10002(1) ack 1 win 65535"), Verdict::accepted);  // a probe
  peer.out(". 1:1(0) ack 10001 win 0");
}

TEST_F(FullBuffer, OpensWhollyWhenEverythingIsReadAtOnce) {
  EXPECT_EQ(peer.recv(), 10000u);
  peer.out(". 1:1(0) ack 10001 win 10000");
  peer.quiet();
}

// [RFC 9293 MUST-39]
TEST(Window, OfASmallBufferOpensByHalfOfIt) {
  Opened peer({.tcp = {.receive_buffer = 1000}});
  peer.in_run(1, 1001);
  peer.out(". 1:1(0) ack 1001 win 0");
  EXPECT_EQ(peer.recv(499), 499u);
  peer.quiet();
  EXPECT_EQ(peer.recv(1), 1u);
  peer.out(". 1:1(0) ack 1001 win 500");
}

TEST(Window, IsNotUpdatedForEveryReadWhileThePeerHasRoom) {
  Opened peer({.tcp = {.receive_buffer = 50000}});
  peer.in_run(1, 10001);
  peer.forget_output();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(peer.recv(1000), 1000u);
  peer.quiet();
  EXPECT_EQ(peer.recv(1000), 1000u);
  peer.out(". 1:1(0) ack 10001 win 47000");
}

// [RFC 7323 2.4-2, 2.4-3]
TEST(Window, AcceptsAllThatWasPromised) {  // RFC 7323 §2.4: the receiver MUST honour it
  Opened peer({.tcp = {.receive_buffer = 10000}, .options = "mss 1000,wscale 0"});
  peer.in_run(1, 1001);
  const auto sent = peer.out(". 1:1(0) ack 1001");
  const int edge = 1001 + sent.segment->window * 256;
  EXPECT_GT(edge, 10000);
  peer.in_run(1001, edge);
  peer.forget_output();
  peer.in(". " + Opened::range(edge, edge) + " ack 1 win 65535");
  EXPECT_EQ(peer.recv(), static_cast<std::size_t>(edge - 1));
}

/// Whatever arrives and is read: the highest octet ever allowed never becomes forbidden.
void expect_edge_never_moves_back(const Start& start, std::uint32_t unit, std::uint64_t seed) {
  Opened peer(start);
  base::Prng prng(std::array<std::uint64_t, 2>{seed, 1});
  std::int64_t next = 1, edge = 1;
  for (int step = 0; step < 300; ++step) {
    if (prng.below(3) == 0) {
      peer.recv(1 + prng.below(4000));
    } else {
      const auto allowed = std::max<std::int64_t>(edge - next, 1);
      const auto size = 1 + static_cast<std::int64_t>(prng.below(1000)) % allowed;
      peer.in(". " + Opened::range(next, next + size) + " ack 1 win 65535");
    }
    if (prng.below(4) == 0) peer.after(50ms);
    while (const auto sent = peer.next()) {
      next = sent->segment->ack - peer.remote_isn();
      const std::int64_t now = next + std::int64_t{sent->segment->window} * unit;
      ASSERT_GE(now, edge) << "seed " << seed << peer.story();
      edge = now;
    }
    ASSERT_LE(peer.info().recv_queue, start.tcp.receive_buffer.most * 3 / 2) << "seed " << seed;
  }
}

// [RFC 9293 SHLD-14]
TEST(Window, NeverTakesItsRightEdgeBack) {  // SHLD-14
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    expect_edge_never_moves_back({.tcp = {.receive_buffer = 20000}}, 1, seed);
    expect_edge_never_moves_back(
        {.tcp = {.receive_buffer = 200000, .window_scale = 6}, .options = "mss 1000,wscale 0"}, 64,
        seed);
  }
}

// ---- when to send: rules (1) to (4) of RFC 9293 §3.8.6.2.1, and Nagle

// [RFC 9293 MUST-38]
TEST(SillyWindow, FullSegmentsGoAtOnce) {  // rule (1)
  Opened peer({.window = 3500});
  peer.send(10000);
  peer.out_run(1, 3001);
  peer.quiet();
}

// [RFC 9293 MUST-38]
TEST(SillyWindow, WhatIsLeftGoesWhenItFits) {  // rule (2)
  Opened peer;
  peer.send(2300);
  peer.out_run(1, 2001);
  peer.quiet();  // Nagle: two are in flight
  peer.ack(2001);
  peer.out("P. 2001:2301(300) ack 1");
}

// [RFC 9293 MUST-38]
TEST(SillyWindow, HalfOfTheLargestWindowGoesIfNothingIsInFlight) {  // rule (3)
  Opened peer({.window = 300});
  peer.in(". 1:1(0) ack 1 win 900");
  peer.send(10000);
  peer.out(". 1:901(900) ack 1");
  peer.in(". 1:1(0) ack 901 win 450");
  peer.out(". 901:1351(450) ack 1");
  peer.in(". 1:1(0) ack 1351 win 449");
  peer.quiet();
}

// [RFC 9293 MUST-38]
TEST(SillyWindow, AnythingGoesAfterTheOverrideTimeout) {  // rule (4)
  Opened peer;
  peer.in(". 1:1(0) ack 1 win 100");
  peer.send(10000);
  peer.quiet();
  peer.after(300ms);
  EXPECT_EQ(peer.out_at(300ms, ". 1:101(100) ack 1").reason, SendReason::data);
  peer.quiet();
}

// [RFC 9293 SHLD-7, MAY-16]
TEST(SillyWindow, SmallSegmentsWaitForAnAck) {  // SHLD-7, Nagle
  Opened peer;
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.send(10);
  peer.send(10);
  peer.quiet();
  peer.ack(11);
  peer.out("P. 11:31(20) ack 1");
}

// [RFC 9293 SHLD-7, MAY-16, SHLD-28]
TEST(SillyWindow, SmallSegmentsThatGrowFullGoAtOnce) {
  Opened peer;
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.send(990);
  peer.quiet();
  peer.send(20);
  peer.out(". 11:1011(1000) ack 1");
  peer.quiet();
}

// [RFC 9293 MUST-17]
TEST(SillyWindow, SmallSegmentsGoAtOnceWithoutNagle) {  // MUST-17
  Opened peer({.tcp = {.nagle = false}});
  for (int i = 0; i < 5; ++i) {
    peer.send(10);
    peer.out("P. " + Opened::range(1 + i * 10, 11 + i * 10) + " ack 1");
  }
}

// [RFC 9293 MUST-17]
TEST(SillyWindow, WhatNagleHoldsGoesWhenHeIsSwitchedOff) {
  Opened peer;
  peer.send(10);
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.quiet();
  peer.reconfigure([](TcpConfig& c) { c.nagle = false; });
  peer.out("P. 11:21(10) ack 1");
}

TEST(SillyWindow, WhatNagleHoldsGoesWithTheFin) {
  Opened peer;
  peer.send(10);
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  ASSERT_TRUE(peer.shutdown());
  peer.out("FP. 11:21(10) ack 1");
}

TEST(SillyWindow, MoreToComeHoldsTheLastSegmentBack) {
  Opened peer;
  peer.send(1300, SendMode::more);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1001);
  peer.quiet();
  peer.send(100);
  peer.out("P. 1001:1401(400) ack 1");
}

// [RFC 9293 MUST-60]
TEST(SillyWindow, MoreThatNeverComesHoldsItBackNotForLong) {  // MUST-60
  Opened peer;
  peer.send(300, SendMode::more);
  peer.quiet();
  peer.after(1s);
  peer.out_at(300ms, "P. 1:301(300) ack 1");
}

TEST(SillyWindow, WhatMoreHeldBackIsSentOnlyOnce) {
  Opened peer({.rtt = 900ms});
  peer.send(300, SendMode::more);
  peer.after(100ms);
  peer.send(700);
  peer.out("P. 1:1001(1000) ack 1");
  peer.after(900ms);
  peer.quiet();
}

// ---- a receive buffer in other units than the window's

/// What arrives while the application reads at once, with the buffer changed on the way.
std::size_t arrived_with_buffer(std::uint32_t octets, std::uint8_t scale) {
  Opened peer({.tcp = {.window_scale = scale}, .options = "mss 1460,wscale 7"});
  TcpConfig config = peer.stack().settings(peer.stream()).value();
  config.receive_buffer = octets;
  EXPECT_TRUE(peer.stack().reconfigure(peer.now(), peer.stream(), config));
  std::uint32_t next = 1, edge = 65536;
  for (int turns = 0; turns < 400 && next < 100'000; ++turns) {
    const std::uint32_t octets_now = std::clamp(edge - next, 1u, 1460u);
    peer.in("P. " + std::to_string(next) + ":" + std::to_string(next + octets_now) + "(" +
            std::to_string(octets_now) + ") ack 1 win 65535");
    peer.recv();
    peer.after(1s);
    while (const auto sent = peer.next()) {
      next = sent->segment->ack - peer.remote_isn();
      edge = next + (std::uint32_t{sent->segment->window} << scale);
    }
  }
  return next - 1;
}

// RFC 9293 §3.8.6.2.2: an emptied buffer offers min(Fr * RCV.BUFF, Eff.snd.MSS) at least, in
// whatever units that can be told (RFC 7323 §2.3).
TEST(SmallReceiveBuffer, BelowAUnitOfTheScaleOpensItsWindowAgain) {
  for (const std::uint32_t octets : {1u, 200u, 255u, 256u, 257u, 511u, 700u})
    EXPECT_GE(arrived_with_buffer(octets, 8), 50'000u) << octets;
  for (const std::uint32_t octets : {1u, 1000u, 16'384u, 30'000u})
    EXPECT_GE(arrived_with_buffer(octets, 14), 99'999u) << octets;
}

// What cannot be told is no update: the window stays shut until all of the unit has been read, and
// no segment says so in between.
TEST(SmallReceiveBuffer, BelowAUnitOfTheScaleTellsNoUpdateThatWouldSayNothing) {
  Opened peer(
      {.tcp = {.receive_buffer = 1 << 20, .delayed_ack = 0s}, .options = "mss 1460,wscale 7"});
  TcpConfig config = peer.stack().settings(peer.stream()).value();
  config.receive_buffer = 200;
  ASSERT_TRUE(peer.stack().reconfigure(peer.now(), peer.stream(), config));
  std::uint32_t next = 1;
  for (; next + 1000 < 65536; next += 1000) {
    peer.in("P. " + std::to_string(next) + ":" + std::to_string(next + 1000) +
            "(1000) ack 1 win 65535");
    peer.recv();
  }
  peer.in("P. " + std::to_string(next) + ":65536(" + std::to_string(65536 - next) +
          ") ack 1 win 65535");
  peer.forget_output();
  for (int octets = 0; octets < 65535 - static_cast<int>(next); ++octets) {
    peer.recv(1);
    peer.quiet();
  }
  peer.recv(1);
  peer.out(". 1:1(0) ack 65536 win 1");
}

TEST(SmallReceiveBuffer, OffersWhatItHoldsWhenOpening) {
  for (const std::uint32_t octets : {1u, 200u, 2000u}) {
    Peer peer(TcpConfig{.receive_buffer = octets, .window_scale = 14});
    peer.listen();
    peer.in("S 0:0(0) win 65535 <mss 1460,wscale 7>");
    const Sent answer = peer.out("S. 0:0(0) ack 1 <*>");
    EXPECT_LE(8u << *answer.segment->options.window_scale, std::max(octets, 8u));
  }
}

// ---- a window taken back (MUST-34)

// [RFC 9293 MUST-34, SHLD-15] [RFC 7323 2.4-4]
TEST(ShrunkWindow, LetsNothingNewOut) {  // SHLD-15
  Opened peer;
  peer.send(20000);
  peer.out_run(1, 10001);
  peer.in(". 1:1(0) ack 1001 win 3000");  // up to 4001, while 10,001 is in flight
  peer.quiet();
  peer.in(". 1:1(0) ack 9001 win 1000");
  peer.quiet();
  peer.in(". 1:1(0) ack 10001 win 1000");
  peer.out(". 10001:11001(1000) ack 1");
}

// [RFC 9293 SHLD-16] [RFC 7323 2.4-5]
TEST(ShrunkWindow, IsFilledWithRetransmissions) {  // SHLD-16
  Opened peer;
  peer.send(5000);
  peer.out_run(1, 5001, 1000, "P.");
  peer.in(". 1:1(0) ack 1 win 1500");
  peer.after(300ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.quiet();
}

// [RFC 9293 SHLD-16]
TEST(ShrunkWindow, SmallerThanASegmentIsFilledWithRetransmissionsToo) {
  Opened peer;
  peer.send(1000);
  peer.out("P. 1:1001(1000) ack 1");
  peer.in(". 1:1(0) ack 1 win 300");
  peer.after(300ms);
  peer.out(". 1:301(300) ack 1");
  peer.in(". 1:1(0) ack 301 win 300");
  peer.out(". 301:601(300) ack 1");
  peer.in(". 1:1(0) ack 601 win 400");
  peer.out("P. 601:1001(400) ack 1");
}

// [RFC 9293 SHLD-17, MUST-35]
TEST(ShrunkWindow, ToNothingIsProbedAndNeverGivenUpWhileAnswered) {  // MUST-35, SHLD-17
  Opened peer({.tcp = {.r2 = 100s}});
  peer.send(5000);
  peer.out_run(1, 5001, 1000, "P.");
  peer.in(". 1:1(0) ack 1 win 0");
  int probes = 0;
  for (int i = 0; i < 2000; ++i) {
    peer.after(1s);
    while (const auto sent = peer.next()) {
      EXPECT_EQ(sent->segment->payload.size(), 1u);
      EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 0"), Verdict::accepted);
      ++probes;
    }
  }
  EXPECT_GT(probes, 10);
  EXPECT_EQ(peer.state(), State::established);
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out(". 1:1001(1000) ack 1");
}

}  // namespace
}  // namespace estab::script
