// What the Data Receiver of AccECN counts, when it has to say so, and in which form (RFC 9768
// §3.2).

#include "tcp/ecn/reflector.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using Order = AccurateEcnOption::Order;

constexpr std::size_t kRoom = 40;

bool take(Reflector& reflector, IpMark mark, std::uint32_t octets = 1000,
          Unacknowledged unacknowledged = Unacknowledged::none, std::uint16_t segments = 1) {
  return reflector.on_segment({.mark = mark, .segments = segments}, octets, unacknowledged);
}

/// A server's: the mark of a SYN has been told already.
Reflector server() {
  return Reflector(std::nullopt);
}

TcpInfo told(const Reflector& reflector) {
  TcpInfo info;
  reflector.fill(info);
  return info;
}

// [RFC 9768 3.2.2-2, 3.2.2.2-1]
TEST(Reflector, BeginsWithFive) {
  EXPECT_EQ(server().ace(), 5);
}

// [RFC 9768 3.2-1]
TEST(Reflector, CountsEveryPacketWithCeTextOrNot) {
  Reflector reflector = server();
  take(reflector, IpMark::ce);
  take(reflector, IpMark::ce, 0);
  take(reflector, IpMark::ect0);
  EXPECT_EQ(reflector.ace(), 7);
  take(reflector, IpMark::ce);
  EXPECT_EQ(reflector.ace(), 0);
  EXPECT_EQ(told(reflector).received_ce, 3u);
}

TEST(Reflector, CountsTheSegmentsThatADeviceHasMerged) {
  Reflector reflector = server();
  take(reflector, IpMark::ce, 3000, Unacknowledged::none, 3);
  EXPECT_EQ(told(reflector).received_ce, 3u);
}

// [RFC 9768 3.2-2]
TEST(Reflector, CountsOctetsByTheirMark) {
  Reflector reflector = server();
  take(reflector, IpMark::ect0, 100);
  take(reflector, IpMark::ect1, 20);
  take(reflector, IpMark::ce, 3);
  take(reflector, IpMark::not_ect, 4000);
  EXPECT_EQ(told(reflector).received_e0_bytes, 100u);
  EXPECT_EQ(told(reflector).received_e1_bytes, 20u);
  EXPECT_EQ(told(reflector).received_ce_bytes, 3u);
}

// ---- §3.2.2.5.1: when an ACK is due

// [RFC 9768 3.2.2.5.1-1]
TEST(Reflector, SaysAtOnceThatCongestionHasBegun) {
  Reflector reflector = server();
  EXPECT_FALSE(take(reflector, IpMark::ect0));
  EXPECT_TRUE(take(reflector, IpMark::ce));
  reflector.on_sent(WithOption::no);
  EXPECT_FALSE(take(reflector, IpMark::ce)) << "it goes on";
  reflector.on_sent(WithOption::no);
  EXPECT_FALSE(take(reflector, IpMark::not_ect, 0)) << "whatever packet is between";
  EXPECT_TRUE(take(reflector, IpMark::ce));
}

TEST(Reflector, DoesNotSayAtOnceThatAnAckWasMarked) {
  Reflector reflector = server();
  EXPECT_FALSE(take(reflector, IpMark::ce, 0));
}

// [RFC 9768 3.2.2.5.1-2, 3.2.2.5.1-3, 3.2.2.5.1-5]
TEST(Reflector, SaysEverySecondMarkWhileTextWaitsForItsAck) {
  Reflector reflector = server();
  EXPECT_TRUE(take(reflector, IpMark::ce));
  reflector.on_sent(WithOption::no);
  EXPECT_FALSE(take(reflector, IpMark::ce));
  EXPECT_TRUE(take(reflector, IpMark::ce));
  reflector.on_sent(WithOption::no);
  EXPECT_FALSE(take(reflector, IpMark::ce, 0, Unacknowledged::some));
  EXPECT_TRUE(take(reflector, IpMark::ce, 0, Unacknowledged::some));
}

// [RFC 9768 3.2.2.5.1-4]
TEST(Reflector, SaysEveryThirdMarkOfAcks) {
  Reflector reflector = server();
  EXPECT_FALSE(take(reflector, IpMark::ce, 0));
  EXPECT_FALSE(take(reflector, IpMark::ce, 0));
  EXPECT_TRUE(take(reflector, IpMark::ce, 0));
}

// ---- §3.2.2.1: the mark of the SYN-ACK

// [RFC 9768 3.2.2.1-1]
TEST(Reflector, TellsTheMarkOfTheSynAckOnce) {
  Reflector client(IpMark::ect0);
  EXPECT_TRUE(client.reflects());
  EXPECT_EQ(client.take_reflection(), kAe);
  EXPECT_FALSE(client.reflects());
  EXPECT_FALSE(server().reflects());
}

