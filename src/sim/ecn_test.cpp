// Marks instead of losses (RFC 3168, RFC 9768): a path that marks from so many waiting packets on,
// and what the controllers of a real sender make of it.

#include <vector>

#include <gtest/gtest.h>

#include "estab/sim/bulk.h"
#include "estab/trace.h"

namespace estab::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRoundTrip = 40ms;

BulkConfig marking(CongestionControl control, Ecn classic, Ecn accurate) {
  BulkConfig config;
  config.path = {.rate_bits_per_second = 50'000'000,
                 .delay = kRoundTrip / 2,
                 .queue = {.packets = 1000, .mark_from = 50}};
  config.octets = 10'000'000;
  config.sender.tcp.congestion_control = control;
  config.sender.tcp.ecn = config.receiver.tcp.ecn = classic;
  config.sender.tcp.accurate_ecn = config.receiver.tcp.accurate_ecn = accurate;
  return config;
}

/// When the window became smaller.
class Reductions final : public Observer {
 public:
  void on_trace(Instant now, const TraceEvent& event) override {
    const auto* changed = std::get_if<CongestionChanged>(&event);
    if (!changed) return;
    if (changed->cwnd < window_) at.push_back(now);
    window_ = changed->cwnd;
  }
  std::vector<Instant> at;

 private:
  std::uint32_t window_ = 0;
};

constexpr CongestionControl kAll[] = {CongestionControl::new_reno, CongestionControl::cubic,
                                      CongestionControl::bbr, CongestionControl::dctcp};

TEST(MarkingPath, LosesNothingWithEitherKindOfFeedback) {
  for (const Ecn accurate : {Ecn::off, Ecn::request}) {
    for (const CongestionControl control : kAll) {
      const BulkReport report = run_bulk(marking(control, Ecn::request, accurate));
      EXPECT_TRUE(report.complete);
      EXPECT_GT(report.path.marked, 0u) << static_cast<int>(control);
      EXPECT_EQ(report.retransmits, 0u) << static_cast<int>(control);
      EXPECT_EQ(report.timeouts, 0u) << static_cast<int>(control);
      EXPECT_GT(report.goodput_bit_s, 30e6) << static_cast<int>(control);
    }
  }
}

TEST(MarkingPath, MarksNothingOfASenderThatDoesNotAsk) {
  const BulkReport report = run_bulk(marking(CongestionControl::cubic, Ecn::off, Ecn::accept));
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.path.marked, 0u);
}

// [RFC 3168 6.1.2-5]
TEST(MarkingPath, ReducesAWindowAtMostOnceARoundTrip) {
  for (const Ecn accurate : {Ecn::off, Ecn::request}) {
    for (const CongestionControl control :
         {CongestionControl::new_reno, CongestionControl::cubic}) {
      BulkConfig config = marking(control, Ecn::request, accurate);
      config.octets = 30'000'000;
      Reductions reductions, acknowledging;
      config.observer = [&](const std::string& end) -> Observer& {
        return end.starts_with("sender") ? reductions : acknowledging;
      };
      EXPECT_TRUE(run_bulk(config).complete);
      ASSERT_GE(reductions.at.size(), 2u);
      for (std::size_t i = 1; i < reductions.at.size(); ++i)
        EXPECT_GT(reductions.at[i] - reductions.at[i - 1], kRoundTrip);
    }
  }
}

}  // namespace
}  // namespace estab::sim
