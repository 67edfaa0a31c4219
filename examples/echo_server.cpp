// Echoes every connection to port 7, a coroutine for each: `echo_server estab0 10.0.0.2/24`.
#include <estab/host.h>
#include <estab/tun.h>

estab::Task<> echo(estab::TcpStream stream) {
  std::array<std::uint8_t, 16384> buffer;
  while (auto n = co_await stream.read(buffer))
    if (!co_await stream.write_all({buffer.data(), *n})) co_return;
}  // here the stream is closed

estab::Task<> serve(estab::Host& host) {
  auto listener = host.listen(7).value();
  while (auto stream = co_await listener.accept()) host.spawn(echo(std::move(*stream)));
}

int main(int argc, char** argv) {
  estab::Host host;
  auto link = host.add_device(estab::TunDevice::open({.name = argc > 1 ? argv[1] : ""}).value());
  host.add_address(link, estab::Cidr::parse(argc > 2 ? argv[2] : "10.0.0.2/24").value()).value();
  host.spawn(serve(host));
  host.run();
}
