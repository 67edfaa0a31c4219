// The program of somebody who uses all of the library: devices, the event loop, socket calls. It
// does little; that it can be linked is what it shows.
#include <cstdio>
#include <string>

#include <estab/blocking.h>
#include <estab/posix.h>
#include <estab/tun.h>

int main() {
  const auto device = estab::TunDevice::open({.name = "a name too long for an interface"});
  if (device || device.error().what.empty()) {
    std::puts("no interface can have such a name");
    return 1;
  }
  estab::blocking::Host host;
  if (host.listen(7).value().accept(estab::Duration{1})) {
    std::puts("a connection came from nowhere");
    return 1;
  }
  estab::Stack stack;
  estab::posix::Sockets sockets(stack);
  if (sockets.socket(AF_INET, SOCK_STREAM, 0).value < 0) {
    std::puts("no socket");
    return 1;
  }
  return 0;
}
