// estab gateway: carries what a guest sends over a TUN interface to the hosts it is for, by sockets
// of the kernel's: user networking without any right outside the guest.
#include "gateway/gateway.h"

#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <net/if.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "estab/capture.h"
#include "estab/tun.h"

#include "gateway/socks5.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/gateway_guest.h"
#include "tools/interrupts.h"
#include "tools/live.h"
#include "tools/options.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

/// Where guests are, and what is where in it: as with slirp4netns, and the gateway itself at .1.
struct Network {
  const char* guest;
  const char* gateway;
  const char* host;
  const char* name_server;
};
constexpr Network kNetworks[] = {
    {"10.0.2.100/24", "10.0.2.1/24", "10.0.2.2", "10.0.2.3"},
    {"fd00::64/64", "fd00::1/64", "fd00::2", "fd00::3"},
};

struct GatewayCommand {
  std::string tun;
  bool own_namespace = false;
  bool direct = false;
  std::optional<gateway::Socks5Upstream::Options> socks5;
  std::vector<std::string> command;
  std::optional<IpAddress> dns;
  std::uint32_t max_flows = 4096;
  std::optional<std::uint16_t> mtu;
  std::string pcap;
  bool host_loopback = false;
  std::optional<std::uint64_t> seed;
  ReportFormat format = ReportFormat::text;
};

Read<std::uint32_t> parse_flows(std::string_view text) {
  const auto count = parse_whole(text, {.what = "a number of flows", .least = 1, .most = 1 << 20});
  if (!count) return std::unexpected(count.error());
  return static_cast<std::uint32_t>(*count);
}

/// `[NAME:PASSWORD@]ADDRESS:PORT`
Read<gateway::Socks5Upstream::Options> parse_proxy(std::string_view text) {
  gateway::Socks5Upstream::Options options;
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view login = text.substr(0, at);
    const std::size_t colon = login.find(':');
    if (colon == 0 || colon >= 256 || login.size() - colon < 2 || login.size() - colon > 256)
      return std::unexpected("write the login as NAME:PASSWORD, 1 to 255 octets each");
    options.credentials = {std::string(login.substr(0, colon)),
                           std::string(login.substr(colon + 1))};
    text.remove_prefix(at + 1);
  }
  const auto proxy = Endpoint::parse(text);
  if (!proxy || proxy->port == 0)
    return std::unexpected(
        "not an address with a port, and names are not resolved; write it as 127.0.0.1:1080 or "
        "[::1]:1080");
  options.proxy = *proxy;
  return options;
}

HostOptions host_options(const GatewayCommand& command) {
  HostOptions options;
  options.stack.limits.held_syns = command.max_flows;
  options.stack.limits.forwarded = command.max_flows;
  options.stack.limits.forwarded_per_source = command.max_flows;
  options.stack.limits.datagram_flows = command.max_flows;
  options.stack.limits.datagram_flows_per_source = command.max_flows;
  if (command.seed) options.seed = {*command.seed, 1};
  return options;
}

/// The first name server of the host's, as guests' questions go there.
std::optional<IpAddress> hosts_name_server() {
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, value;
    if (words >> key >> value && key == "nameserver")
      if (const auto address = IpAddress::parse(value)) return address;
  }
  return std::nullopt;
}

gateway::DirectUpstream::Options upstream_options(const GatewayCommand& command,
                                                  const std::string& tun) {
  constexpr std::uint16_t kDomain = 53;
  gateway::DirectUpstream::Options options;
  options.host_loopback = command.host_loopback;
  if (!tun.empty()) options.own_interface = ::if_nametoindex(tun.c_str());
  const auto dns = command.dns ? command.dns : hosts_name_server();
  for (const Network& network : kNetworks) {
    options.guest_networks.push_back(*Cidr::parse(network.guest));
    const IpAddress host = *IpAddress::parse(network.host);
    const IpAddress name_server = *IpAddress::parse(network.name_server);
    if (dns && dns->family() == host.family())
      options.aliases.push_back({{name_server, kDomain}, {*dns, kDomain}});
    const IpAddress loopback = *IpAddress::parse(host.is_v4() ? "127.0.0.1" : "::1");
    if (command.host_loopback) options.aliases.push_back({{host, 0}, {loopback, 0}});
  }
  return options;
}

std::shared_ptr<gateway::Upstream> make_upstream(Host& host, const GatewayCommand& command,
                                                 const std::string& tun) {
  if (!command.socks5)
    return std::make_shared<gateway::DirectUpstream>(host, upstream_options(command, tun));
  auto options = *command.socks5;
  for (const Network& network : kNetworks)
    options.guest_networks.push_back(*Cidr::parse(network.guest));
  return std::make_shared<gateway::Socks5Upstream>(host, std::move(options));
}

