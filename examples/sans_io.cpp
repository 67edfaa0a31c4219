// A Stack without a host: no thread, no clock, no socket. Two stacks hand each other frames in
// memory under a clock that this program turns, one asks, the other answers, and after two MSL
// nothing is left of it. The loop around a stack is turn(), below.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <estab/stack.h>

namespace {

using Frames = std::vector<std::vector<std::uint8_t>>;

estab::Stack make_stack(std::uint64_t seed, const estab::IpAddress& address) {
  estab::StackConfig config;
  config.seed = {seed, seed};
  estab::Stack stack(config);
  const estab::InterfaceId link = stack.add_interface({.name = "memory"});
  if (!stack.add_address(link, {address, 24})) std::abort();
  return stack;
}

/// Everything a stack is owed: frames in, time in, events out, frames out.
template <class Application>
Frames turn(estab::Stack& stack, estab::Instant now, const Frames& arrived,
            Application application) {
  for (const auto& octets : arrived) stack.handle_frame(now, {0}, {.octets = octets});
  stack.handle_deadline(now);
  while (auto event = stack.poll_event()) application(*event);
  Frames leaving;
  estab::TransmitFrame frame;
  while (stack.poll_transmit(now, frame)) frame.copy_to(leaving.emplace_back(frame.size()).data());
  return leaving;
}

}  // namespace

int main() {
  const auto server_address = estab::IpAddress::v4(10, 0, 0, 2);
  estab::Stack client = make_stack(1, estab::IpAddress::v4(10, 0, 0, 1));
  estab::Stack server = make_stack(2, server_address);
  estab::Instant now{};

  const auto listener = server.listen({.local = {server_address, 7}}).value();
  const auto asking = client.connect(now, {.remote = {server_address, 7}}).value();
  std::string answer;

  const auto echo = [&](estab::StreamId stream) {
    std::array<std::uint8_t, 100> buffer;
    if (const auto length = server.recv(now, stream, buffer)) {
      static_cast<void>(server.send(now, stream, estab::Octets(buffer).first(*length)));
      static_cast<void>(server.close(now, stream));
    }
  };
  const auto on_server_event = [&](const estab::Event& event) {
    if (std::holds_alternative<estab::AcceptEvent>(event))
      while (const auto stream = server.accept(now, listener)) echo(*stream);
    if (const auto* told = std::get_if<estab::StreamEvent>(&event)) echo(told->stream);
  };
  const auto on_client_event = [&](const estab::Event& event) {
    const auto& stream = std::get<estab::StreamEvent>(event);
    if (stream.connected)
      static_cast<void>(client.send(now, asking, estab::as_octets("how are you?")));
    std::array<std::uint8_t, 100> buffer;
    while (const auto length = client.recv(now, asking, buffer))
      answer += estab::as_text(estab::Octets(buffer).first(*length));
    if (client.at_end(asking)) static_cast<void>(client.close(now, asking));
  };

  Frames to_client, to_server;
  while (now != estab::kNever) {
    to_server = turn(client, now, to_client, on_client_event);
    to_client = turn(server, now, to_server, on_server_event);
    // With frames on their way it is still now; else it is time for whoever waits for a time.
    if (to_client.empty()) now = std::min(client.next_deadline(), server.next_deadline());
  }

  const bool over = client.census().streams == 0 && server.census().streams == 0 &&
                    client.census().time_wait == 0 && server.census().time_wait == 0;
  std::printf("the answer is \"%s\"; %s\n", answer.c_str(),
              over ? "nothing is left of the connection" : "something is left of the connection");
  return over && answer == "how are you?" ? 0 : 1;
}
