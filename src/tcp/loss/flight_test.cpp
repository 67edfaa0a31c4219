// Flight alone: what an acknowledgement does to the sums and the states. What it sends on the wire
// is in tcp/loss/recovery_test.cpp.

#include "tcp/loss/flight.h"

#include <vector>

#include "base/hasher.h"
#include "tcp/testing/half.h"

namespace estab::tcp::loss {
namespace {

struct FlightTest : Surroundings {
  FlightTest() {
    config.congestion_control = CongestionControl::new_reno;
    rtt.on_sample(100ms, config);
    congestion.make_room();
    flight.make_room(64);
  }
  static StreamOffset at(std::int64_t value) { return StreamOffset(value); }
  static OctetRange range(std::int64_t begin, std::int64_t end) { return {at(begin), at(end)}; }
  void send(std::int64_t begin, std::int64_t end) {
    const Turn now_ = turn(later);
    for (std::int64_t from = begin; from < end; from += 1000) {
      flight.on_sent(lend(now_), range(from, from + 1000));
      nxt = std::max(nxt, at(from + 1000));
    }
  }
  Flight::Outcome ack(std::int64_t number, const std::vector<OctetRange>& sacked = {},
                      bool is_duplicate = false) {
    const Turn now_ = turn(later);
    const Flight::Ack answer{
        .number = at(number), .sacked = sacked, .reported = {}, .is_duplicate = is_duplicate};
    const Flight::Outcome outcome = flight.on_ack(lend(now_), answer);
    una = std::max(una, at(number));
    return outcome;
  }
  Flight::Lent lend(const Turn& to) {
    return {to, rtt, congestion, space, una, nxt, 1000, sack, false};
  }

  RttEstimator rtt{config};
  congestion::Controller congestion{CongestionControl::new_reno,
                                    {.mss = 1000, .initial_window_segments = 20}};
  SequenceSpace space;
  StreamOffset una = kFirstOctet, nxt = kFirstOctet;
  Duration later{};
  bool sack = true;
  Flight flight;
};

TEST_F(FlightTest, IsEmptyWhenAllIsAcknowledged) {
  send(1, 5001);
  EXPECT_EQ(flight.in_flight(), 5000u);
  later = 100ms;
  EXPECT_TRUE(ack(5001).restarts_timer);
  EXPECT_EQ(flight.in_flight(), 0u);
  EXPECT_EQ(flight.state(), CaState::open);
}

TEST_F(FlightTest, IsInDisorderWhileSomethingIsSacked) {
  send(1, 5001);
  later = 100ms;
  ack(1, {range(1001, 2001)});
  EXPECT_EQ(flight.state(), CaState::disorder);
  EXPECT_TRUE(timers.runs(Timer::reordering));
  ack(2001);
  EXPECT_EQ(flight.state(), CaState::open);
  EXPECT_FALSE(timers.runs(Timer::reordering));
}

TEST_F(FlightTest, ReducesTheWindowOnceAnEpisode) {
  send(1, 20001);
  later = 100ms;
  ack(1, {range(1001, 4001)});
  EXPECT_EQ(flight.state(), CaState::recovery);
  EXPECT_EQ(congestion.ssthresh(), 10000u);
  ack(1, {range(6001, 9001)});
  EXPECT_EQ(congestion.ssthresh(), 10000u);
  later = 200ms;
  ack(20001);
  EXPECT_EQ(flight.state(), CaState::open);
}

// [RFC 9937 6.2-1]
TEST_F(FlightTest, LetsNothingMoreGoForDuplicatesWithoutSackThanWasSent) {
  sack = false;
  send(1, 5001);
  later = 100ms;
  for (int i = 0; i < 100; ++i) ack(1, {}, true);
  EXPECT_EQ(flight.state(), CaState::recovery);
  EXPECT_LE(flight.room(congestion), 6000);
  EXPECT_EQ(flight.in_flight(), 0u);
}

TEST_F(FlightTest, TakesEverythingForLostAtATimeoutWithoutSack) {
  sack = false;
  send(1, 5001);
  later = 300ms;
  const Turn now_ = turn(later);
  flight.on_timeout(lend(now_), congestion::Repeat::first);
  EXPECT_EQ(flight.in_flight(), 0u);
  EXPECT_EQ(flight.state(), CaState::loss);
  EXPECT_EQ(flight.next_lost(1000), range(1, 1001));
  EXPECT_EQ(flight.reason_of_next_lost(), SendReason::retransmit_timeout);
}

// RFC 8985 §6.3.
TEST_F(FlightTest, LeavesInFlightAtATimeoutWhatWasSentAMomentAgo) {
  send(1, 5001);
  later = 250ms;
  send(5001, 7001);
  later = 300ms;
  ack(1, {range(4001, 5001)});
  later = 330ms;
  const Turn now_ = turn(later);
  flight.on_timeout(lend(now_), congestion::Repeat::first);
  EXPECT_EQ(flight.in_flight(), 2000u);
}

TEST_F(FlightTest, CutsWhatIsTooBigForThePath) {
  send(1, 5001);
  const Turn now_ = turn(later);
  Flight::Lent lent = lend(now_);
  lent.mss = 600;
  flight.on_smaller_segments(lent);
  EXPECT_EQ(flight.reason_of_next_lost(), SendReason::retransmit_smaller);
  EXPECT_EQ(flight.in_flight(), 0u);
  EXPECT_EQ(congestion.congestion_window(), 20000u) << "no sign of congestion (RFC 1191 §6.4)";
}

TEST_F(FlightTest, IsAValue) {
  send(1, 5001);
  later = 100ms;
  ack(1, {range(1001, 4001)});
  Flight copy = flight;
  EXPECT_EQ(copy, flight);
  const auto hash = [](const Flight& value) {
    base::Hasher hasher;
    value.hash_into(hasher, Times::decide);
    return hasher.finish();
  };
  EXPECT_EQ(hash(copy), hash(flight));
  ack(5001);
  EXPECT_NE(copy, flight);
  EXPECT_NE(hash(copy), hash(flight));
}

}  // namespace
}  // namespace estab::tcp::loss
