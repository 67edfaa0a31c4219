// A bad path in real time between two TUN interfaces: what comes out of one goes into the other
// when the path lets it through. Law: it reads whatever waits before it sleeps, and sleeps until
// the next packet is due to the nanosecond the kernel gives.
#pragma once

#include <array>
#include <string>

#include "estab/sim/pipe.h"

#include "device/tun_queue.h"

namespace estab::tools {

/// One way of the path: from the interface that `from` names.
struct ImpairedWay {
  const device::TunQueue& from;
  const device::TunQueue& to;
  sim::Pipe pipe;
  std::uint64_t refused = 0;  ///< packets the other interface did not take
};

enum class ImpairEnd { signal, interface_gone };

/// Carries packets until a signal asks it to end (SIGINT, SIGTERM, SIGHUP; they must be blocked,
/// and `signals` a signalfd of them) or an interface is gone.
ImpairEnd carry(std::array<ImpairedWay, 2>& ways, int signals);

}  // namespace estab::tools
