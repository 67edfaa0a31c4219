#include "tools/live.h"

#include <string_view>

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "tools/options.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

// Large enough for a path of 30 Gbit/s and 1 ms.
constexpr std::uint32_t kBuffer = 4 << 20;

Read<std::string> parse_link(std::string_view text) {
  constexpr std::string_view kTun = "tun:";
  if (!text.starts_with(kTun)) return std::unexpected("not a link; write it as tun:estab0");
  std::string_view name = text.substr(kTun.size());
  if (name.empty() || name.size() >= IFNAMSIZ)
    return std::unexpected("the name after tun: must have 1 to 15 characters");
  return std::string(name);
}

Read<TunOffloads> parse_offload(std::string_view text) {
  if (text == "on") return TunOffloads::automatic;
  if (text == "off") return TunOffloads::none;
  return std::unexpected("write on or off");
}

Read<Duration> parse_msl(std::string_view text) {
  constexpr Duration kLongest = std::chrono::hours(1);
  const Read<Duration> msl = parse_duration(text);
  if (msl && (*msl <= Duration{0} || *msl > kLongest))
    return std::unexpected("must be more than nothing, and at most 1h");
  return msl;
}

}  // namespace

void add_live_options(CLI::App& command, LiveOptions& options) {
  constexpr const char* kGroup = "Link";
  auto append = [](std::vector<Cidr>& list) {
    return [&list](Cidr cidr) { list.push_back(cidr); };
  };
  add_value(command, "--link", "tun:NAME", parse_link, options.tun_name,
            "The link; made if it does not exist (default: tun:estab0)")
      ->group(kGroup);
  add_parsed<Cidr>(command, "--address", "CIDR", parse_cidr, append(options.addresses),
                   "An address of the stack's; may be repeated "
                   "(default: 10.77.0.2/24 and fd77::2/64)")
      ->group(kGroup);
  add_parsed<Cidr>(command, "--host-address", "CIDR", parse_cidr, append(options.host_addresses),
                   "An address for the kernel's end; may be repeated "
                   "(default, if --address is not given: 10.77.0.1/24 and fd77::1/64)")
      ->group(kGroup);
  add_parsed<Cidr>(command, "--route", "CIDR", parse_cidr, append(options.routes),
                   "What is reached through the link; may be repeated (default: everything)")
      ->group(kGroup);
  add_value(command, "--gateway", "ADDRESS", parse_address, options.gateway,
            "The router for what is not on the link itself")
      ->group(kGroup);
  add_value(command, "--mtu", "OCTETS", parse_mtu, options.mtu, "Largest datagram on the link")
      ->group(kGroup);
  add_value(command, "--offload", "on|off", parse_offload, options.offloads,
            "Super-segments and unfinished checksums between stack and kernel (default: on)")
      ->group(kGroup);
  command.add_option("--pcap", options.pcap, "Capture every frame into a pcapng file")
      ->type_name("FILE")
      ->group(kGroup);
  add_value(command, "--seed", "NUMBER", parse_count, options.seed,
            "Draw every secret and every chance from this number (default: random)")
      ->group(kGroup);
  add_value(command, "--msl", "DURATION", parse_msl, options.msl,
            "Maximum segment lifetime; TIME-WAIT lasts twice as long (default: 30s)")
      ->group(kGroup);
}

std::vector<Cidr> default_addresses() {
  return {*Cidr::parse("10.77.0.2/24"), *Cidr::parse("fd77::2/64")};
}

std::vector<Cidr> default_host_addresses() {
  return {*Cidr::parse("10.77.0.1/24"), *Cidr::parse("fd77::1/64")};
}

ExitCode exit_code_of(DeviceError::Kind kind) {
  switch (kind) {
    case DeviceError::Kind::no_permission:
    case DeviceError::Kind::no_tun_driver:
      return ExitCode::missing;
    case DeviceError::Kind::name_taken:
    case DeviceError::Kind::invalid_name:
      return ExitCode::bad_input;
    case DeviceError::Kind::busy:
    case DeviceError::Kind::link_gone:
    case DeviceError::Kind::system:
      break;
  }
  return ExitCode::found_wrong;
}

namespace {

HostOptions host_options(const LiveOptions& options) {
  HostOptions chosen;
  chosen.stack.tcp.send_buffer = kBuffer;
  chosen.stack.tcp.receive_buffer = kBuffer;
  if (options.msl) chosen.stack.msl = *options.msl;
  // The second word keeps seed 0 apart from "no seed".
  if (options.seed) chosen.seed = {*options.seed, 1};
  return chosen;
}

TunOptions tun_options(const LiveOptions& options) {
  bool chose_addresses = !options.addresses.empty() || !options.host_addresses.empty();
  return {.name = options.tun_name,
          .host_addresses = chose_addresses ? options.host_addresses : default_host_addresses(),
          .mtu = options.mtu,
          .offloads = options.offloads};
}

template <class T>
void require(const Result<T>& result, const std::string& what) {
  if (!result)
    throw Failure(ExitCode::bad_input, fmt::format("{}: {}", what, message(result.error())));
}

void add_routes(Host& host, InterfaceId link, const LiveOptions& options) {
  std::vector<Cidr> routes = options.routes;
  if (routes.empty()) routes = {{IpAddress::any(Family::ipv4), 0}, {IpAddress(), 0}};
  for (const Cidr& route : routes) {
    bool same_family = options.gateway && options.gateway->family() == route.address.family();
    auto gateway = same_family ? options.gateway : std::nullopt;
    require(host.add_route({route, link, gateway}), "route to " + to_string(route));
  }
}

// Without an address at the kernel's end nothing can come in; easy to forget, hard to see.
void warn_if_bare(const std::string& name, const std::vector<Cidr>& addresses) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return;
  bool bare = true;
  for (ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    bool has_ip = one->ifa_addr != nullptr && one->ifa_addr->sa_family != AF_PACKET;
    auto* v6 = reinterpret_cast<sockaddr_in6*>(one->ifa_addr);
    bool link_local =
        has_ip && v6->sin6_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
    if (name == one->ifa_name && has_ip && !link_local) bare = false;
  }
  freeifaddrs(all);
  if (bare)
    log_line(
        fmt::format("the kernel's end of {} has no address; give it one with --host-address, "
                    "or lead it here with `sudo ip route add {} dev {}`",
                    name, to_string(addresses.front().address), name));
}

}  // namespace

Live::Live(const LiveOptions& options)
    : addresses_(options.addresses.empty() ? default_addresses() : options.addresses) {
  auto tun = TunDevice::open(tun_options(options));
  if (!tun)
    throw Failure(exit_code_of(tun.error().kind),
                  fmt::format("link tun:{}: {}", options.tun_name, tun.error().what));
  link_name_ = (*tun)->name();
  std::unique_ptr<Device> device = std::move(*tun);
  if (!options.pcap.empty()) {
    auto file = CaptureFile::open(options.pcap);
    if (!file) throw Failure(ExitCode::bad_input, "--pcap: " + file.error().what);
    capture_ = *file;
    device = capture_to(std::move(device), sink_to(capture_));
  }
  host_.emplace(host_options(options));
  InterfaceId link = host_->add_device(std::move(device));
  for (const Cidr& address : addresses_)
    require(host_->add_address(link, address), "--address " + to_string(address));
  add_routes(*host_, link, options);
  warn_if_bare(link_name_, addresses_);
}

Live::~Live() {
  host_.reset();
  if (!capture_) return;
  capture_->flush();
  if (capture_->failure()) log_line("the capture is not complete: " + capture_->failure()->what);
}

}  // namespace estab::tools
