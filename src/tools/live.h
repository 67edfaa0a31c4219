// What every command on a real link has in common: the options that say which link and which
// addresses, and the Host made from them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estab/address.h"
#include "estab/capture.h"
#include "estab/host.h"
#include "estab/tun.h"

#include "tools/ecn_name.h"
#include "tools/exit_code.h"
#include "tools/trace_file.h"

namespace CLI {
class App;
}

namespace estab::tools {

struct LiveOptions {
  std::string tun_name = "estab0";
  std::vector<Cidr> addresses;       ///< the stack's; empty: kDefaultAddresses
  std::vector<Cidr> host_addresses;  ///< the kernel's; empty: kDefaultHostAddresses, if both are
  std::vector<Cidr> routes;          ///< what lies beyond the link; empty: everything
  std::optional<IpAddress> gateway;
  std::optional<std::uint16_t> mtu;
  TunOffloads offloads = TunOffloads::automatic;
  std::string pcap;   ///< empty: no capture
  std::string trace;  ///< empty: none
  std::optional<std::uint64_t> seed;
  std::optional<Duration> msl;  ///< maximum segment lifetime: TIME-WAIT lasts twice this
  CongestionControl congestion_control = CongestionControl::cubic;
  EcnChoice ecn = EcnChoice::unsaid;
  Duration keep_alive = kForever;  ///< a peer that is silent for so long is asked; forever: never
  std::optional<Duration> keep_alive_interval;
  std::optional<std::uint8_t> keep_alive_count;
};

/// Adds `--link --address --host-address --route --gateway --mtu --offload --pcap --trace --seed
/// --msl --cc --ecn --keep-alive --keep-alive-interval --keep-alive-count`.
void add_live_options(CLI::App& command, LiveOptions& options);

/// What is used when no address is given: 10.77.0.2/24 and fd77::2/64 for the stack, 10.77.0.1/24
/// and fd77::1/64 for the kernel.
std::vector<Cidr> default_addresses();
std::vector<Cidr> default_host_addresses();

/// A Host with its link up.
class Live {
 public:
  /// Throws Failure, with ExitCode::missing and the command to run if a privilege is missing.
  explicit Live(const LiveOptions& options);

  Host& host() { return *host_; }
  const std::vector<Cidr>& addresses() const { return addresses_; }
  const std::string& link_name() const { return link_name_; }
  /// What has become of the link, if it is gone: Failure's text. The Host has then been stopped.
  std::optional<std::string> loss();
  /// Null if nothing is captured.
  const std::shared_ptr<CaptureFile>& capture() const { return capture_; }
  /// Null if nothing is traced.
  const std::shared_ptr<TraceFile>& trace() const { return trace_; }

 private:
  std::vector<Cidr> addresses_;
  std::string link_name_;
  std::shared_ptr<CaptureFile> capture_;
  std::shared_ptr<TraceFile> trace_;
  InterfaceId link_;
  std::optional<Host> host_;
};

/// Makes the link, runs the command on it, and takes it down. The command's exit code; not ok if
/// the capture is not complete. A link that is gone meanwhile is a Failure, whatever came of it.
ExitCode on_link(const LiveOptions& options, const std::function<ExitCode(Live&)>& command);

/// `code`, or found_wrong and a line in the log if there is a capture that is not complete.
ExitCode judge_capture(const std::shared_ptr<CaptureFile>& capture, ExitCode code);

/// The exit code that goes with a device that could not be opened.
ExitCode exit_code_of(DeviceError::Kind kind);

}  // namespace estab::tools
