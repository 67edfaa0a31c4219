// What --so_flags says: `ip=192.168.0.1/16,gw=192.168.0.2,mtu=1500,profile=linux,isn=N,seed=N,
// sockstat=PATH`, each optional, ip and gw as often as there are addresses.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/address.h"
#include "estab/posix.h"

namespace estab::packetdrill {

struct Settings {
  std::vector<Cidr> addresses;  ///< none given: 192.168.0.1/16 and fd3d:0a0b:17d6::1/48
  std::vector<IpAddress> gateways;
  std::uint16_t mtu = 1500;
  posix::Profile profile = posix::Profile::linux_;
  std::optional<std::uint32_t> isn;  ///< of every connection
  std::uint64_t seed = 1;
  std::string sockstat;  ///< a file that shows the socket table; empty: none
};

/// Otherwise one line that names the flag and what is wrong with it.
std::expected<Settings, std::string> parse_settings(std::string_view flags);

}  // namespace estab::packetdrill
