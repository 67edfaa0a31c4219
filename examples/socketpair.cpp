// Two hosts in one process, on a pair of sockets: a Device can be made of any descriptor that keeps
// datagrams apart. The server, on a thread of its own, listens on a port it has not chosen; the
// client asks twice side by side, asks somebody who never answers, and sees its link go away.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include <estab/descriptor_device.h>
#include <estab/host.h>
#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;

// [device]
estab::InterfaceId join(estab::Host& host, int descriptor, std::string_view address) {
  auto device = estab::DescriptorDevice::adopt(descriptor, {.name = "pair", .mtu = 9000});
  const auto link = host.add_device(std::move(device).value());
  host.add_address(link, estab::Cidr::parse(address).value()).value();
  return link;
}
// [device]

estab::Task<> echo(estab::TcpStream stream) {
  std::array<std::uint8_t, 4096> buffer;
  while (const auto length = co_await stream.read(buffer))
    if (!co_await stream.write_all({buffer.data(), *length})) co_return;
}

estab::Task<> serve(estab::Host& host, estab::TcpListener listener) {
  while (auto stream = co_await listener.accept()) host.spawn(echo(std::move(*stream)));
}

estab::Task<std::string> ask(estab::Host& host, estab::Endpoint server, std::string question) {
  auto stream = (co_await host.connect(server)).value();
  (co_await stream.write_all(estab::as_octets(question))).value();
  stream.shutdown().value();
  std::string answer;
  std::array<std::uint8_t, 4096> buffer;
  while (const auto length = co_await stream.read(buffer))
    answer += estab::as_text(estab::Octets(buffer).first(*length));
  co_return answer;
}

// [tasks]
estab::Task<bool> talk(estab::Host& host, estab::Endpoint server, estab::Endpoint nobody) {
  auto first = host.spawn(ask(host, server, "how are you?"));
  auto second = host.spawn(ask(host, server, "and you?"));
  auto both = co_await estab::when_all(first.join(), second.join());
  auto third = co_await host.within(100ms, ask(host, nobody, "is anybody there?"));
  co_return std::get<0>(both) == "how are you?" && std::get<1>(both) == "and you?" &&
      third == std::unexpected(estab::Error::timed_out);
}
// [tasks]

bool run(int server_end, int client_end) {
  estab::Host server, client;
  const auto server_link = join(server, server_end, "10.0.0.1/24");
  const auto client_link = join(client, client_end, "10.0.0.2/24");
  // [listen]
  auto listener = server.listen(0).value();
  const std::uint16_t port = listener.local_endpoint()->port;
  // [listen]
  server.spawn(serve(server, std::move(listener)));
  std::thread thread([&server] { server.run(); });
  const bool good = client
                        .block_on(talk(client, {estab::IpAddress::v4(10, 0, 0, 1), port},
                                       {estab::IpAddress::v4(10, 0, 0, 77), port}))
                        .value();
  server.stop();
  thread.join();

  server.remove_device(server_link).value().reset();
  const auto why = estab::block_on(client.link_down(client_link));
  std::printf("%s; then: %s\n", good ? "both were answered" : "something went wrong",
              why.value().what.c_str());
  return good && !client.is_up(client_link);
}

}  // namespace

int main() {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return 1;
  return run(ends[0], ends[1]) ? 0 : 1;
}
