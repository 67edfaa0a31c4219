#include "tools/live.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "tools/congestion_name.h"
#include "tools/console.h"
#include "tools/interrupts.h"
#include "tools/link_plan.h"
#include "tools/options.h"

namespace estab::tools {
namespace {

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
    return std::unexpected("must be more than 0, and at most 1h");
  return msl;
}

Read<Duration> parse_silence(std::string_view text) {
  const Read<Duration> silence = parse_limit(text);
  if (silence && *silence < std::chrono::milliseconds(10))
    return std::unexpected("too small; the least is 10ms");
  return silence;
}

Read<Duration> parse_probe_interval(std::string_view text) {
  const Read<Duration> interval = parse_duration(text);
  if (interval && *interval < std::chrono::milliseconds(10))
    return std::unexpected("too small; the least is 10ms");
  return interval;
}

Read<std::uint8_t> parse_probes(std::string_view text) {
  const auto count = parse_whole(text, {.least = 1, .most = 255});
  if (!count) return std::unexpected(count.error());
  return static_cast<std::uint8_t>(*count);
}

void add_keep_alive_options(CLI::App& command, LiveOptions& options) {
  constexpr const char* kGroup = "Connections";
  add_value(command, "--keep-alive", "DURATION", parse_silence, options.keep_alive,
            "Probe a peer that has been silent for so long (default: none)")
      ->group(kGroup);
  add_value(command, "--keep-alive-interval", "DURATION", parse_probe_interval,
            options.keep_alive_interval,
            "Time between two probes (default: as --keep-alive, 75s at most)")
      ->group(kGroup);
  add_value(command, "--keep-alive-count", "NUMBER", parse_probes, options.keep_alive_count,
            "Unanswered probes that end the connection (default: 9)")
      ->group(kGroup);
}

}  // namespace

void add_live_options(CLI::App& command, LiveOptions& options) {
  constexpr const char* kGroup = "Link";
  auto append = [](std::vector<Cidr>& list) {
    return [&list](Cidr cidr) { list.push_back(cidr); };
  };
  add_value(command, "--link", "tun:NAME", parse_link, options.tun_name,
            "The link; created if it does not exist (default: tun:estab0)")
      ->group(kGroup);
  add_parsed<Cidr>(command, "--address", "CIDR", parse_cidr, append(options.addresses),
                   "An address of the stack; may be repeated "
                   "(default: 10.77.0.2/24 and fd77::2/64)")
      ->group(kGroup);
  add_parsed<Cidr>(command, "--host-address", "CIDR", parse_cidr, append(options.host_addresses),
                   "An address of the kernel's end; may be repeated "
                   "(default, if --address is not given: 10.77.0.1/24 and fd77::1/64)")
      ->group(kGroup);
  add_parsed<Cidr>(command, "--route", "CIDR", parse_cidr, append(options.routes),
                   "A network reached through the link; may be repeated (default: everything)")
      ->group(kGroup);
  add_value(command, "--gateway", "ADDRESS", parse_address, options.gateway,
            "The router for destinations that are not on the link")
      ->group(kGroup);
  add_value(command, "--mtu", "OCTETS", parse_mtu, options.mtu,
            "MTU of the link (default: as it is, or 1500)")
      ->group(kGroup);
  add_value(command, "--offload", "on|off", parse_offload, options.offloads,
            "Segmentation and checksum offload between stack and kernel (default: on)")
      ->group(kGroup);
  command.add_option("--pcap", options.pcap, "Capture every frame into a pcapng file")
      ->type_name("FILE")
      ->group(kGroup);
  add_trace_option(command, options.trace)->group(kGroup);
  add_value(command, "--seed", "NUMBER", parse_count, options.seed,
            "Derive all secrets and random choices from this number (default: random)")
      ->group(kGroup);
  add_value(command, "--msl", "DURATION", parse_msl, options.msl,
            "Maximum segment lifetime; TIME-WAIT lasts twice as long (default: 30s)")
      ->group(kGroup);
  add_value(command, "--cc", "NAME", parse_congestion_control, options.congestion_control,
            "Congestion control: reno, cubic, bbr or dctcp (default: cubic)");
  add_value(command, "--ecn", "off|classic|accurate", parse_ecn, options.ecn,
            "Explicit congestion notification: ask for RFC 3168 or for AccECN (RFC 9768) (default: "
            "answer who asks for AccECN)");
  add_keep_alive_options(command, options);
  command.footer(kSignalHelp);
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
    case DeviceError::Kind::unsuitable_descriptor:
    case DeviceError::Kind::link_gone:
    case DeviceError::Kind::system:
      break;
  }
  return ExitCode::found_wrong;
}

