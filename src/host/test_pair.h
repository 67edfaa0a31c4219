// For tests: two hosts in one process, joined by a pair of sockets that carry a frame a message.
// The kernel's socket buffer gives the link what a real device has: a descriptor, and a limit.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "estab/host.h"

#include "host/descriptor.h"

namespace estab::host::test {

class SocketLink final : public Device {
 public:
  explicit SocketLink(OwnedDescriptor socket, std::uint16_t mtu)
      : socket_(std::move(socket)), mtu_(mtu) {}

  InterfaceConfig interface_config() const override { return {.name = "test", .mtu = mtu_}; }
  int descriptor() const override { return socket_.number(); }
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    std::size_t count = 0;
    for (; count < burst; ++count) {
      Block block = stack.take_block(mtu_);
      const ssize_t length = recv(socket_.number(), block.data(), block.capacity(), MSG_DONTWAIT);
      if (length <= 0) {
        stack.give_block(std::move(block));
        break;
      }
      ReceivedFrame frame;
      frame.octets = Octets(block.data(), static_cast<std::size_t>(length));
      frame.owner = &block;
      stack.handle_frame(now, interface, frame);
      if (block) stack.give_block(std::move(block));
    }
    return count;
  }
  bool ready() const override { return kept_.empty(); }
  bool flush() override {
    if (!kept_.empty() && put(kept_)) kept_.clear();
    return kept_.empty();
  }
  void transmit(Instant, const TransmitFrame& frame) override {
    EXPECT_TRUE(ready()) << "a frame for a device that is full";
    buffer_.resize(frame.size());
    frame.copy_to(buffer_.data());
    if (put(buffer_)) return;
    kept_ = buffer_;
    ++times_full_;
  }
  /// How often a frame found no room and was kept for flush().
  int times_full() const { return times_full_; }

 private:
  bool put(const std::vector<std::uint8_t>& octets) {
    const auto sent =
        send(socket_.number(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent >= 0 || errno != EAGAIN;
  }

  OwnedDescriptor socket_;
  std::uint16_t mtu_;
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> kept_;
  int times_full_ = 0;
};

/// The kernel holds a few frames only.
struct SmallBuffer {};

using SocketLinks = std::array<std::unique_ptr<SocketLink>, 2>;

inline SocketLinks make_link(std::uint16_t mtu) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {std::make_unique<SocketLink>(OwnedDescriptor(ends[0]), mtu),
          std::make_unique<SocketLink>(OwnedDescriptor(ends[1]), mtu)};
}

inline SocketLinks make_link(std::uint16_t mtu, SmallBuffer) {
  SocketLinks links = make_link(mtu);
  const int least = 1;
  for (const auto& link : links)
    EXPECT_EQ(setsockopt(link->descriptor(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
  return links;
}

inline constexpr IpAddress kClientAddress = IpAddress::v4(10, 0, 0, 1);
inline constexpr IpAddress kServerAddress = IpAddress::v4(10, 0, 0, 2);
inline constexpr Endpoint kServer{kServerAddress, 7};

inline HostOptions test_options() {
  HostOptions options;
  options.seed = {1, 2};
  options.stack.msl = std::chrono::milliseconds(10);
  return options;
}

/// A client and a server, not joined yet.
struct Hosts {
  explicit Hosts(const HostOptions& options = test_options()) : client(options), server(options) {}

  static void join(Host& host, std::unique_ptr<Device> device, const IpAddress& address) {
    const InterfaceId interface = host.add_device(std::move(device));
    EXPECT_TRUE(host.add_address(interface, {address, 24}));
  }

  /// Rounds of both, in turn, until `done()`.
  template <class Done>
  void run_until(Done done) {
    while (!done()) round();
  }
  /// Until no spawned task is left on either side.
  void run() {
    run_until([this] { return client.tasks() == 0 && server.tasks() == 0; });
  }
  void round() {
    client.run_once(Duration::zero());
    server.run_once(Duration::zero());
  }

  Host client;
  Host server;
};

/// A client and a server, joined.
struct Pair : Hosts {
  explicit Pair(const HostOptions& options = test_options(), std::uint16_t mtu = 1500)
      : Hosts(options) {
    SocketLinks link = make_link(mtu);
    join(client, std::move(link[0]), kClientAddress);
    join(server, std::move(link[1]), kServerAddress);
  }
};

}  // namespace estab::host::test
