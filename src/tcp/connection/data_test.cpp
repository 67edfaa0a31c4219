// The octet streams themselves: every octet numbered, once and in order, both ways, whatever the
// network does to segments; buffers and their limits.

#include <algorithm>
#include <array>

#include "base/prng.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

// ---- storage

TEST(Data, FindsItsStorageStillThereAfterAShortPauseAndLetsGoOfItAfterALongOne) {
  Opened peer;
  const auto exchange = [&](int i) {
    peer.send(100);
    peer.out("P. " + Opened::range(1 + i * 100, 101 + i * 100) + " ack 1");
    peer.ack(101 + i * 100);
  };
  exchange(0);
  const std::size_t busy = peer.stack().memory();
  for (int i = 1; i < 50; ++i) {
    peer.after(100ms);
    EXPECT_EQ(peer.stack().memory(), busy);
    exchange(i);
  }
  peer.after(3s);
  EXPECT_LT(peer.stack().memory(), busy);
  EXPECT_EQ(peer.stack().next_deadline(), kNever);
}

// ---- numbers

TEST(Data, TakesOneNumberForEachOctetAndOneForSynAndFinEach) {
  Opened peer;
  peer.send(1);
  peer.out("P. 1:2(1) ack 1");
  peer.in("P. 1:2(1) ack 2 win 65535");
  peer.out(". 2:2(0) ack 2");
  ASSERT_TRUE(peer.shutdown());
  peer.out("F. 2:2(0) ack 2");
  peer.in("F. 2:2(0) ack 3 win 65535");
  peer.out(". 3:3(0) ack 3");
}

TEST(Data, FlowsInBothDirectionsAtOnce) {
  Opened peer;
  for (int i = 0; i < 100; ++i) {
    const std::string here = std::to_string(1 + i * 100), there = std::to_string(1 + i * 50);
    peer.together([&] {
      peer.in("P. " + Opened::range(1 + i * 50, 51 + i * 50) + " ack " + here + " win 65535");
      peer.send(100);
    });
    peer.out("P. " + Opened::range(1 + i * 100, 101 + i * 100) + " ack " +
             std::to_string(51 + i * 50));
  }
  EXPECT_EQ(peer.recv(), 5000u);
}

class Wrap : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Wrap, OfOurNumbersGoesUnnoticed) {
  Opened peer({.isn = GetParam()});
  EXPECT_EQ(peer.stack_isn(), SeqNum(GetParam()));
  for (int i = 0; i < 12; ++i) {
    peer.send(500);
    const auto sent = peer.out("P. " + Opened::range(1 + i * 500, 501 + i * 500) + " ack 1");
    EXPECT_EQ(sent.segment->seq.value(), GetParam() + 1 + static_cast<std::uint32_t>(i) * 500);
    peer.ack(501 + i * 500);
    EXPECT_EQ(peer.info().unacked_bytes, 0u);
  }
  EXPECT_EQ(peer.info().bytes_acked, 6000u);
}

TEST_P(Wrap, OfOurNumbersGoesUnnoticedInARetransmission) {
  Opened peer({.isn = GetParam()});
  peer.send(6000);
  peer.out_run(1, 6001, 1000, "P.");
  peer.acks(3, 1);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(4501);
  peer.out(". 4501:5001(500) ack 1");  // a partial acknowledgement: what is left of the segment
  peer.after(10s);
  peer.out(". 4501:5501(1000) ack 1");
  peer.ack(6001);
  peer.forget_output();
  peer.after(1h);
  peer.quiet();
}

TEST_P(Wrap, OfOurNumbersKeepsOldAcksOld) {
  Opened peer({.isn = GetParam()});
  peer.send(5000);
  peer.forget_output();
  peer.ack(5001);
  EXPECT_EQ(peer.ack(1), Verdict::accepted);
  EXPECT_EQ(peer.ack(5002), Verdict::ack_unacceptable);
  EXPECT_EQ(peer.info().bytes_acked, 5000u);
}

