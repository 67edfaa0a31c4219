// Every host in the world, over a descriptor: whoever is at the other end may connect to any
// address, and is told by the host it meant that it has arrived; only port 81 is refused
// everywhere. Here the other end is a host in the same process, so the example checks itself.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include <estab/descriptor_device.h>
#include <estab/host.h>
#include <sys/socket.h>

namespace {

// One connection. Until it is accepted or rejected the guest waits, as for a host that is far away.
estab::Task<> answer(estab::Offer offer) {
  if (offer.destination().port == 81) co_return offer.reject(estab::Refusal::reset);
  const std::string text = "this is " + to_string(offer.destination()) + "\n";
  auto stream = co_await std::move(offer).accept();
  if (stream) (void)co_await stream->write_all(estab::as_octets(text));
}  // here the stream is closed

estab::Task<> serve(estab::Host& host, estab::Forwarder forwarder) {
  for (;;) {
    auto offer = co_await forwarder.next();
    if (!offer) co_return;
    host.spawn(answer(std::move(*offer)));
  }
}

estab::Task<std::string> ask(estab::Host& guest, std::string_view where) {
  auto stream = co_await guest.connect(where);
  if (!stream) co_return std::string(message(stream.error())) + "\n";
  std::string text;
  std::array<std::uint8_t, 256> buffer;
  while (auto n = co_await stream->read(buffer))
    text += estab::as_text(estab::Octets(buffer).first(*n));
  co_return text;
}

estab::Task<> visit(estab::Host& guest, bool& all_well) {
  const std::string near = co_await ask(guest, "192.0.2.7:80");
  const std::string far = co_await ask(guest, "203.0.113.99:7");
  const std::string refused = co_await ask(guest, "192.0.2.7:81");
  std::printf("%s%s%s", near.c_str(), far.c_str(), refused.c_str());
  all_well = near == "this is 192.0.2.7:80\n" && far == "this is 203.0.113.99:7\n" &&
             refused.find("refused") != refused.npos;
}

estab::InterfaceId join(estab::Host& host, int descriptor, const char* address) {
  auto link = host.add_device(estab::DescriptorDevice::adopt(descriptor).value());
  host.add_address(link, estab::Cidr::parse(address).value()).value();
  host.add_default_route(link, estab::Family::ipv4).value();
  return link;
}

}  // namespace

int main() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
  estab::Host guest, world;
  join(guest, ends[0], "10.0.2.100/24");
  const auto link = join(world, ends[1], "10.0.2.1/24");
  world.spawn(serve(world, world.forward(link, {.tcp = true}).value()));

  bool all_well = false;
  guest.spawn(visit(guest, all_well));
  while (guest.tasks() > 0) {
    guest.run_once(std::chrono::milliseconds(1));
    world.run_once(std::chrono::milliseconds(1));
  }
  return all_well ? 0 : 1;
}
