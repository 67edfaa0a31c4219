// TCP_INFO: struct tcp_info of Linux, filled as far as the stack knows.
#pragma once

#include <cstdint>
#include <vector>

#include "estab/info.h"

namespace estab::posix {

/// What newer kernels have behind the fields that <linux/tcp.h> may know, of AccECN (RFC 9768);
/// each field's name has tcpi_ before it.
struct AccurateEcnInfo {
  std::uint32_t received_ce = 0;
  std::uint32_t delivered_e1_bytes = 0, delivered_e0_bytes = 0, delivered_ce_bytes = 0;
  std::uint32_t received_e1_bytes = 0, received_e0_bytes = 0, received_ce_bytes = 0;
};
/// Where in the structure they begin.
inline constexpr std::size_t kAccurateEcnInfoAt = 248;

/// The octets of the structure. `state` is what Linux would call the socket's.
std::vector<std::uint8_t> linux_tcp_info(const TcpInfo& info, State state);

/// TCP_ESTABLISHED = 1 and so on, as Linux numbers them.
std::uint8_t linux_state(State state);

}  // namespace estab::posix
