// What every command on a real link has in common: the options that say which link and which
// addresses, and the Host made from them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "estab/address.h"
#include "estab/capture.h"
#include "estab/host.h"
#include "estab/tun.h"

#include "tools/exit_code.h"

namespace estab::tools {

struct LiveOptions {
  std::string tun_name = "estab0";
  std::vector<Cidr> addresses;       ///< the stack's; empty: kDefaultAddresses
  std::vector<Cidr> host_addresses;  ///< the kernel's; empty: kDefaultHostAddresses, if both are
  std::vector<Cidr> routes;          ///< what lies beyond the link; empty: everything
  std::optional<IpAddress> gateway;
  std::optional<std::uint16_t> mtu;
  TunOffloads offloads = TunOffloads::automatic;
  std::string pcap;  ///< empty: no capture
  std::optional<std::uint64_t> seed;
  std::optional<Duration> msl;  ///< maximum segment lifetime: TIME-WAIT lasts twice this
};

/// Adds `--link --address --host-address --route --gateway --mtu --offload --pcap --seed --msl`.
void add_live_options(CLI::App& command, LiveOptions& options);

/// What is used when no address is given: 10.77.0.2/24 and fd77::2/64 for the stack, 10.77.0.1/24
/// and fd77::1/64 for the kernel.
std::vector<Cidr> default_addresses();
std::vector<Cidr> default_host_addresses();

/// A Host with its link up. The capture, if there is one, is complete once this is destroyed.
class Live {
 public:
  /// Throws Failure, with ExitCode::missing and the command to run if a privilege is missing.
  explicit Live(const LiveOptions& options);
  ~Live();

  Host& host() { return *host_; }
  const std::vector<Cidr>& addresses() const { return addresses_; }
  const std::string& link_name() const { return link_name_; }

 private:
  std::vector<Cidr> addresses_;
  std::string link_name_;
  std::shared_ptr<CaptureFile> capture_;
  std::optional<Host> host_;
};

/// The exit code that goes with a device that could not be opened.
ExitCode exit_code_of(DeviceError::Kind kind);

}  // namespace estab::tools