// [RFC 9768 3.2.2.2-4]
TEST(Reflector, CountsAMarkedSynAckOnceHoweverOftenItComes) {
  Reflector client(IpMark::ce);
  EXPECT_EQ(client.ace(), 6);
  EXPECT_EQ(client.take_reflection(), kAe | kCwr);
  client.on_syn_ack(IpMark::ce);
  EXPECT_EQ(client.ace(), 6);
  client.on_syn_ack(IpMark::not_ect);
  EXPECT_EQ(client.take_reflection(), kCwr);
  EXPECT_EQ(client.ace(), 6);
}

// ---- §3.2.3: the option

// [RFC 9768 3.2.3.3-3]
TEST(Reflector, HasAnOptionWhereACounterHasChanged) {
  Reflector reflector = server();
  EXPECT_EQ(reflector.option(kRoom), std::nullopt);
  take(reflector, IpMark::ect0);
  EXPECT_EQ(reflector.option(kRoom), (AccurateEcnOption{Order::e0b_first, 1, 1001, 0, 0}));
  reflector.on_sent(WithOption::yes);
  EXPECT_EQ(reflector.option(kRoom), std::nullopt);
  take(reflector, IpMark::not_ect);
  EXPECT_EQ(reflector.option(kRoom), std::nullopt);
}

// [RFC 9768 3.2.3.3-4]
TEST(Reflector, TellsEveryCounterThatHasEverChanged) {
  Reflector reflector = server();
  take(reflector, IpMark::ce, 10);
  EXPECT_EQ(reflector.option(kRoom), (AccurateEcnOption{Order::e0b_first, 2, 1, 10, 0}));
  reflector.on_sent(WithOption::yes);
  take(reflector, IpMark::ect1, 100);
  EXPECT_EQ(reflector.option(kRoom), (AccurateEcnOption{Order::e1b_first, 2, 0, 10, 101}));
  reflector.on_sent(WithOption::yes);
  take(reflector, IpMark::ect0, 1000);
  EXPECT_EQ(reflector.option(kRoom), (AccurateEcnOption{Order::e0b_first, 3, 1001, 10, 101}));
}

// [RFC 9768 3.2.3.3-5, 3.2.3.3-6]
TEST(Reflector, LeavesOutOfTheOptionOnlyWhatHasNotChanged) {
  Reflector reflector = server();
  take(reflector, IpMark::ect0, 1000);
  take(reflector, IpMark::ect1, 100);
  take(reflector, IpMark::ce, 10);
  EXPECT_TRUE(reflector.option(12));
  EXPECT_EQ(reflector.option(8), std::nullopt) << "all three have";
  reflector.on_sent(WithOption::yes);
  take(reflector, IpMark::ect1, 100);
  EXPECT_EQ(reflector.option(8), (AccurateEcnOption{Order::e1b_first, 1, 0, 0, 201}));
  EXPECT_EQ(reflector.option(4), std::nullopt);
}

TEST(Reflector, TellsWhatAnAckWithoutRoomCouldNot) {
  Reflector reflector = server();
  take(reflector, IpMark::ect0);
  reflector.on_sent(WithOption::no);
  EXPECT_TRUE(reflector.option(kRoom));
}

// [RFC 9768 3.2.3.2.1-4, 3.2.3.2.1-5, 3.2.3-7]
TEST(Reflector, TestsThePathWithTwoOptionsAsAClient) {
  Reflector client(IpMark::not_ect);
  EXPECT_EQ(client.option(kRoom), (AccurateEcnOption{Order::e0b_first, 3, 1, 0, 1}));
  client.on_sent(WithOption::yes);
  EXPECT_TRUE(client.option(kRoom));
  client.on_sent(WithOption::yes);
  EXPECT_EQ(client.option(kRoom), std::nullopt);
}

// [RFC 9768 3.2.3.1-1]
TEST(Reflector, TellsTheLowBitsOfItsCounters) {
  Reflector reflector = server();
  for (int i = 0; i < 17; ++i) take(reflector, IpMark::ect0, 1'000'000);
  EXPECT_EQ(reflector.option(kRoom)->e0b, 17'000'001u - (1u << 24));
}

// [RFC 9768 3.2.3.3-10]
TEST(Reflector, OwesAnAckBeforeAFieldCanWrap) {
  Reflector reflector = server();
  take(reflector, IpMark::ect0, (1 << 22) - 1);
  EXPECT_FALSE(reflector.owes_ack());
  take(reflector, IpMark::ect0, 1);
  EXPECT_TRUE(reflector.owes_ack());
  reflector.on_sent(WithOption::yes);
  EXPECT_FALSE(reflector.owes_ack());
}

}  // namespace
}  // namespace estab::tcp
