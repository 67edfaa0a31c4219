#include "packetdrill/settings.h"

#include <charconv>

namespace estab::packetdrill {

namespace {

/// A decimal number, or a hexadecimal one with 0x.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What is wrong with the value, or nothing.
using Complaint = std::string;

Complaint set_ip(Settings& settings, std::string_view value) {
  const auto address = Cidr::parse(value);
  if (!address) return "is no address with a prefix, as in 192.168.0.1/16";
  settings.addresses.push_back(*address);
  return {};
}

Complaint set_gateway(Settings& settings, std::string_view value) {
  const auto address = IpAddress::parse(value);
  if (!address) return "is no address, as in 192.168.0.2";
  settings.gateways.push_back(*address);
  return {};
}

Complaint set_mtu(Settings& settings, std::string_view value) {
  const auto number = parse_number(value);
  if (!number || *number < 68 || *number > 65535) return "is no number from 68 to 65535";
  settings.mtu = static_cast<std::uint16_t>(*number);
  return {};
}

Complaint set_profile(Settings& settings, std::string_view value) {
  if (value == "linux") {
    settings.profile = posix::Profile::linux_;
  } else if (value == "freebsd") {
    settings.profile = posix::Profile::freebsd;
  } else if (value == "rfc") {
    settings.profile = posix::Profile::rfc;
  } else {
    return "is none of linux, freebsd, rfc";
  }
  return {};
}

Complaint set_isn(Settings& settings, std::string_view value) {
  const auto number = parse_number(value);
  if (!number || *number > 0xffffffff) return "is no number of 32 bits";
  settings.isn = static_cast<std::uint32_t>(*number);
  return {};
}

Complaint set_seed(Settings& settings, std::string_view value) {
  const auto number = parse_number(value);
  if (!number) return "is no number of 64 bits";
  settings.seed = *number;
  return {};
}

Complaint set_sockstat(Settings& settings, std::string_view value) {
  if (value.empty()) return "needs the path of a file";
  settings.sockstat = value;
  return {};
}

struct Flag {
  std::string_view name;
  Complaint (*set)(Settings&, std::string_view);
};
constexpr Flag kFlags[] = {
    {"ip", set_ip},   {"gw", set_gateway}, {"mtu", set_mtu},          {"profile", set_profile},
    {"isn", set_isn}, {"seed", set_seed},  {"sockstat", set_sockstat}};

Complaint set_flag(Settings& settings, std::string_view flag) {
  const std::size_t equals = flag.find('=');
  for (const Flag& known : kFlags) {
    if (flag.substr(0, equals) != known.name) continue;
    if (equals == std::string_view::npos)
      return "needs a value, as in " + std::string(flag) + "=...";
    return known.set(settings, flag.substr(equals + 1));
  }
  return "is not known; there are ip, gw, mtu, profile, isn, seed and sockstat";
}

}  // namespace

std::expected<Settings, std::string> parse_settings(std::string_view flags) {
  Settings settings;
  while (!flags.empty()) {
    const std::size_t comma = std::min(flags.find(','), flags.size());
    const std::string_view flag = flags.substr(0, comma);
    flags.remove_prefix(std::min(comma + 1, flags.size()));
    if (flag.empty()) continue;
    const Complaint complaint = set_flag(settings, flag);
    if (!complaint.empty()) return std::unexpected("flag `" + std::string(flag) + "` " + complaint);
  }
  if (settings.addresses.empty())
    settings.addresses = {*Cidr::parse("192.168.0.1/16"), *Cidr::parse("fd3d:0a0b:17d6::1/48")};
  return settings;
}

}  // namespace estab::packetdrill