TEST_P(Wrap, OfTheRemotesNumbersGoesUnnoticed) {
  Opened peer({.remote_isn = SeqNum(GetParam())});
  peer.in_run(1, 3001);
  peer.in_run(4001, 6001);  // a gap across the wrap, in one of the cases
  peer.forget_output();
  peer.in_run(3001, 4001);
  peer.out(". 1:1(0) ack 6001");
  EXPECT_EQ(peer.recv(), 6000u);
  EXPECT_EQ(peer.in(". 1:1001(1000) ack 1 win 65535"), Verdict::out_of_window);
  EXPECT_EQ(peer.recv(), 0u);
}

// The wrap falls behind the SYN, inside the first segment, on a border, and inside a later one.
INSTANTIATE_TEST_SUITE_P(Data, Wrap,
                         testing::Values(0xffffffff, 0xfffffffe, 0xfffffe0b, 0xfffffc17, 0xfffff447,
                                         0xfffff060, 0, 0x7fffffff, 0x7ffff000));

// ---- order

// [RFC 9293 SHLD-31]
TEST(Data, ArrivesInOrderFromEveryPermutationOfSegments) {
  std::array<int, 5> order = {0, 1, 2, 3, 4};
  do {
    Opened peer;
    for (const int i : order) peer.in_run(1 + i * 1000, 1001 + i * 1000);
    ASSERT_EQ(peer.recv(), 5000u);
    ASSERT_EQ(peer.info().reord_bytes, 0u);
  } while (std::ranges::next_permutation(order).found);
}

TEST(Data, ArrivesInOrderFromEveryPermutationOfOverlappingSegments) {
  const std::array<const char*, 5> parts = {"1:301(300)", "200:500(300)", "250:260(10)",
                                            "450:901(451)", "800:1001(201)"};
  std::array<std::size_t, 5> order = {0, 1, 2, 3, 4};
  do {
    Opened peer({.remote_isn = SeqNum(0xffffff00)});
    for (const std::size_t i : order) peer.in(std::string(". ") + parts[i] + " ack 1 win 65535");
    ASSERT_EQ(peer.recv(), 1000u);
  } while (std::ranges::next_permutation(order).found);
}

TEST(Data, ArrivesInOrderFromAFinThatOvertakesIt) {
  Opened peer;
  peer.in("F. 1001:2001(1000) ack 1 win 65535");
  EXPECT_FALSE(peer.told().peer_closed);
  peer.in_run(1, 1001);
  EXPECT_TRUE(peer.told().peer_closed);
  EXPECT_EQ(peer.recv(), 2000u);
  EXPECT_TRUE(peer.stack().at_end(peer.stream()));
}

/// The remote sends other octets than the stream's at this place.
void in_forged(Opened& peer, int from, int to) {
  Segment segment;
  segment.source_port = Peer::kRemotePort;
  segment.destination_port = Peer::kLocalPort;
  segment.seq = peer.remote_isn() + static_cast<std::uint32_t>(from);
  segment.ack = peer.stack_isn() + 1;
  segment.flags = kAck;
  segment.window = 65535;
  OctetVector octets(static_cast<std::size_t>(to - from));
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::uint8_t>(
        ~pattern(Stream::from_remote, static_cast<std::uint32_t>(from) + static_cast<unsigned>(i)));
  segment.payload = octets;
  peer.in_octets(peer.datagram(segment));
}

TEST(Data, KeepsTheFirstCopyOfEveryOctet) {
  Opened beyond;
  beyond.in_run(101, 201);
  in_forged(beyond, 101, 201);
  beyond.in_run(1, 101);
  EXPECT_EQ(beyond.recv(), 200u);  // which verifies them
  Opened across;
  across.in_run(101, 201);
  in_forged(across, 101, 151);
  across.in_run(1, 301);  // in order, over what is held: the held octets stay
  EXPECT_EQ(across.recv(), 300u);
}

TEST(Data, KeepsAHeldOctetWhenAnInOrderSegmentBringsAnother) {
  Opened peer;
  peer.in_run(101, 201);
  in_forged(peer, 1, 301);
  OctetVector read(300);
  ASSERT_EQ(peer.stack().recv(peer.now(), peer.stream(), read), 300u);
  const OctetVector first = pattern(Stream::from_remote, 101, 100);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), read.begin() + 100));
  EXPECT_NE(read[99], pattern(Stream::from_remote, 100));
  EXPECT_NE(read[200], pattern(Stream::from_remote, 201));
}

