// For tests: two hosts with a connection between them, and the coroutines most tests need.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/test_pair.h"

namespace estab::host::test {

/// Octets that do not repeat.
inline std::vector<std::uint8_t> pattern(std::size_t size, std::uint32_t seed = 1) {
  std::vector<std::uint8_t> octets(size);
  std::mt19937_64 chance(seed);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const std::uint64_t value = chance();
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&value), 8, octets.data() + i);
  }
  for (; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i);
  return octets;
}

/// Reads to the end of the stream.
inline Task<std::string> read_all(TcpStream& stream) {
  std::string all;
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    const auto got = co_await stream.read(buffer);
    if (!got && got.error() == Error::end_of_stream) co_return all;
    if (!got) co_return all + "!" + std::string(name(got.error()));
    all += as_text(Octets(buffer).first(*got));
  }
}

inline Task<> echo(TcpStream stream) {
  std::array<std::uint8_t, 16384> buffer;
  while (const std::size_t n = (co_await stream.read(buffer)).value_or(0))
    if (!co_await stream.write_all({buffer.data(), n})) co_return;
}

inline Task<> serve_echo(Host& host, int connections) {
  auto listener = host.listen(kServer.port).value();
  for (int i = 0; i < connections; ++i) host.spawn(echo((co_await listener.accept()).value()));
}

/// The two ends of one connection.
struct Ends {
  TcpStream client;
  TcpStream server;
};

inline Task<> open_client(Host& host, Ends& ends) {
  ends.client = (co_await host.connect(kServer)).value();
}
inline Task<> open_server(Host& host, Ends& ends) {
  auto listener = host.listen(kServer.port).value();
  ends.server = (co_await listener.accept()).value();
}

/// A pair of hosts with a connection between them.
struct Connected : Pair {
  explicit Connected(HostOptions options = test_options(), std::uint16_t mtu = 1500)
      : Pair(std::move(options), mtu) {
    server.spawn(open_server(server, ends));
    client.spawn(open_client(client, ends));
    run();
  }
  Ends ends;  // after the hosts, as streams must be
};

}  // namespace estab::host::test
