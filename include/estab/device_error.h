// Why a device could not be opened, or has ceased to work. The text is one line for a person: what,
// why, and what to do next, with the exact command where a right or a driver is missing.
#pragma once

#include <cstdint>
#include <string>

namespace estab {

struct DeviceError {
  enum class Kind : std::uint8_t {
    no_permission,          ///< this user may not make, attach to or configure it
    no_tun_driver,          ///< the kernel has no /dev/net/tun
    busy,                   ///< another program holds it
    name_taken,             ///< there is an interface of that name, but of another kind
    invalid_name,           ///< not a name for an interface
    unsuitable_descriptor,  ///< it does not carry datagrams, or not in the form that was said
    link_gone,              ///< it worked, and now the interface below it is no more
    system,                 ///< the kernel refused for another reason: see system_error
  };
  Kind kind;
  int system_error = 0;  ///< errno, or 0
  std::string what;
};

}  // namespace estab
