// Header prediction: the short path and the full one agree. Two stacks, one without the short path,
// are given the same frames, commands and time; every frame they send must be the same.

#include "base/prng.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

struct Pair {
  explicit Pair(Start start) : quick(start), thorough(without_prediction(start)) {}
  static Start without_prediction(Start start) {
    start.tcp.header_prediction = false;
    return start;
  }
  template <class Act>
  void both(Act&& act) {
    act(quick);
    act(thorough);
  }
  void expect_same(std::uint64_t seed) {
    ASSERT_EQ(quick.waiting(), thorough.waiting()) << "seed " << seed << quick.story();
    while (const auto sent = quick.next()) {
      const auto other = thorough.next();
      ASSERT_EQ(sent->octets, other->octets) << "seed " << seed << quick.story();
      acked = sent->segment->ack - quick.remote_isn();
      sent_until = std::max<std::int64_t>(
          sent_until, sent->segment->seq - quick.stack_isn() +
                          static_cast<std::int64_t>(sent->segment->payload.size()));
    }
  }

  Opened quick, thorough;
  std::int64_t acked = 1, sent_until = 1;
};

void play(std::uint64_t seed, const std::string& options) {
  Pair pair({.tcp = {.receive_buffer = 20000}, .options = options});
  base::Prng prng(std::array<std::uint64_t, 2>{seed, 9});
  std::int64_t ack = 1;
  for (int step = 0; step < 300; ++step) {
    const std::uint64_t choice = prng.below(10);
    const std::uint64_t size = prng.below(1200);
    const std::uint64_t jump = prng.below(20) == 0 ? prng.below(3000) : 0;
    if (prng.below(2) == 0) ack += static_cast<std::int64_t>(prng.below(3000));
    ack = std::min(ack, pair.sent_until);
    const auto from = pair.acked + static_cast<std::int64_t>(jump);
    const std::string flags = prng.below(3) == 0 ? "P. " : ". ";
    const std::string segment =
        flags + Opened::range(from, from + static_cast<std::int64_t>(choice < 6 ? size : 0)) +
        " ack " + std::to_string(ack) + " win " + std::to_string(20000 + prng.below(2) * 500);
    const Duration pause = Duration(1ms) * prng.below(60);
    pair.both([&](Opened& peer) {
      peer.in(segment);
      if (choice == 7) peer.send(size * 2);
      if (choice == 8) peer.recv(size * 4);
      if (choice == 9) peer.after(pause);
    });
    ASSERT_NO_FATAL_FAILURE(pair.expect_same(seed));
  }
  EXPECT_GT(pair.quick.stack().counters().of(Verdict::predicted), 20u);
  EXPECT_EQ(pair.thorough.stack().counters().of(Verdict::predicted), 0u);
  EXPECT_EQ(pair.quick.recv(), pair.thorough.recv());
}

TEST(Prediction, LeadsToTheSameSegments) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    play(seed, "mss 1000");
    play(seed, "mss 1012,sackOK,TS val 5 ecr 0,wscale 3");
  }
}

}  // namespace
}  // namespace estab::script
