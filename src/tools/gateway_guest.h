// A command in namespaces of its own (user, if that needs no right; network; mount), whose only way
// out is a TUN interface of which this process has the other end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "estab/address.h"
#include "estab/device.h"
#include "estab/host.h"

#include "device/file_descriptor.h"

namespace estab::tools {

class Guest {
 public:
  struct Plan {
    std::vector<std::string> command;
    std::vector<Cidr> addresses;             ///< the guest's
    std::optional<IpAddress> name_server{};  ///< what its /etc/resolv.conf is to say
    std::uint16_t mtu = 1500;
  };
  /// Makes the namespaces and the interface; the command waits for begin(). Throws Failure.
  explicit Guest(const Plan& plan);
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  /// Ends the command if it still runs.
  ~Guest();

  /// Our end of its interface; once.
  std::unique_ptr<Device> take_device() { return std::move(device_); }
  void begin();
  void send_signal(int number) const;
  /// Until the command has ended: its exit code, 128 + the signal if one ended it.
  Task<int> wait(Host& host);

 private:
  pid_t pid_ = 0;
  device::FileDescriptor process_;  // a pidfd: readable once it has ended
  device::FileDescriptor control_;  // to the child, until the command begins
  std::unique_ptr<Device> device_;
};

}  // namespace estab::tools
