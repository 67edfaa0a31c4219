// Bulk: so many flows that send as fast as they may over one simulated path, and what came of it.
// What `estab sim` runs, and a test of a sender as well.
//
//   const sim::BulkReport report = sim::run_bulk({.path = {...}, .octets = 10'000'000, .seed = 7});
//   EXPECT_GT(report.goodput_bit_s, 40e6);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "estab/config.h"
#include "estab/frame_tap.h"
#include "estab/sim/link.h"
#include "estab/trace.h"

namespace estab::sim {

struct BulkConfig {
  LinkConfig path{};                  ///< from the senders to the receivers
  std::optional<LinkConfig> back{};   ///< nothing: as `path`, without its impairments
  std::size_t flows = 1;              ///< at least 1
  std::uint64_t octets = 10'000'000;  ///< of each flow; 0: as many as fit into `limit`
  Duration limit = std::chrono::hours(1);
  Duration apart{0};  ///< each flow begins so much after the one before
  StackConfig sender{}, receiver{};
  std::uint64_t seed = 1;
  FrameTap* tap = nullptr;  ///< sees what the senders send and receive
  /// Asked once for each end, with its name, who is to see its events; none: nobody.
  std::function<Observer&(std::string end)> observer{};
};

struct BulkFlow {
  std::uint64_t octets = 0;  ///< that the receiver has read
  Duration duration{0};      ///< from its SYN to its last octet
  double goodput_bit_s = 0;
  std::uint64_t retransmitted_octets = 0;
  std::uint64_t retransmits = 0;           ///< segments
  std::uint64_t spurious_retransmits = 0;  ///< of which the receiver had every octet already
  std::uint64_t timeouts = 0, recoveries = 0, tail_probes = 0;
  Duration srtt{0}, min_rtt{0};
  std::uint32_t cwnd = 0;
  bool complete = false;  ///< all octets arrived, unchanged
};

struct BulkReport {
  double goodput_bit_s = 0;  ///< all flows, over the time that the slowest took
  Duration duration{0};
  std::uint64_t retransmitted_octets = 0, retransmits = 0, spurious_retransmits = 0;
  std::uint64_t timeouts = 0, recoveries = 0;
  double fairness = 1;  ///< Jain's index of the flows' goodput: 1 is equal, 1/n is one has all
  PipeCounters path{};
  std::vector<BulkFlow> flows{};
  bool complete = false;  ///< every flow is
};

BulkReport run_bulk(const BulkConfig& config);

}  // namespace estab::sim
