// A client and a server, the very coroutines that would run on a machine, over a network that loses
// one packet in twenty: in virtual time, without root, the same each time.
#include <array>
#include <cstdio>
#include <string>

#include <estab/sim/world.h>

namespace {

using namespace std::chrono_literals;

/// What is tested: a server that greets whoever says a name,
estab::Task<> greet(estab::Host& host) {
  auto listener = host.listen(7).value();
  while (auto stream = co_await listener.accept()) {
    std::array<std::uint8_t, 64> name;
    const auto got = co_await stream->read(name);
    if (!got) continue;
    const std::string answer = "hello, " + std::string(name.begin(), name.begin() + *got);
    (void)co_await stream->write_all(estab::as_octets(answer));
  }
}

/// and a client that waits two seconds for each answer, and tries again.
estab::Task<> ask(estab::Host& host, estab::Endpoint server, int& answers) {
  for (int i = 0; i < 100; ++i) {
    auto stream = co_await host.connect(server, 5s);
    if (!stream) continue;
    (void)co_await stream->write_all(estab::as_octets("estab"));
    std::array<std::uint8_t, 64> answer;
    const auto got = co_await stream->read(answer).within(2s);
    answers += got && *got == 12;
  }
}

}  // namespace

int main() {
  // [world]
  estab::sim::World world(7);
  estab::Host& server = world.add_host("server");
  estab::Host& client = world.add_host("client");
  world.connect("client", "server",
                {.rate_bits_per_second = 1'000'000, .delay = 80ms, .impairments = {.loss = 0.05}});

  int answers = 0;
  server.spawn(greet(server), estab::TaskKind::background);
  client.spawn(ask(client, {world.address("server"), 7}, answers));
  const bool over = world.run(1h);
  // [world]
  const auto seconds = world.now().time_since_epoch() / 1s;
  std::printf("%d of 100 questions answered in %lld s of virtual time\n", answers,
              static_cast<long long>(seconds));
  return over && answers >= 90 ? 0 : 1;
}
