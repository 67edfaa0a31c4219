// What a script says before its first event: options, and settings of the kernel.
#include <charconv>

#include <fmt/format.h>

#include "drill/refusal.h"
#include "drill/runner.h"
#include "drill/settings.h"
#include "drill/shell.h"
#include "posix/packetdrill_defaults.h"

namespace estab::drill {
namespace {

// Scripts count on these: the addresses that packetdrill's own suite runs with.
const IpAddress kLocalV4 = IpAddress::v4(192, 168, 0, 1);
const IpAddress kRemoteV4 = IpAddress::v4(192, 0, 2, 1);
const IpAddress kLocalV6 = *IpAddress::parse("fd3d:0a0b:17d6::1");
const IpAddress kRemoteV6 = *IpAddress::parse("fd3d:fa7b:d17d::1");
constexpr std::uint16_t kPort = 8080;
constexpr std::uint8_t kPrefixV4 = 16, kPrefixV6 = 48;

template <class Number>
Number number_in(const std::string& name, const std::string& value) {
  Number number{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size())
    mistake(fmt::format("--{}={}: a number is expected", name, value));
  return number;
}

IpAddress address_in(const std::string& name, const std::string& value) {
  const auto address = IpAddress::parse(value);
  if (!address) mistake(fmt::format("--{}={}: an address is expected", name, value));
  return *address;
}

IpVersion version_in(const std::string& value) {
  if (value == "ipv4") return IpVersion::v4;
  if (value == "ipv6") return IpVersion::v6;
  if (value == "ipv4-mapped-ipv6" || value == "ipv4_mapped_ipv6") return IpVersion::mapped;
  mistake(fmt::format("--ip_version={}: ipv4, ipv6 or ipv4-mapped-ipv6 is expected", value));
}

posix::Profile profile_in(const std::string& value) {
  if (value == "rfc") return posix::Profile::rfc;
  if (value == "linux") return posix::Profile::linux_;
  if (value == "freebsd") return posix::Profile::freebsd;
  mistake(fmt::format("profile {}: rfc, linux or freebsd is expected", value));
}

/// Options of packetdrill that say how it runs, not what the script means.
bool is_of_no_concern(std::string_view name) {
  static constexpr std::string_view kNames[] = {"speed",
                                                "persistent_tun_dev",
                                                "tun_dev",
                                                "gateway_ip",
                                                "netmask_ip",
                                                "non_fatal",
                                                "init_scripts",
                                                "verbose",
                                                "debug",
                                                "code_command",
                                                "code_format",
                                                "code_sockopt",
                                                "wire_client",
                                                "wire_server",
                                                "send_omit_free",
                                                "so_filename",
                                                "so_flags",
                                                "v",
                                                "tcp_ts_ecr_scaled",
                                                "non_fatal_packet",
                                                "use_expect"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

void Runner::set_option(const std::string& name, const std::string& value) {
  if (name == "ip_version") {
    setting_.ip_version = version_in(value);
  } else if (name == "tolerance_usecs") {
    if (!options_.tolerance)
      tolerance_ = std::chrono::microseconds(number_in<std::int64_t>(name, value));
  } else if (name == "mtu") {
    if (!options_.mtu) config_.mtu = number_in<std::uint16_t>(name, value);
  } else if (name == "local_ip") {
    setting_.local.address = address_in(name, value);
  } else if (name == "remote_ip") {
    setting_.remote.address = address_in(name, value);
  } else if (name == "bind_port") {
    setting_.local.port = number_in<std::uint16_t>(name, value);
  } else if (name == "connect_port") {
    setting_.remote.port = number_in<std::uint16_t>(name, value);
  } else if (name == "tcp_ts_tick_usecs") {
    timestamp_tick_us_ = number_in<std::uint32_t>(name, value);
  } else if (name == "dry_run") {
    dry_run_ = true;
  } else if (!is_of_no_concern(name)) {
    note(fmt::format("the option --{} has no meaning here", name));
  }
}

void Runner::read_options() {
  setting_.ip_version = options_.ip_version.value_or(IpVersion::v4);
  config_.mtu = options_.mtu.value_or(config_.mtu);
  for (const auto& [name, value] : script_.options)
    if (name == "ip_version") setting_.ip_version = version_in(value);
  const bool is_v6 = setting_.ip_version == IpVersion::v6;
  setting_.local = {is_v6 ? kLocalV6 : kLocalV4, kPort};
  setting_.remote = {is_v6 ? kRemoteV6 : kRemoteV4, kPort};
  for (const auto& [name, value] : script_.options) set_option(name, value);
}

void Runner::choose_profile() {
  std::optional<posix::Profile> asked_for;
  config_.profile = posix::Profile::linux_;
  const auto look = [&](const ShellStep& step) {
    if (step.kind == ShellStep::Kind::setting && is_freebsd_setting(step.name))
      config_.profile = posix::Profile::freebsd;
    if (step.kind == ShellStep::Kind::profile) asked_for = profile_in(step.value);
  };
  for (const std::vector<ScriptEvent>* events : {&script_.setup, &script_.events})
    for (const ScriptEvent& event : *events)
      if (const auto* command = std::get_if<Command>(&event.action))
        for (const ShellStep& step : read_shell(command->text)) look(step);
  if (asked_for) config_.profile = *asked_for;
  config_.profile = options_.profile.value_or(config_.profile);
  config_.stack = posix::stack_config(config_.profile);
  posix::assume_packetdrill(config_.profile, config_.stack);
  config_.stack.seed = {1, 2};
  config_.stack.quirks.fixed_isn = options_.isn;
}

void Runner::run_setup() {
  for (const ScriptEvent& event : script_.setup) {
    line_ = event.line;
    run_command(std::get<Command>(event.action).text);
  }
}

World& Runner::world() {
  if (!world_) {
    const std::uint8_t prefix = setting_.local.address.is_v4() ? kPrefixV4 : kPrefixV6;
    config_.addresses = {{setting_.local.address, prefix}};
    world_ = std::make_unique<World>(config_);
  }
  return *world_;
}

}  // namespace estab::drill
