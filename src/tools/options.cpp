#include "tools/options.h"

#include "tools/http_text.h"

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
        "not an address, and estab has no DNS; write it as 10.77.0.1 or fd77::1");
  return *address;
}

Read<std::uint16_t> parse_port(std::string_view text) {
  auto port = parse_decimal(text);
  if (!port || *port == 0 || *port > 65535)
    return std::unexpected("not a port; write a number from 1 to 65535");
  return static_cast<std::uint16_t>(*port);
}

Read<std::uint16_t> parse_mtu(std::string_view text) {
  auto mtu = parse_decimal(text);
  if (!mtu || *mtu < 68 || *mtu > 65535)
    return std::unexpected("not an MTU; write octets from 68 to 65535 (1280 at least for IPv6)");
  return static_cast<std::uint16_t>(*mtu);
}

Read<std::uint64_t> parse_count(std::string_view text) {
  auto number = parse_decimal(text);
  if (!number) return std::unexpected("not a whole number");
  return *number;
}

}  // namespace estab::tools
