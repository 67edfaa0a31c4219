// An attacker off the path, who knows the four numbers of a connection's addresses and ports, and
// guesses the rest (RFC 5961), or has kept a segment of long ago (RFC 7323 §5, RFC 1337).
#include <array>

#include "scene.h"

namespace estab::attack {
namespace {

/// A good client in the midst of its transfer.
struct Blind {
  explicit Blind(const SceneOptions& options = {}) : scene(options), good(scene, 2'000'000, 5'000) {
    scene.pass(10ms);
    EXPECT_TRUE(good.connected());
    EXPECT_FALSE(good.done());
    client = scene.client().endpoints(good.stream())->local();
  }
  Verdict inject(TcpFlags flags, std::uint32_t seq, std::uint32_t ack, Octets text = {}) {
    Segment segment;
    segment.seq = SeqNum(seq);
    segment.ack = SeqNum(ack);
    segment.flags = flags;
    segment.window = 1000;
    segment.payload = text;
    segment.options.timestamps = timestamps;
    return scene.inject(forged(client, {kServer, kEcho}, segment));
  }
  /// Of guesses all over the sequence space, a window apart: some must lie inside the window.
  template <class Guess>
  void sweep(Guess&& guess) {
    std::uint64_t since = 0;
    for (std::uint64_t seq = 13; seq < (std::uint64_t{1} << 32); seq += 60'000) {
      guess(static_cast<std::uint32_t>(seq));
      if (++since % 256 == 0) scene.pass(1ms);
    }
  }
  Scene scene;
  GoodClient good;
  Endpoint client;
  std::optional<TcpTimestamps> timestamps{};
};

std::uint64_t of(const Scene& scene, Verdict verdict) {
  return scene.counters().of(verdict);
}

TEST(BlindReset, OfAWholeSweepEndsNothing) {
  Blind blind;
  blind.sweep([&](std::uint32_t seq) { blind.inject(kRst, seq, 0); });
  EXPECT_TRUE(blind.good.finish(60s)) << blind.good.story();
  EXPECT_GT(of(blind.scene, Verdict::reset_challenged), 0u);
  EXPECT_EQ(of(blind.scene, Verdict::reset_accepted), 0u);
  figure(
      "blind RST: 71,583 a window apart, %llu inside the window, none taken, %llu challenge ACKs",
      static_cast<unsigned long long>(of(blind.scene, Verdict::reset_challenged)),
      static_cast<unsigned long long>(blind.scene.counters().challenge_acks_out));
}

TEST(BlindReset, OfAnOpeningNeedsItsInitialNumber) {
  Scene scene;
  scene.loses = [](const Bytes&) { return true; };  // the server's answer is late
  GoodClient good(scene);
  scene.pass(1ms);
  const Endpoint client = scene.client().endpoints(good.stream())->local();
  base::Prng prng(1);
  for (int i = 0; i < 50'000; ++i) {
    Segment reset;
    reset.flags = kRst | kAck;
    reset.ack = SeqNum(static_cast<std::uint32_t>(prng.next()));
    scene.inject_to_client(forged({kServer, kEcho}, client, reset));
    reset.flags = kRst;
    scene.inject_to_client(forged({kServer, kEcho}, client, reset));
  }
  scene.loses = nullptr;
  EXPECT_TRUE(good.finish(10s)) << good.story();
}

TEST(BlindSyn, OfAWholeSweepEndsNothing) {
  Blind blind;
  blind.sweep([&](std::uint32_t seq) { blind.inject(kSyn, seq, 0); });
  EXPECT_TRUE(blind.good.finish(60s)) << blind.good.story();
  EXPECT_GT(of(blind.scene, Verdict::syn_challenged), 0u);
  const auto second = static_cast<std::uint64_t>(blind.good.whole_time() / 1s) + 1;
  EXPECT_LE(blind.scene.counters().challenge_acks_out, 5 * (second + 1));
}

TEST(BlindData, NeedsAnAcknowledgementThatFitsToo) {
  Blind blind;
  // As after a look at the wire: timestamps that pass, so that only the numbers protect.
  blind.timestamps = TcpTimestamps{0x7fffffff, 0};
  const Bytes text(1000, 'X');
  base::Prng prng(2);
  for (int round = 0; round < 3; ++round)
    blind.sweep([&](std::uint32_t seq) {
      blind.inject(kAck, seq, static_cast<std::uint32_t>(prng.next()), text);
    });
  EXPECT_TRUE(blind.good.finish(60s)) << blind.good.story();  // and not an octet of it was an X
  EXPECT_GT(of(blind.scene, Verdict::ack_unacceptable) + of(blind.scene, Verdict::paws), 0u);
  figure("blind data: 214,749 segments, %llu stopped by their ACK, %llu by PAWS, the stream intact",
         static_cast<unsigned long long>(of(blind.scene, Verdict::ack_unacceptable)),
         static_cast<unsigned long long>(of(blind.scene, Verdict::paws)));
}

TEST(BlindAck, BeyondWhatWasSentIsNotTaken) {
  Blind blind;
  base::Prng prng(3);
  blind.sweep(
      [&](std::uint32_t seq) { blind.inject(kAck, seq, static_cast<std::uint32_t>(prng.next())); });
  EXPECT_TRUE(blind.good.finish(60s)) << blind.good.story();
}

// A segment whose number fits by luck, but not its acknowledgement, may not set the timestamp
// against which all the true ones would then look old.
TEST(BlindTimestamp, CannotMakeTheTrueOnesLookOld) {
  Scene scene;
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000,
               Offer{.mss = 1460, .timestamps = TcpTimestamps{1, 0}});
  ASSERT_TRUE(host.open());
  const Bytes text(100, 'a');
  host.send(kPsh, text);
  scene.pass(50ms);
  host.hear();
  const std::uint64_t before = host.octets_heard;
  for (std::uint32_t guess = 1; guess < 2000; ++guess) {
    Segment poison;  // in order, as luck has it; its acknowledgement is a guess
    poison.seq = SeqNum(host.next - 1);
    poison.ack = SeqNum(host.acknowledge + guess * 2'000'003u);
    poison.flags = kAck;
    poison.window = 65535;
    poison.payload = Octets(text).first(2);
    poison.options.timestamps = TcpTimestamps{0x70000000, 0};
    host.send_raw(poison);
  }
  host.send(kPsh, text);
  scene.pass(50ms);
  host.hear();
  EXPECT_EQ(host.octets_heard, before + 100);
}

// CVE-2016-5696: with one limit of challenge ACKs for all connections, an attacker's own connection
// would tell whether a guess about somebody else's was right.
TEST(ChallengeAcks, OfOneConnectionSayNothingOfAnother) {
  const auto answers_left = [](bool provoke_another) {
    Scene scene;
    Mallory victim(scene, IpAddress::v4(10, 9, 9, 8), 4000);
    Mallory attacker(scene, IpAddress::v4(10, 9, 9, 9), 5000);
    scene.pass(1s);
    scene.take_sent();
    for (int i = 0; provoke_another && i < 1000; ++i) {
      Segment guess;
      guess.seq = SeqNum(victim.next + 10);
      guess.flags = kRst;
      victim.send_raw(guess);
    }
    scene.pass(1ms);
    attacker.hear();
    const std::uint64_t before = attacker.segments_heard;
    for (int i = 0; i < 1000; ++i) {
      Segment own;
      own.seq = SeqNum(attacker.next + 10);
      own.flags = kRst;
      attacker.send_raw(own);
      scene.pass(1us);
    }
    attacker.hear();
    return attacker.segments_heard - before;
  };
  const auto alone = answers_left(false), with_another = answers_left(true);
  EXPECT_EQ(alone, with_another);
  EXPECT_EQ(alone, 5u);
}

// ---- segments of long ago

TEST(OldDuplicates, AreKnownByTheirTimestamps) {
  Scene scene;
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000,
               Offer{.mss = 1460, .timestamps = TcpTimestamps{1000, 0}});
  ASSERT_TRUE(host.open());
  GoodClient good(scene);
  const Bytes text(500, 'o');
  for (std::uint32_t age = 1; age < 1000; ++age) {
    Segment old;  // the very number that is expected next, from a wrap of the numbers before
    old.seq = SeqNum(host.next);
    old.ack = SeqNum(host.acknowledge);
    old.flags = kAck;
    old.window = 65535;
    old.payload = text;
    old.options.timestamps = TcpTimestamps{1000 - age, 0};
    host.send_raw(old);
  }
  EXPECT_EQ(of(scene, Verdict::paws), 999u);
  scene.pass(100ms);
  host.hear();
  EXPECT_EQ(host.octets_heard, 0u);  // nothing was echoed
  EXPECT_TRUE(good.finish(5s)) << good.story();
}