namespace {

// Probes that follow each other are never further apart than the silence that calls for them.
KeepAlive keep_alive_of(const LiveOptions& options) {
  KeepAlive chosen;
  if (options.keep_alive == kForever) return chosen;
  chosen.enabled = true;
  chosen.idle = options.keep_alive;
  chosen.interval = options.keep_alive_interval.value_or(std::min(chosen.interval, chosen.idle));
  chosen.probes = options.keep_alive_count.value_or(chosen.probes);
  return chosen;
}

HostOptions host_options(const LiveOptions& options) {
  HostOptions chosen;
  chosen.stack.tcp.keep_alive = keep_alive_of(options);
  chosen.stack.tcp.congestion_control = options.congestion_control;
  set_ecn(chosen.stack.tcp, options.ecn);
  // Who waits at a terminal is told at once, not after three minutes (RFC 5461 §4.1).
  chosen.stack.tcp.soft_errors_end_opening = true;
  if (options.msl) chosen.stack.msl = *options.msl;
  // The second word keeps seed 0 apart from "no seed".
  if (options.seed) chosen.seed = {*options.seed, 1};
  return chosen;
}

std::vector<Cidr> host_addresses(const LiveOptions& options) {
  const bool chose = !options.addresses.empty() || !options.host_addresses.empty();
  return chose ? options.host_addresses : default_host_addresses();
}

TunOptions tun_options(const LiveOptions& options) {
  return {.name = options.tun_name,
          .host_addresses = host_addresses(options),
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

std::optional<IpAddress> address_of(const sockaddr* socket_address) {
  if (socket_address == nullptr) return std::nullopt;
  if (socket_address->sa_family == AF_INET)
    return IpAddress::v4(
        ntohl(reinterpret_cast<const sockaddr_in*>(socket_address)->sin_addr.s_addr));
  if (socket_address->sa_family != AF_INET6) return std::nullopt;
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in6*>(socket_address)->sin6_addr,
              octets.size());
  return IpAddress::v6(octets);
}

// Of a netmask, which is ones and then zeros.
std::uint8_t ones_of(const IpAddress& mask) {
  int ones = 0;
  for (const std::uint8_t octet : mask.wire_octets()) ones += std::popcount(octet);
  return static_cast<std::uint8_t>(ones);
}

std::vector<Cidr> addresses_of(const std::string& interface) {
  std::vector<Cidr> found;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const auto address = address_of(one->ifa_addr), mask = address_of(one->ifa_netmask);
    if (interface == one->ifa_name && address && mask) found.push_back({*address, ones_of(*mask)});
  }
  freeifaddrs(all);
  return found;
}

// Where the kernel has no way to the stack nothing can come in; easy to forget, hard to see.
void warn_if_unreachable(const std::string& link, const std::vector<Cidr>& stack) {
  const auto lost = unreachable_address(stack, addresses_of(link));
  if (lost)
    log_line(
        fmt::format("the kernel's end of {} has no address on the network of {}: give it one "
                    "with --host-address, or lead it here with `sudo ip route add {} dev {}`",
                    link, to_string(*lost), to_string(*lost), link));
}

// Without its link a command waits for what cannot come, and what it does next may be to wait for
// something else. Connections have failed by themselves.
Task<> stop_without(Host& host, InterfaceId link) {
  static_cast<void>(co_await host.link_down(link));
  while (true) {
    host.stop();
    co_await host.sleep(std::chrono::milliseconds(10));
  }
}

}  // namespace

Live::Live(const LiveOptions& options)
    : addresses_(options.addresses.empty() ? default_addresses() : options.addresses) {
  if (const auto fault = find_fault({addresses_, host_addresses(options), options.gateway}))
    throw Failure(ExitCode::bad_input, *fault);
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
  if (!options.trace.empty()) {
    trace_ = std::make_shared<TraceFile>(options.trace, "estab", host_->now());
    host_->stack().set_observer(&trace_->writer().add_end("estab"));
  }
  link_ = host_->add_device(std::move(device));
  for (const Cidr& address : addresses_)
    require(host_->add_address(link_, address), "--address " + to_string(address));
  add_routes(*host_, link_, options);
  warn_if_unreachable(link_name_, addresses_);
  host_->spawn(stop_without(*host_, link_), TaskKind::background);
}

std::optional<std::string> Live::loss() {
  if (host_->is_up(link_)) return std::nullopt;
  const auto why = host_->device(link_).failure();
  return fmt::format("link tun:{}: {}", link_name_, why ? why->what : "it is gone");
}

ExitCode judge_capture(const std::shared_ptr<CaptureFile>& capture, ExitCode code) {
  if (!capture || !capture->failure()) return code;
  log_line("the capture is not complete: " + capture->failure()->what);
  return code == ExitCode::ok ? ExitCode::found_wrong : code;
}

namespace {

// What was cut off by the loss of the link says so, and not what it made of that.
ExitCode run_on(Live& live, const std::function<ExitCode(Live&)>& command) {
  const auto judge = [&] {
    if (const auto loss = live.loss()) throw Failure(ExitCode::found_wrong, *loss);
  };
  ExitCode code = ExitCode::ok;
  try {
    code = command(live);
  } catch (const Failure&) {
    judge();
    throw;
  }
  judge();
  return code;
}

}  // namespace

ExitCode on_link(const LiveOptions& options, const std::function<ExitCode(Live&)>& command) {
  std::shared_ptr<CaptureFile> capture;
  std::shared_ptr<TraceFile> trace;
  const auto judge = [&](ExitCode code) {
    return judge_capture(capture, trace ? trace->judge(code) : code);
  };
  ExitCode code = ExitCode::ok;
  try {
    Live live(options);
    capture = live.capture();
    trace = live.trace();
    code = run_on(live, command);
  } catch (const Failure&) {
    static_cast<void>(judge(ExitCode::found_wrong));
    throw;
  }
  return judge(code);  // the last frames leave as the link is taken down
}

}  // namespace estab::tools