// A flow is a descriptor; the limit that the shell gives is meant for other programs.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

std::string describe(const gateway::GatewayCounters& counters) {
  return fmt::format(
      "{} connections ({} now, {} refused, {} reset by the guest, {} by upstream), {} up, {} down; "
      "{} flows of datagrams ({} now), {} up, {} down",
      counters.connections, counters.connections_now, counters.refused, counters.guest_failed,
      counters.upstream_failed, format_size(counters.octets_up), format_size(counters.octets_down),
      counters.flows, counters.flows_now, counters.datagrams.up, counters.datagrams.down);
}

void report(const GatewayCommand& command, const gateway::GatewayCounters& counters,
            const Stack& stack) {
  if (command.format == ReportFormat::text) return log_line(describe(counters));
  const Stack::Census left = stack.census();
  print_json(Channel::error, {{"schema", "estab.gateway/1"},
                              {"connections", counters.connections},
                              {"refused", counters.refused},
                              {"given_up", counters.given_up},
                              {"reset_by_guest", counters.guest_failed},
                              {"reset_by_upstream", counters.upstream_failed},
                              {"octets_up", counters.octets_up},
                              {"octets_down", counters.octets_down},
                              {"datagram_flows", counters.flows},
                              {"datagrams_up", counters.datagrams.up},
                              {"datagrams_down", counters.datagrams.down},
                              {"datagrams_refused", counters.datagrams.refused},
                              {"datagrams_unasked", counters.datagrams.unasked},
                              {"over_limit", stack.counters().offers_refused +
                                                 stack.counters().datagram_flows_refused},
                              {"left",
                               {{"connections", counters.connections_now},
                                {"flows", counters.flows_now},
                                {"streams", left.streams},
                                {"held_syns", left.held_syns}}}});
}

/// A guest's interface, and the guest if it is ours.
struct Link {
  std::unique_ptr<Guest> guest;
  std::unique_ptr<Device> device;
  std::string tun;  // its name, if the kernel that we ask for routes knows it
};

Link make_link(const GatewayCommand& command) {
  constexpr std::uint16_t kMtu = 1500;
  Link link;
  if (command.own_namespace) {
    Guest::Plan plan{.command = command.command, .addresses = {}};
    plan.mtu = command.mtu.value_or(kMtu);
    for (const Network& network : kNetworks) plan.addresses.push_back(*Cidr::parse(network.guest));
    plan.name_server = *IpAddress::parse(kNetworks[0].name_server);
    link.guest = std::make_unique<Guest>(plan);
    link.device = link.guest->take_device();
    return link;
  }
  auto tun = TunDevice::open({.name = command.tun, .mtu = command.mtu});
  if (!tun)
    throw Failure(exit_code_of(tun.error().kind),
                  fmt::format("--tun {}: {}", command.tun, tun.error().what));
  link.tun = (*tun)->name();
  link.device = std::move(*tun);
  return link;
}

InterfaceId attach(Host& host, std::unique_ptr<Device> device) {
  const InterfaceId interface = host.add_device(std::move(device));
  for (const Network& network : kNetworks) {
    const Cidr own = *Cidr::parse(network.gateway);
    const auto added = host.add_address(interface, own);
    if (!added && added.error() != Error::mtu_too_small)
      throw Failure(ExitCode::found_wrong, std::string(message(added.error())));
    static_cast<void>(host.add_default_route(interface, own.address.family()));
  }
  return interface;
}

/// Ends the host when the guest has ended and what it sent has been passed on, at most after a
/// while.
Task<> stop_after(Host& host, Guest& guest, const gateway::Gateway& gateway, int& code) {
  code = co_await guest.wait(host);
  const auto is_busy = [&] {
    return gateway.counters().connections_now > 0 || host.stack().census().streams > 0;
  };
  for (int i = 0; i < 100 && is_busy(); ++i) co_await host.sleep(std::chrono::milliseconds(10));
  host.stop();
}

Task<> stop_without(Host& host, InterfaceId link) {
  static_cast<void>(co_await host.link_down(link));
  host.stop();
}

