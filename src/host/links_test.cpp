// Devices of every kind under a host: without a descriptor, full, lost, many at once.
#include "host/links.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/blocking.h"

#include "host/connected_pair.h"
#include "host/test_wire.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

struct WiredPair : Hosts {
  explicit WiredPair(std::size_t room) : wire(std::make_shared<Wire>(room)) {
    join(client, std::make_unique<WireEnd>(wire, 0), kClientAddress);
    join(server, std::make_unique<WireEnd>(wire, 1), kServerAddress);
  }
  std::shared_ptr<Wire> wire;
};

Task<> send_all(Host& host, Octets octets) {
  TcpStream stream = (co_await host.connect(kServer)).value();
  EXPECT_TRUE(co_await stream.write_all(octets));
}

Task<> receive_all(Host& host, std::vector<std::uint8_t>& into) {
  TcpListener listener = host.listen(kServer.port).value();
  TcpStream stream = (co_await listener.accept()).value();
  std::vector<std::uint8_t> buffer(8192);
  while (const std::size_t n = (co_await stream.read(buffer)).value_or(0))
    into.insert(into.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
}

TEST(Links, CarryFramesOfADeviceThatCannotWakeTheLoop) {
  WiredPair pair(1000);
  const auto sent = pattern(1 << 20);
  std::vector<std::uint8_t> got;
  pair.server.spawn(receive_all(pair.server, got));
  pair.client.spawn(send_all(pair.client, sent));
  pair.run();
  EXPECT_TRUE(got == sent);
  EXPECT_LE(pair.wire->largest_burst, HostOptions{}.burst);
}

TEST(Links, ReadBetweenTheBurstsTheyWrite) {
  WiredPair pair(1000);
  const auto sent = pattern(4 << 20);
  std::vector<std::uint8_t> got;
  pair.server.spawn(receive_all(pair.server, got));
  pair.client.spawn(send_all(pair.client, sent));
  pair.run();
  EXPECT_TRUE(got == sent);
  EXPECT_EQ(pair.wire->most_sent, HostOptions{}.burst) << "there was more to send";
}

/// A kernel's TCP right behind a device: each frame is answered within the write, and the answers
/// wait until they are read.
class AnsweringLink final : public Device {
 public:
  AnsweringLink() : interface_(peer_.add_interface({.name = "peer"})) {
    TcpConfig every_segment;
    every_segment.delayed_ack = 0ms;
    every_segment.receive_buffer = 8 << 20;
    EXPECT_TRUE(peer_.add_address(interface_, {kServerAddress, 24}));
    EXPECT_TRUE(peer_.listen({.local = kServer, .tcp = every_segment}));
  }

  InterfaceConfig interface_config() const override { return {.name = "answers"}; }
  int descriptor() const override { return -1; }
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    sent_since_ = 0;
    std::size_t count = 0;
    for (; count < burst && !waiting_.empty(); ++count) {
      stack.handle_frame(now, interface, {.octets = waiting_.front()});
      waiting_.pop_front();
    }
    return count;
  }
  Instant next_deadline() const override { return waiting_.empty() ? kNever : Instant::min(); }
  bool ready() const override { return true; }
  bool flush() override { return true; }
  void transmit(Instant now, const TransmitFrame& frame) override {
    most_sent_ = std::max(most_sent_, ++sent_since_);
    std::vector<std::uint8_t> octets(frame.size());
    frame.copy_to(octets.data());
    peer_.handle_frame(now, interface_, {.octets = octets});
    TransmitFrame answer;
    while (peer_.poll_transmit(now, answer)) {
      waiting_.emplace_back(answer.size());
      answer.copy_to(waiting_.back().data());
    }
    most_waiting_ = std::max(most_waiting_, waiting_.size());
  }
  /// Without a look at what has come.
  std::size_t most_sent() const { return most_sent_; }
  std::size_t most_waiting() const { return most_waiting_; }

 private:
  Stack peer_;
  InterfaceId interface_;
  std::deque<std::vector<std::uint8_t>> waiting_{};
  std::size_t sent_since_ = 0, most_sent_ = 0, most_waiting_ = 0;
};

struct AnsweredHost {
  AnsweredHost() {
    auto device = std::make_unique<AnsweringLink>();
    link = device.get();
    Hosts::join(host, std::move(device), kClientAddress);
  }
  void expect_no_backlog() const {
    const std::size_t burst = HostOptions{}.burst;
    EXPECT_EQ(link->most_sent(), burst) << "there was more to send";
    EXPECT_LE(link->most_waiting(), burst);
  }
  Host host{test_options()};
  AnsweringLink* link;
};

TEST(Links, KeepUpWithAPeerThatAnswersEveryFrameAtOnce) {
  AnsweredHost one;
  const auto sent = pattern(4 << 20);
  one.host.spawn(send_all(one.host, sent));
  while (one.host.tasks() > 0) one.host.run_once(0ms);
  one.expect_no_backlog();
}

TEST(Links, KeepUpWithItWhileABlockingCallSends) {
  AnsweredHost one;
  const auto sent = pattern(4 << 20);
  constexpr std::size_t kCall = 1 << 16;
  blocking::TcpStream stream(block_on(one.host.connect(kServer)).value());
  for (std::size_t at = 0; at < sent.size(); at += kCall)
    ASSERT_TRUE(stream.write_all(Octets(sent).subspan(at, kCall)));
  one.expect_no_backlog();
}