TEST(Data, IsDeliveredOnceHoweverOftenItComes) {
  Opened peer;
  for (int i = 0; i < 5; ++i) {
    peer.in_run(1, 3001);
    peer.in_run(2001, 3501, 500);
  }
  EXPECT_EQ(peer.recv(), 3500u);
  EXPECT_EQ(peer.recv_error(), Error::would_block);
}

TEST(Data, IsTheSameOnTheShortPathAndTheLongOne) {
  for (const bool prediction : {true, false}) {
    Opened peer({.tcp = {.quirks = {.header_prediction = prediction}}});
    EXPECT_EQ(peer.in("P. 1:101(100) ack 1 win 65535"),
              prediction ? Verdict::predicted : Verdict::accepted);
    peer.out(". 1:1(0) ack 101 win 65535");
    peer.send(10);
    peer.out("P. 1:11(10) ack 101");
    EXPECT_EQ(peer.in(". 101:101(0) ack 11 win 65535"),
              prediction ? Verdict::predicted : Verdict::accepted);
    EXPECT_EQ(peer.recv(), 100u);
    EXPECT_EQ(peer.info().unacked_bytes, 0u);
  }
}

// ---- the receiving application

TEST(Data, IsToldOnceAndReadWhenItSuits) {
  Opened peer;
  peer.in_run(1, 1001);
  EXPECT_TRUE(peer.told().readable);
  EXPECT_FALSE(peer.told().readable);
  peer.in_run(1001, 2001);
  EXPECT_TRUE(peer.told().readable);
  EXPECT_EQ(peer.stack().readable(peer.stream()), 2000u);
  EXPECT_EQ(peer.recv(1), 1u);
  EXPECT_EQ(peer.recv(), 1999u);
  EXPECT_EQ(peer.recv_error(), Error::would_block);
}

TEST(Data, CanBeReadInPlace) {
  Opened peer;
  peer.in_run(1, 3001);
  std::array<Octets, 8> views;
  const auto all = [&] {
    OctetVector octets;
    const std::size_t count = peer.stack().peek(peer.stream(), views);
    for (std::size_t i = 0; i < count; ++i)
      octets.insert(octets.end(), views[i].begin(), views[i].end());
    return octets;
  };
  EXPECT_EQ(all(), pattern(Stream::from_remote, 1, 3000));
  ASSERT_TRUE(peer.stack().consume(peer.now(), peer.stream(), 1500));
  EXPECT_EQ(all(), pattern(Stream::from_remote, 1501, 1500));
  EXPECT_EQ(peer.stack().consume(peer.now(), peer.stream(), 1501).error(), Error::invalid_argument);
  ASSERT_TRUE(peer.stack().consume(peer.now(), peer.stream(), 1500));
  EXPECT_EQ(all().size(), 0u);
}

TEST(Data, ConsumedInPlaceOpensTheWindow) {
  Opened peer({.tcp = {.receive_buffer = 1000}});
  peer.in_run(1, 1001);
  peer.out(". 1:1(0) ack 1001 win 0");
  ASSERT_TRUE(peer.stack().consume(peer.now(), peer.stream(), 1000));
  peer.out(". 1:1(0) ack 1001 win 1000");
}

// ---- the sending application

TEST(Data, IsTakenUpToTheSendBufferAndThenRefused) {
  Opened peer({.tcp = {.send_buffer = 5000}, .window = 0});
  EXPECT_EQ(peer.stack().writable(peer.stream()), 5000u);
  EXPECT_EQ(peer.send(3000), 3000u);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 2000u);
  EXPECT_EQ(peer.send(3000), 2000u);
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), as_octets("x")).error(),
            Error::would_block);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
  peer.quiet();
}

