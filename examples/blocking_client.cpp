// Sends what stands on the command line to an echo server, and prints what comes back:
//
//   blocking_client estab0 10.0.0.2/24 10.0.0.1:7 hello
//
// One thing at a time, no coroutine: each call returns when it is done.
#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

#include <estab/blocking.h>
#include <estab/tun.h>

using namespace std::chrono_literals;

int complain(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(why.size()), why.data());
  return 1;
}

/// Prints everything up to the end of the stream, from where it lies.
estab::Result<void> print_all(estab::blocking::TcpStream& stream) {
  for (;;) {
    const auto views = stream.peek(10s);
    if (!views) return std::unexpected(views.error());
    if (views->empty()) return {};
    std::size_t octets = 0;
    for (const estab::Octets view : *views) {
      std::fwrite(view.data(), 1, view.size(), stdout);
      octets += view.size();
    }
    if (const auto done = stream.consume(octets); !done) return done;
  }
}

int main(int argc, char** argv) {
  if (argc != 5) return complain("usage", "blocking_client TUN ADDRESS/LENGTH SERVER:PORT TEXT");
  auto device = estab::TunDevice::open({.name = argv[1]});
  if (!device) return complain(argv[1], device.error().what);
  const auto address = estab::Cidr::parse(argv[2]);
  if (!address) return complain(argv[2], "not an address with a prefix length");

  estab::blocking::Host host;
  const estab::InterfaceId link = host.add_device(std::move(*device));
  if (const auto added = host.add_address(link, *address); !added)
    return complain(argv[2], message(added.error()));

  auto stream = host.connect(argv[3], 5s);
  if (!stream) return complain(argv[3], message(stream.error()));
  if (const auto sent = stream->write_all(estab::as_octets(argv[4])); !sent)
    return complain(argv[3], message(sent.error()));
  if (const auto ended = stream->shutdown(); !ended)
    return complain(argv[3], message(ended.error()));
  if (const auto printed = print_all(*stream); !printed)
    return complain(argv[3], message(printed.error()));
  std::puts("");
}
