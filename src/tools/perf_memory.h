// What `estab perf memory` measures: two stacks in one thread, joined by a memory link, on the real
// clock. Rates are
// per second of this thread's processor time. Every octet is copied in, carried with its checksum,
// copied out and compared.
#pragma once

#include <cstdint>

#include "estab/time.h"

namespace estab::tools {

struct PerfMemoryOptions {
  std::uint16_t mtu = 1500;
  Duration bulk_time = std::chrono::seconds(3);
  std::uint32_t idle_connections = 10'000;
  bool super_segments = false;  ///< and checksums left out, as on a link that offloads both
};

struct PerfMemoryReport {
  double bulk_gbit_s = 0;
  double cycles_per_segment = 0;  ///< of the time-stamp counter, both ends, for each data segment
  double round_trip_ns = 0;       ///< one octet there and one back
  double connections_per_s = 0;  ///< opened, accepted and closed at both ends, beside the idle ones
  double connections_per_s_without_idle = 0;
  std::uint32_t idle_connections = 0;
  double idle_connection_octets = 0;  ///< of one end of one idle connection, all told
  double allocations_per_segment = 0;
  bool verified = true;  ///< every octet read was the octet written
};

PerfMemoryReport measure_memory(const PerfMemoryOptions& options);

/// How often the program has asked for memory so far.
std::uint64_t allocations();

}  // namespace estab::tools