TEST(Data, MayBeSentAgainAsSoonAsAQuarterOfTheBufferIsFree) {
  Opened peer({.tcp = {.send_buffer = 4000}});
  EXPECT_EQ(peer.send(5000), 4000u);
  peer.forget_output();
  (void)peer.told();
  peer.ack(1000);
  EXPECT_FALSE(peer.told().writable);
  peer.ack(1001);
  EXPECT_TRUE(peer.told().writable);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 1000u);
  peer.ack(4001);
  EXPECT_FALSE(peer.told().writable) << "nobody waits any more";
}

TEST(Data, FollowsASendBufferThatIsChanged) {
  Opened peer({.tcp = {.send_buffer = 1000}, .window = 0});
  EXPECT_EQ(peer.send(5000), 1000u);
  peer.reconfigure([](TcpConfig& c) { c.send_buffer = 3000; });
  EXPECT_EQ(peer.send(5000), 2000u);
  peer.reconfigure([](TcpConfig& c) { c.send_buffer = 500; });
  EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
}

TEST(Data, OfNoOctetsIsNothing) {
  Opened peer({.tcp = {.send_buffer = 10}, .window = 0});
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), {}), 0u);
  EXPECT_EQ(peer.send(10), 10u);
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), {}), 0u);
  EXPECT_EQ(peer.stack().recv(peer.now(), peer.stream(), {}), 0u);
}

// ---- limits

TEST(Data, BeyondAGapIsHeldInSoManyPiecesAndNoMore) {
  Opened peer({.limits = {.out_of_order_pieces = 4}});
  for (int i = 1; i <= 8; ++i)
    peer.in(". " + Opened::range(i * 10, i * 10 + 1) + " ack 1 win 65535");
  EXPECT_EQ(peer.info().reord_bytes, 4u);
  EXPECT_EQ(peer.stack().counters().out_of_order_refused, 4u);
  peer.in_run(1, 101);  // what was refused comes again
  EXPECT_EQ(peer.recv(), 100u);
}

TEST(Data, BeyondAGapCannotHoldMoreMemoryThanTwoReceiveBuffers) {
  Opened peer({.tcp = {.receive_buffer = 20000}});
  const std::size_t before = peer.stack().memory();
  for (int i = 1; i < 4000; ++i)
    peer.in(". " + Opened::range(i * 5, i * 5 + 1) + " ack 1 win 65535");
  peer.forget_output();
  EXPECT_GT(peer.stack().counters().out_of_order_refused, 3000u);
  EXPECT_LT(peer.stack().memory() - before, 100000u);
}

TEST(Data, InSmallSegmentsHoldsNoLargeBlocks) {
  Opened peer({.tcp = {.receive_buffer = 100000}});
  const std::size_t before = peer.stack().memory();
  peer.in_run(1, 5001, 1);
  EXPECT_LT(peer.stack().memory() - before, 20000u);
  EXPECT_EQ(peer.recv(), 5000u);
}

// ---- everything at once

void survive_chaos(std::uint64_t seed) {
  Opened peer({.tcp = {.receive_buffer = 30000}, .remote_isn = SeqNum(0xffffd000)});
  base::Prng prng(std::array<std::uint64_t, 2>{seed, 3});
  std::int64_t acked = 1;
  std::size_t read = 0;
  for (int step = 0; step < 20000 && read < 50000; ++step) {
    const auto from =
        std::max<std::int64_t>(1, acked - 2000 + static_cast<std::int64_t>(prng.below(12000)));
    const auto to =
        std::min<std::int64_t>(50001, from + 1 + static_cast<std::int64_t>(prng.below(1400)));
    if (from < to) peer.in(". " + Opened::range(from, to) + " ack 1 win 65535");
    if (prng.below(3) == 0) read += peer.recv(prng.below(20000));
    if (prng.below(5) == 0) peer.after(10ms);
    while (const auto sent = peer.next()) acked = sent->segment->ack - peer.remote_isn();
  }
  EXPECT_EQ(read, 50000u) << "seed " << seed;
  EXPECT_EQ(peer.info().reord_bytes, 0u) << "seed " << seed;
}

TEST(Data, SurvivesAnyOrderOverlapAndRepetition) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) survive_chaos(seed);
}

}  // namespace
}  // namespace estab::script
