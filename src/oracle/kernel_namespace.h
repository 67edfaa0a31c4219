// A network namespace with one TUN in it, set up so that the kernel's TCP answers at once and of
// its own accord: no timers of milliseconds, no rate limits, no memory of earlier peers. Law: it is
// made for this process alone and goes with it; nothing outside is touched.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "estab/address.h"

#include "device/file_descriptor.h"

namespace estab::oracle {

struct KernelNamespace {
  device::FileDescriptor tun;  ///< non-blocking, whole datagrams without a header
};

/// Where the kernel's end and the peers are: peers are drawn from the two prefixes.
IpAddress kernel_address(Family family);
IpAddress peer_address(Family family, std::uint32_t number);

/// Moves this process (it must have one thread) into such a namespace. Else the reason it may not.
std::expected<KernelNamespace, std::string> enter_kernel_namespace();

}  // namespace estab::oracle
