#include "tools/options.h"

namespace estab::tools {

void refuse_option(const std::string& option, const std::string& value, const std::string& why) {
  throw CLI::ValidationError(option + " '" + value + "'", why);
}

Read<Cidr> parse_cidr(std::string_view text) {
  auto cidr = Cidr::parse(text);
  if (!cidr)
    return std::unexpected("not an address with a prefix; write it as 10.77.0.2/24 or fd77::2/64");
  return *cidr;
}

Read<IpAddress> parse_address(std::string_view text) {
  auto address = IpAddress::parse(text);
  if (!address)
    return std::unexpected(
        "not an IP address, and names are not resolved; write it as 10.77.0.1 or fd77::1");
  return *address;
}

Read<std::uint16_t> parse_port(std::string_view text) {
  auto port = parse_whole(text, {.what = "a port", .least = 1, .most = 65535});
  if (!port) return std::unexpected(port.error());
  return static_cast<std::uint16_t>(*port);
}

Read<std::uint16_t> parse_mtu(std::string_view text) {
  auto mtu = parse_whole(text, {.what = "an MTU in octets", .least = 68, .most = 65535});
  if (!mtu) return std::unexpected(mtu.error());
  return static_cast<std::uint16_t>(*mtu);
}

Read<std::uint64_t> parse_count(std::string_view text) {
  return parse_whole(text);
}

}  // namespace estab::tools
