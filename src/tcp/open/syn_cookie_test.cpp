// SYN cookies alone: what goes in comes out, for a while, and for nobody else.
#include "tcp/open/syn_cookie.h"

#include <random>

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

class SynCookie : public testing::Test {
 protected:
  HalfOpen record(std::uint16_t mss) const {
    HalfOpen h;
    h.tuple = tuple;
    h.irs = SeqNum(12345);
    h.negotiated.peer_mss = mss;
    return h;
  }
  Segment answer(const HalfOpen& h) const {
    Segment ack;
    ack.flags = kAck;
    ack.seq = h.irs + 1;
    ack.ack = h.iss + 1;
    return ack;
  }
  std::optional<HalfOpen> check(const Segment& ack, Instant now) const {
    return check_cookie(secrets, tuple, ack, config, 1500, now);
  }

  Secrets secrets{{5, 6}};
  FourTuple tuple{IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2), 80, 4000};
  TcpConfig config;
  Instant start{640s};  // an epoch begins here
};

TEST_F(SynCookie, GivesTheRecordBack) {
  HalfOpen h = record(1460);
  make_cookie(h, secrets, start);
  const auto back = check(answer(h), start);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->iss, h.iss);
  EXPECT_EQ(back->irs, h.irs);
  EXPECT_EQ(back->tuple, tuple);
  EXPECT_EQ(back->mss, 1460);
  EXPECT_EQ(back->negotiated, h.negotiated);
}

TEST_F(SynCookie, GivesTheMssBackRoundedDown) {
  const std::vector<std::pair<int, int>> sizes = {
      {48, 48},     {215, 48},    {216, 216},   {535, 216},   {536, 536},
      {1219, 536},  {1220, 1220}, {1359, 1220}, {1360, 1360}, {1440, 1440},
      {1459, 1440}, {1460, 1460}, {8959, 1460}, {8960, 8960}, {65535, 8960}};
  for (const auto& [in, out] : sizes) {
    HalfOpen h = record(static_cast<std::uint16_t>(in));
    make_cookie(h, secrets, start);
    EXPECT_EQ(check(answer(h), start)->negotiated.peer_mss, out) << in;
  }
}

TEST_F(SynCookie, IsGoodForOneToTwoMinutes) {
  HalfOpen h = record(1460);
  make_cookie(h, secrets, start + 63s);  // at the end of its epoch
  EXPECT_TRUE(check(answer(h), start + 127s));
  EXPECT_FALSE(check(answer(h), start + 128s));
  make_cookie(h, secrets, start);  // at its beginning
  EXPECT_TRUE(check(answer(h), start + 127999ms));
  EXPECT_FALSE(check(answer(h), start + 128s));
  EXPECT_FALSE(check(answer(h), start - 1s));
  // Nor when the five bits of the epoch have come round.
  EXPECT_FALSE(check(answer(h), start + 64s * 32));
}

TEST_F(SynCookie, CanBeReadInTheFirstEpoch) {
  HalfOpen h = record(1460);
  make_cookie(h, secrets, Instant(1s));
  EXPECT_TRUE(check(answer(h), Instant(2s)));
}

TEST_F(SynCookie, IsOfThisSynAndThisPairOnly) {
  HalfOpen h = record(1460);
  make_cookie(h, secrets, start);
  Segment ack = answer(h);
  ack.seq = ack.seq + 1;
  EXPECT_FALSE(check(ack, start));
  ack = answer(h);
  ack.ack = ack.ack + 1;
  EXPECT_FALSE(check(ack, start));
  tuple.remote_port = 4001;
  EXPECT_FALSE(check(answer(h), start));
}

TEST_F(SynCookie, IsNotGuessed) {
  std::mt19937 random(7);
  Segment ack;
  ack.flags = kAck;
  for (int i = 0; i < 200000; ++i) {
    ack.seq = SeqNum(random());
    ack.ack = SeqNum(random());
    ASSERT_FALSE(check(ack, start));
  }
}

TEST_F(SynCookie, KeepsTheOptionsInTheTimestampForEveryScale) {
  for (int shift = -1; shift <= 14; ++shift) {
    for (const bool sack : {false, true}) {
      HalfOpen h = record(1460);
      h.negotiated.timestamps = true;
      h.negotiated.sack = sack;
      h.negotiated.window_scale = shift >= 0;
      h.negotiated.send_shift = static_cast<std::uint8_t>(std::max(shift, 0));
      h.negotiated.receive_shift = shift >= 0 ? 12 : 0;
      make_cookie(h, secrets, start);
      for (const std::uint32_t clock : {0u, 63u, 64u, 1000u, 0xffffffffu}) {
        const std::uint32_t stamp = cookie_timestamp(h, clock);
        EXPECT_LE(clock - stamp, 64u + 63u);  // never ahead of the clock
        Segment ack = answer(h);
        ack.options.timestamps = TcpTimestamps{777, stamp};
        const auto back = check(ack, start);
        ASSERT_TRUE(back);
        EXPECT_EQ(back->negotiated, h.negotiated);
        EXPECT_EQ(back->ts_recent, 777u);
      }
    }
  }
}

TEST_F(SynCookie, PromisesWithoutTimestampsOnlyWhatItCanKeep) {
  HalfOpen h = record(1460);
  h.negotiated.sack = h.negotiated.window_scale = true;
  h.negotiated.send_shift = h.negotiated.receive_shift = 7;
  make_cookie(h, secrets, start);
  EXPECT_FALSE(h.negotiated.sack || h.negotiated.window_scale);
  EXPECT_EQ(h.negotiated.send_shift + h.negotiated.receive_shift, 0);
}

// An ACK may claim in its echo what was never offered; it gets no more than the listener allows.
TEST_F(SynCookie, GrantsNothingThatIsSwitchedOff) {
  HalfOpen h = record(1460);
  make_cookie(h, secrets, start);
  Segment ack = answer(h);
  ack.options.timestamps = TcpTimestamps{1, 0x17};
  config.use_sack = config.use_window_scale = false;
  EXPECT_TRUE(check(ack, start)->negotiated.timestamps);
  EXPECT_FALSE(check(ack, start)->negotiated.sack);
  EXPECT_FALSE(check(ack, start)->negotiated.window_scale);
  config.use_timestamps = false;
  EXPECT_FALSE(check(ack, start)->negotiated.timestamps);
}

}  // namespace
}  // namespace estab::tcp
