#include "tools/link_plan.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace estab::tools {
namespace {

constexpr const char* kStack = "--address";
constexpr const char* kKernel = "--host-address";

// The network's own address in IPv4; a prefix of 31 or 32 has none (RFC 3021).
bool is_network_itself(const Cidr& cidr) {
  if (!cidr.address.is_v4() || cidr.prefix_length >= 31) return false;
  const std::uint32_t host_bits = ~std::uint32_t{0} >> cidr.prefix_length;
  return (cidr.address.v4_number() & host_bits) == 0;
}

// Why it cannot be the address of one end of a link; nothing if it can.
std::optional<std::string> why_no_host(const Cidr& cidr) {
  const IpAddress& address = cidr.address;
  if (address.is_unspecified()) return "stands for no host";
  if (address.is_multicast()) return "is a multicast address";
  if (address.is_loopback()) return "is a loopback address, which never crosses a link";
  if (address.is_limited_broadcast() || cidr.is_broadcast(address))
    return "is a broadcast address; leave it to the network";
  if (is_network_itself(cidr))
    return fmt::format("is the network itself; choose an address in it, such as {}/{}",
                       to_string(IpAddress::v4(address.v4_number() + 1)), cidr.prefix_length);
  return std::nullopt;
}

std::optional<std::string> fault_of(const char* option, const std::vector<Cidr>& list) {
  for (const Cidr& cidr : list)
    if (const auto why = why_no_host(cidr))
      return fmt::format("{} '{}': {}", option, to_string(cidr), *why);
  return std::nullopt;
}

bool has_address(const std::vector<Cidr>& list, const IpAddress& address) {
  return std::ranges::find(list, address, &Cidr::address) != list.end();
}

std::optional<std::string> fault_of_gateway(const LinkPlan& plan, const IpAddress& gateway) {
  const auto with = [&](const std::string& why) {
    return fmt::format("--gateway '{}': {}", to_string(gateway), why);
  };
  if (has_address(plan.stack, gateway)) return with("is the stack's own address");
  std::vector<std::string> networks;
  for (const Cidr& cidr : plan.stack) {
    if (cidr.address.family() != gateway.family()) continue;
    if (cidr.contains(gateway)) return std::nullopt;
    networks.push_back(to_string(cidr));
  }
  if (networks.empty())
    return with(fmt::format("the stack has no {} address; give it one with {}",
                            gateway.is_v4() ? "IPv4" : "IPv6", kStack));
  if (!gateway.is_v4() && gateway.is_link_local()) return std::nullopt;
  return with(fmt::format("is not on the link; a router must be on the network of {}",
                          fmt::join(networks, " or ")));
}

}  // namespace

std::optional<std::string> find_fault(const LinkPlan& plan) {
  if (auto fault = fault_of(kStack, plan.stack)) return fault;
  if (auto fault = fault_of(kKernel, plan.kernel)) return fault;
  for (const Cidr& cidr : plan.kernel)
    if (has_address(plan.stack, cidr.address))
      return fmt::format(
          "{} '{}': is the stack's address too; the two ends of the link need one each", kKernel,
          to_string(cidr));
  if (plan.gateway) return fault_of_gateway(plan, *plan.gateway);
  return std::nullopt;
}

std::optional<IpAddress> unreachable_address(const std::vector<Cidr>& stack,
                                             const std::vector<Cidr>& kernel) {
  for (const Cidr& ours : stack)
    for (const Cidr& network : kernel)
      if (network.address.family() == ours.address.family() && network.contains(ours.address))
        return std::nullopt;
  if (stack.empty()) return std::nullopt;
  return stack.front().address;
}

}  // namespace estab::tools