// RFC 1337: assassination by RST, by an old SYN, by old data. A RST with exactly the expected
// number is the peer's own, unless no RST is to be believed.
class TimeWait : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(BelievesNoReset, TimeWait, testing::Bool());

TEST_P(TimeWait, IsNotEndedByAnythingOld) {
  const bool believes_no_reset = GetParam();
  SceneOptions options;
  options.server.time_wait_ignores_resets = believes_no_reset;
  Scene scene(options);
  scene.instead_of_echo = [&](StreamId stream) {  // the server closes first, and waits
    (void)scene.server().close(scene.now(), stream);
    return true;
  };
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000);
  scene.pass(10ms);
  host.hear();
  host.send(kFin);
  scene.pass(1ms);
  ASSERT_EQ(scene.server().census().time_wait, 1u);
  base::Prng prng(4);
  for (int i = 0; i < 100'000; ++i) {
    Segment old;
    const std::array<TcpFlags, 4> kinds = {kRst, kRst | kAck, kAck, kFin | kAck};
    old.flags = kinds[static_cast<std::size_t>(i) % 4];
    const bool guesses = i % 2 == 0 || (old.flags.rst() && !believes_no_reset);
    old.seq = SeqNum(host.next + (guesses ? static_cast<std::uint32_t>(prng.next()) : 0));
    old.ack = SeqNum(host.acknowledge);
    host.send_raw(old);
    if (i % 1000 == 0) scene.pass(1us);
  }
  Segment syn;
  syn.flags = kSyn;
  syn.seq = SeqNum(host.next - 100'000);  // older than what the connection had
  host.send_raw(syn);
  EXPECT_EQ(scene.server().census().time_wait, 1u);
  EXPECT_EQ(scene.server().census().syn_cache, 0u);
}

}  // namespace
}  // namespace estab::attack
