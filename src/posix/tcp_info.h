// TCP_INFO: struct tcp_info of Linux, filled as far as the stack knows.
#pragma once

#include <cstdint>
#include <vector>

#include "estab/info.h"

namespace estab::posix {

/// The octets of the structure. `state` is what Linux would call the socket's.
std::vector<std::uint8_t> linux_tcp_info(const TcpInfo& info, State state);

/// TCP_ESTABLISHED = 1 and so on, as Linux numbers them.
std::uint8_t linux_state(State state);

}  // namespace estab::posix