ExitCode serve(const GatewayCommand& command, Link link,
               const std::shared_ptr<CaptureFile>& capture) {
  Host host(host_options(command));
  if (capture) link.device = capture_to(std::move(link.device), sink_to(capture));
  const InterfaceId interface = attach(host, std::move(link.device));
  auto forwarder = host.forward(interface, {.tcp = true, .udp = true});
  if (!forwarder) throw Failure(ExitCode::found_wrong, std::string(message(forwarder.error())));
  gateway::Gateway gateway(host, make_upstream(host, command, link.tun), std::move(*forwarder));
  int code = 0;
  Interrupts interrupts(host, {.ask =
                                   [&] {
                                     // Ctrl-C the terminal gives the guest too.
                                     if (link.guest && interrupts.signal() != SIGINT)
                                       link.guest->send_signal(SIGTERM);
                                     if (!link.guest) host.stop();
                                   },
                               .insist = [] {},
                               .status = [&] { return describe(gateway.counters()); }});
  if (link.guest) {
    link.guest->begin();
    host.spawn(stop_after(host, *link.guest, gateway, code), TaskKind::background);
  } else {
    host.spawn(stop_without(host, interface), TaskKind::background);
    log_line(fmt::format("guests on link tun:{} reach other hosts now (Ctrl-C to stop)", link.tun));
  }
  host.run();
  if (!link.guest || command.format == ReportFormat::json)
    report(command, gateway.counters(), host.stack());
  if (link.guest) return static_cast<ExitCode>(code);
  if (!host.is_up(interface) && !interrupts.signal())
    throw Failure(ExitCode::found_wrong, fmt::format("link tun:{}: it is gone", link.tun));
  return ExitCode::ok;
}

ExitCode run_gateway(const GatewayCommand& command) {
  if (command.tun.empty() == !command.own_namespace)
    throw Failure(ExitCode::bad_input,
                  "say where the guest is: --tun NAME, or --netns -- COMMAND (see `estab gateway "
                  "--help`)");
  if (command.own_namespace == command.command.empty())
    throw Failure(ExitCode::bad_input,
                  "--netns runs a command, as in `estab gateway --direct --netns -- curl "
                  "http://192.0.2.1/`");
  if (command.direct == command.socks5.has_value())
    throw Failure(ExitCode::bad_input,
                  "say how the guest is to reach other hosts: --direct, by the routes of this "
                  "machine, or --socks5 ADDRESS:PORT, by a proxy");
  raise_descriptor_limit();
  std::shared_ptr<CaptureFile> capture;
  if (!command.pcap.empty()) {
    auto file = CaptureFile::open(command.pcap);
    if (!file) throw Failure(ExitCode::bad_input, "--pcap: " + file.error().what);
    capture = *file;
  }
  const ExitCode code = serve(command, make_link(command), capture);
  return judge_capture(capture, code);
}

void add_gateway(CLI::App& program, ExitCode& exit_code) {
  auto* app = program.add_subcommand(
      "gateway", "Carry what a guest sends over a TUN interface to the hosts it is for");
  auto command = std::make_shared<GatewayCommand>();
  app->add_option("--tun", command->tun,
                  "The interface the guest sends by; made if it is not there")
      ->type_name("NAME");
  app->add_flag("--netns", command->own_namespace,
                "Run COMMAND as the guest, in a network namespace of its own");
  app->add_option("COMMAND", command->command, "With --netns: what to run, behind `--`");
  app->add_flag("--direct", command->direct, "Reach other hosts by the routes of this machine");
  add_value(*app, "--socks5", "[NAME:PASSWORD@]ADDRESS:PORT", parse_proxy, command->socks5,
            "Reach other hosts by a SOCKS5 proxy (TCP only)");
  add_value(*app, "--dns", "ADDRESS", parse_address, command->dns,
            "Where questions to 10.0.2.3 and fd00::3 go (default: as in /etc/resolv.conf)");
  add_value(*app, "--max-flows", "NUMBER", parse_flows, command->max_flows,
            "Most connections, and most flows of datagrams, at a time (default: 4096)");
  app->add_flag("--host-loopback", command->host_loopback,
                "Let the guest reach this machine: its addresses, and 10.0.2.2 and fd00::2 for "
                "127.0.0.1 and ::1");
  add_value(*app, "--mtu", "OCTETS", parse_mtu, command->mtu,
            "MTU of the interface (default: 1500)");
  app->add_option("--pcap", command->pcap, "Capture every frame into a pcapng file")
      ->type_name("FILE");
  add_value(*app, "--seed", "NUMBER", parse_count, command->seed,
            "Derive all secrets and random choices from this number (default: random)");
  add_json_flag(*app, command->format);
  app->footer(kSignalHelp);
  app->callback([command, &exit_code] { exit_code = run_gateway(*command); });
}

const Registration kGateway{{"gateway", Order::live, add_gateway}};

}  // namespace
}  // namespace estab::tools
