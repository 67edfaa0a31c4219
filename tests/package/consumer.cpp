// The program of somebody who uses the library: a stack, an interface, a listener, one deadline. It
// is built in three ways, each as a project of its own that knows nothing of this repository's
// build.
#include <cstdio>

#include <estab/stack.h>

int main() {
  estab::Stack stack;
  const estab::InterfaceId interface = stack.add_interface({.name = "link"});
  const auto address = estab::Cidr::parse("192.0.2.1/24");
  if (!address || !stack.add_address(interface, *address)) return 1;

  const estab::ListenOptions options{.local = {.address = address->address, .port = 80}};
  if (const auto listener = stack.listen(options); !listener) {
    std::printf("%s\n", std::string(estab::message(listener.error())).c_str());
    return 1;
  }
  const estab::Stack copy = stack;
  return copy == stack && copy.census().listeners == 1 ? 0 : 1;
}
