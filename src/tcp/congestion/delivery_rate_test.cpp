// DeliveryRate: draft-ietf-ccwg-bbr §4.1, by small timelines.

#include "tcp/congestion/delivery_rate.h"

#include <gtest/gtest.h>

#include "tcp/congestion/round.h"

namespace estab::tcp::congestion {
namespace {

using std::chrono::milliseconds;

Instant at(int ms) {
  return Instant(milliseconds(ms));
}

/// A transmission on its way.
struct Sent {
  Instant at;
  DeliverySnapshot snapshot;
};

struct Path {
  DeliveryRate rate;
  std::uint32_t in_flight = 0;

  Sent send(int ms, std::uint32_t octets = 1000) {
    const Sent sent{at(ms), rate.on_sent(at(ms), octets, in_flight)};
    in_flight += octets;
    return sent;
  }
  RateSample ack(int ms, std::initializer_list<Sent> delivered, std::uint32_t octets = 1000,
                 Duration min_rtt = {}) {
    DeliveryRate::Gathering gathering;
    for (const Sent& sent : delivered) {
      rate.on_delivered(gathering, sent.snapshot, sent.at, octets, at(ms));
      in_flight -= octets;
    }
    return rate.finish(gathering, min_rtt);
  }
};

TEST(DeliveryRate, IsWhatOneFlightDeliversInARoundTrip) {
  Path path;
  const Sent first = path.send(0);
  const RateSample sample = path.ack(100, {first});
  EXPECT_TRUE(sample.has_data);
  EXPECT_EQ(sample.delivered, 1000u);
  EXPECT_EQ(sample.interval, milliseconds(100));
  EXPECT_EQ(sample.rate, 10'000u);
  EXPECT_EQ(sample.prior_delivered, 0u);
  EXPECT_EQ(sample.tx_in_flight, 1000u);
}

TEST(DeliveryRate, CountsFromTheLastAckBeforeASegmentWasSent) {
  Path path;
  const Sent first = path.send(0), second = path.send(1);
  path.ack(50, {first});
  const Sent third = path.send(60);
  EXPECT_EQ(path.ack(51, {second}).rate, 2000u * 1000 / 51);
  const RateSample sample = path.ack(110, {third});
  EXPECT_EQ(sample.delivered, 2000u) << "the second and the third came since 50 ms";
  EXPECT_EQ(sample.interval, milliseconds(60));
}

TEST(DeliveryRate, IsNoHigherThanTheRateOfSending) {
  Path path;
  const Sent first = path.send(0), second = path.send(40), third = path.send(80);
  // The ACKs were held back and come at once.
  path.ack(130, {first});
  path.ack(130, {second});
  const Sent fourth = path.send(130);
  path.ack(131, {third});
  const RateSample sample = path.ack(132, {fourth});
  EXPECT_EQ(sample.delivered, 2000u);
  EXPECT_EQ(sample.interval, milliseconds(90)) << "sent from 40 to 130, acknowledged in 2 ms";
}

TEST(DeliveryRate, TakesTheSampleFromWhatWasSentLast) {
  Path path;
  const Sent first = path.send(0), second = path.send(10), third = path.send(20);
  const RateSample sample = path.ack(100, {third, first, second});
  EXPECT_EQ(sample.tx_in_flight, 3000u);
  EXPECT_EQ(sample.delivered, 3000u);
}

TEST(DeliveryRate, BeginsAnewWithNothingInFlight) {
  Path path;
  path.ack(100, {path.send(0)});
  const RateSample sample = path.ack(10'100, {path.send(10'000)});
  EXPECT_EQ(sample.interval, milliseconds(100));
  EXPECT_EQ(sample.delivered, 1000u);
  EXPECT_EQ(sample.prior_delivered, 1000u);
}

TEST(DeliveryRate, GivesNoRateForAnIntervalShorterThanARoundTrip) {
  Path path;
  const Sent sent = path.send(0);
  const RateSample sample = path.ack(10, {sent}, 1000, milliseconds(50));
  EXPECT_TRUE(sample.has_data);
  EXPECT_EQ(sample.rate, 0u);
  EXPECT_EQ(path.ack(11, {}).has_data, false);
}

TEST(DeliveryRate, MarksWhatIsSentWithNothingQueuedForARoundTrip) {
  Path path;
  const Sent before = path.send(0);
  path.rate.on_app_limited(path.in_flight);
  const Sent in_bubble = path.send(10);
  EXPECT_FALSE(path.ack(100, {before}).app_limited);
  const Sent still = path.send(100);
  EXPECT_TRUE(path.rate.is_app_limited());
  EXPECT_TRUE(path.ack(110, {in_bubble}).app_limited);
  EXPECT_FALSE(path.rate.is_app_limited());
  const Sent after = path.send(110);
  EXPECT_TRUE(path.ack(200, {still}).app_limited);
  EXPECT_FALSE(path.ack(210, {after}).app_limited);
}

TEST(DeliveryRate, TellsWhatWasLostSinceASegmentWasSent) {
  Path path;
  const Sent first = path.send(0), second = path.send(1), third = path.send(2);
  const LostPacket lost = path.rate.on_lost(first.snapshot, 1000, at(100));
  EXPECT_EQ(lost.lost, 1000u);
  EXPECT_EQ(lost.tx_in_flight, 1000u);
  EXPECT_EQ(path.rate.on_lost(second.snapshot, 1000, at(100)).lost, 2000u);
  EXPECT_EQ(path.rate.lost(), 2000u);
  EXPECT_EQ(path.ack(101, {third}).lost, 2000u);
  EXPECT_EQ(path.ack(200, {path.send(150)}).lost, 0u) << "sent after those were lost";
}

TEST(DeliveryRate, GoesOnPastFourGibioctets) {
  Path path;
  RateSample sample;
  for (int i = 0; i < 5; ++i)
    sample = path.ack(i * 1000 + 500, {path.send(i * 1000, 1u << 30)}, 1u << 30);
  EXPECT_EQ(path.rate.delivered(), 5ull << 30);
  EXPECT_EQ(sample.prior_delivered, 4ull << 30);
  EXPECT_EQ(sample.rate, 2ull << 30);
}

/// Whether an ACK of these ends the round trip.
bool ends(Round& round, Path& path, int ms, std::initializer_list<Sent> delivered) {
  const RateSample sample = path.ack(ms, delivered);
  return round.on_ack(sample, path.rate.delivered()) == RoundTrip::ended;
}

TEST(Round, EndsWhenSomethingSentInItIsDelivered) {
  Path path;
  Round round;
  const Sent first = path.send(0), second = path.send(1);
  EXPECT_TRUE(ends(round, path, 60, {first}));
  const Sent third = path.send(61);
  EXPECT_FALSE(ends(round, path, 62, {second})) << "sent before it began";
  EXPECT_FALSE(ends(round, path, 63, {})) << "nothing delivered";
  EXPECT_TRUE(ends(round, path, 120, {third}));
}

TEST(Round, CanBeginAnew) {
  Path path;
  Round round;
  const Sent first = path.send(0), second = path.send(1);
  ends(round, path, 60, {first});
  const Sent third = path.send(61);
  path.ack(62, {second});
  round.start(path.rate.delivered());
  EXPECT_FALSE(ends(round, path, 120, {third}));
}

}  // namespace
}  // namespace estab::tcp::congestion