TEST(Links, WaitUntilAFullDeviceTakesFramesAgain) {
  WiredPair pair(2);
  const auto sent = pattern(1 << 18);
  std::vector<std::uint8_t> got;
  pair.server.spawn(receive_all(pair.server, got));
  pair.client.spawn(send_all(pair.client, sent));
  pair.run();
  EXPECT_TRUE(got == sent);
  EXPECT_GT(pair.wire->times_full, 10);
}

TEST(Links, WaitUntilAFullDescriptorIsWritableAgain) {
  Hosts pair;
  auto link = make_link(1500, SmallBuffer{});
  SocketLink& sending = *link[0];
  pair.join(pair.client, std::move(link[0]), kClientAddress);
  pair.join(pair.server, std::move(link[1]), kServerAddress);
  const auto sent = pattern(1 << 20);
  std::vector<std::uint8_t> got;
  pair.server.spawn(receive_all(pair.server, got));
  pair.client.spawn(send_all(pair.client, sent));
  pair.run();
  EXPECT_TRUE(got == sent);
  EXPECT_GT(sending.times_full(), 10);
}

TEST(Links, AFullDeviceDoesNotKeepTheLoopTurning) {
  Host host(test_options());
  auto link = make_link(1500, SmallBuffer{});
  SocketLink& full = *link[0];
  Hosts::join(host, std::move(link[0]), kClientAddress);
  DatagramSocket socket = host.bind_datagram({kClientAddress, 0}).value();
  const std::vector<std::uint8_t> datagram(1000);
  while (full.ready()) {
    static_cast<void>(socket.send_to(datagram, kServer));
    host.run_once(0ms);
  }
  int rounds = 0;
  auto sleeps = [](Host& on) -> Task<> { co_await on.sleep(20ms); };
  host.spawn(sleeps(host));
  for (; host.tasks() > 0; ++rounds) host.run_once();
  EXPECT_LE(rounds, 4);
}

TEST(Links, AHostHasManyAndEachLeadsItsWay) {
  Hosts pair;
  Host second(test_options());
  auto near = make_link(1500), far = make_link(1500);
  pair.join(pair.client, std::move(near[0]), kClientAddress);
  pair.join(pair.server, std::move(near[1]), kServerAddress);
  pair.join(pair.client, std::move(far[0]), IpAddress::v4(10, 0, 1, 1));
  pair.join(second, std::move(far[1]), IpAddress::v4(10, 0, 1, 2));
  int accepted = 0;
  auto accepts = [&](Host& host) -> Task<> {
    TcpListener listener = host.listen(7).value();
    EXPECT_TRUE(co_await listener.accept());
    ++accepted;
  };
  auto connects = [&](IpAddress to, IpAddress from) -> Task<> {
    const TcpStream stream = (co_await pair.client.connect(Endpoint{to, 7})).value();
    EXPECT_EQ(stream.local_endpoint()->address, from);
  };
  pair.server.spawn(accepts(pair.server));
  second.spawn(accepts(second));
  pair.client.spawn(connects(kServerAddress, kClientAddress));
  pair.client.spawn(connects(IpAddress::v4(10, 0, 1, 2), IpAddress::v4(10, 0, 1, 1)));
  pair.run_until([&] {
    second.run_once(0ms);
    return accepted == 2 && pair.client.tasks() == 0;
  });
}

TEST(Links, TheLossOfOneLeavesTheOthers) {
  Hosts pair;
  auto lost = make_link(1500), kept = make_link(1500);
  const InterfaceId gone = pair.client.add_device(std::move(lost[0]));
  pair.join(pair.client, std::move(kept[0]), kClientAddress);
  pair.join(pair.server, std::move(kept[1]), kServerAddress);
  lost[1].reset();
  const auto sent = pattern(10'000);
  std::vector<std::uint8_t> got;
  pair.server.spawn(receive_all(pair.server, got));
  pair.client.spawn(send_all(pair.client, sent));
  pair.run();
  EXPECT_TRUE(got == sent);
  EXPECT_FALSE(pair.client.is_up(gone));
  EXPECT_FALSE(pair.client.is_up(InterfaceId{77}));
}

TEST(Links, GoOutByTheDefaultRoute) {
  Hosts pair;
  auto link = make_link(1500);
  const InterfaceId out = pair.client.add_device(std::move(link[0]));
  ASSERT_TRUE(pair.client.add_address(out, {kClientAddress, 32}));
  pair.join(pair.server, std::move(link[1]), kServerAddress);
  EXPECT_EQ(block_on(pair.client.connect(kServer)).error(), Error::no_route);
  ASSERT_TRUE(pair.client.add_default_route(out, Family::ipv4));
  std::vector<std::uint8_t> got;
  const auto sent = pattern(100);
  pair.server.spawn(receive_all(pair.server, got));
  pair.client.spawn(send_all(pair.client, sent));
  pair.run();
  EXPECT_TRUE(got == sent);
}

}  // namespace
}  // namespace estab
