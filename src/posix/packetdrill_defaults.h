// What the scripts of packetdrill take for granted of Linux beyond its defaults: their common
// set-up turns Fast Open on, with a key of its own (net.ipv4.tcp_fastopen=0x70403 and
// tcp_fastopen_key).
#pragma once

#include "estab/posix.h"

namespace estab::posix {

inline void assume_packetdrill(Profile profile, StackConfig& config) {
  if (profile != Profile::linux_) return;
  constexpr FastOpenKey kKey = {0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2,
                                0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4};
  config.tcp.fast_open.keys = {kKey};
  config.tcp.quirks.listen_opens_fast = true;
}

}  // namespace estab::posix
