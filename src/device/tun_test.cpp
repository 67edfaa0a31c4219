#include "estab/tun.h"

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "estab/stack.h"

#include "device/file_descriptor.h"
#include "device/netlink.h"
#include "tests/support/network_namespace.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using device::FileDescriptor;
using test::in_network_namespace;

const Cidr kKernel = *Cidr::parse("10.77.0.1/24"), kKernelV6 = *Cidr::parse("fd77::1/64");
const Cidr kOurs = *Cidr::parse("10.77.0.2/24"), kOursV6 = *Cidr::parse("fd77::2/64");

/// A device with a stack behind it, and the loop of a host.
struct Machine {
  explicit Machine(TunOffloads offloads) {
    auto opened = TunDevice::open({.name = "estab0",
                                   .host_addresses = {kKernel, kKernelV6},
                                   .mtu = 1400,
                                   .offloads = offloads});
    EXPECT_TRUE(opened) << opened.error().what;
    device = std::move(*opened);
    interface = stack.add_interface(device->interface_config());
    EXPECT_TRUE(stack.add_address(interface, kOurs));
    EXPECT_TRUE(stack.add_address(interface, kOursV6));
  }
  static Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }
  /// Runs until the condition holds, for five seconds at most.
  bool run_until(const std::function<bool()>& condition) {
    const Instant end = now() + 5s;
    while (!condition()) {
      if (now() > end) return false;
      device->receive(now(), stack, interface, 64);
      stack.handle_deadline(now());
      TransmitFrame frame;
      while (device->ready() && stack.poll_transmit(now(), frame)) device->transmit(now(), frame);
      pollfd waiting{.fd = device->descriptor(), .events = POLLIN, .revents = 0};
      ::poll(&waiting, 1, 1);
    }
    return true;
  }

  std::unique_ptr<TunDevice> device;
  Stack stack;
  InterfaceId interface;
};

sockaddr_in6 socket_address(const IpAddress& address, std::uint16_t port) {
  sockaddr_in6 result{};
  result.sin6_family = AF_INET6;
  result.sin6_port = htons(port);
  std::ranges::copy(address.octets(), result.sin6_addr.s6_addr);
  return result;
}

FileDescriptor connect_from_kernel(int type, const IpAddress& to, std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in6 address = socket_address(to, port);
  const int result =
      ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  EXPECT_TRUE(result == 0 || errno == EINPROGRESS) << std::strerror(errno);
  return socket;
}

TEST(TunDevice, SaysWhatItsLinkIsLike) {
  in_network_namespace([] {
    const Machine with(TunOffloads::automatic);
    const InterfaceConfig config = with.device->interface_config();
    EXPECT_EQ(config.name, "estab0");
    EXPECT_EQ(config.mtu, 1400);
    EXPECT_TRUE(config.checksum_offload && config.segmentation_v4 && config.segmentation_v6);
    EXPECT_TRUE(with.device->ready());
    EXPECT_FALSE(with.device->failure());
  });
  in_network_namespace([] {
    const Machine without(TunOffloads::none);
    const InterfaceConfig config = without.device->interface_config();
    EXPECT_FALSE(config.checksum_offload || config.segmentation_v4 || config.segmentation_v6);
  });
}

// poll() tells of an interface that is being deleted before reads fail.
TEST(TunDevice, SaysWhyAsSoonAsItsDescriptorIsInError) {
  in_network_namespace([] {
    const Machine machine(TunOffloads::automatic);
    std::jthread deletes([] { EXPECT_EQ(std::system("ip link delete estab0"), 0); });
    pollfd look{machine.device->descriptor(), 0, 0};
    ASSERT_EQ(poll(&look, 1, 10'000), 1);
    const auto why = machine.device->failure();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->kind, DeviceError::Kind::link_gone);
    EXPECT_EQ(why->what, "the interface estab0 has been deleted; start again to make it anew");
  });
}

TEST(TunDevice, ExplainsAnMtuThatCannotBe) {
  in_network_namespace([] {
    const auto device = TunDevice::open({.name = "estab0", .mtu = 20});
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().system_error, EINVAL);
    EXPECT_NE(device.error().what.find("an MTU is 68 to 65535 octets"), std::string::npos)
        << device.error().what;
  });
}

/// From here on this process may do no more than any other of its user.
bool give_up_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

TEST(TunDevice, NamesTheCommandWhereItMayAttachButNotSetUp) {
  in_network_namespace([] {
    ASSERT_EQ(std::system("ip tuntap add dev estab0 mode tun user 0"), 0);
    ASSERT_TRUE(give_up_capabilities());
    const auto device = TunDevice::open({.name = "estab0", .host_addresses = {kKernel}});
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().kind, DeviceError::Kind::no_permission);
    EXPECT_EQ(device.error().what,
              "cannot set estab0 up: Operation not permitted; let an administrator do it with "
              "`sudo ip link set dev estab0 up && sudo ip address add 10.77.0.1/24 dev estab0`");
    const auto another = TunDevice::open({.name = "estab1"});
    ASSERT_FALSE(another);
    EXPECT_EQ(
        another.error().what,
        "cannot attach to TUN interface estab1: this user may not make one; make it with "
        "`sudo ip tuntap add dev estab1 mode tun user $USER && sudo ip link set dev estab1 up`");
  });
}

TEST(TunDevice, SaysThatItsInterfaceHasBeenDeleted) {
  in_network_namespace([] {
    Machine machine(TunOffloads::automatic);
    ASSERT_EQ(std::system("ip link delete estab0"), 0);
    machine.device->receive(Machine::now(), machine.stack, machine.interface, 64);
    ASSERT_TRUE(machine.device->failure());
    EXPECT_NE(machine.device->failure()->what.find("deleted"), std::string::npos);
  });
}

TEST(TunDevice, AttachesToAPersistentInterfaceThatIsSetUpAlready) {
  in_network_namespace([] {
    ASSERT_EQ(std::system("ip tuntap add dev estab0 mode tun && ip link set estab0 up mtu 1400 && "
                          "ip address add 10.77.0.1/24 dev estab0"),
              0);
    const Machine machine(TunOffloads::automatic);
    EXPECT_EQ(machine.device->name(), "estab0");
  });
}

void datagrams_go_both_ways(TunOffloads offloads, const IpAddress& ours) {
  Machine machine(offloads);
  const auto port = machine.stack.bind_datagram({ours, 6000});
  ASSERT_TRUE(port);
  const FileDescriptor socket = connect_from_kernel(SOCK_DGRAM, ours, 6000);
  ASSERT_EQ(::send(socket.number(), "ping", 4, 0), 4);
  std::array<std::uint8_t, 100> room;
  ASSERT_TRUE(machine.run_until([&] {
    const auto datagram = machine.stack.recv_datagram(*port, room);
    if (!datagram) return false;
    EXPECT_EQ(as_text(Octets(room).first(datagram->length)), "ping");
    EXPECT_TRUE(
        machine.stack.send_datagram(Machine::now(), *port, datagram->from, as_octets("pong")));
    return true;
  }));
  ASSERT_TRUE(machine.run_until([&] { return ::recv(socket.number(), room.data(), 100, 0) == 4; }));
  EXPECT_EQ(as_text(Octets(room).first(4)), "pong");
}

TEST(TunDevice, CarriesDatagramsBothWays) {
  for (const TunOffloads offloads : {TunOffloads::automatic, TunOffloads::none}) {
    in_network_namespace([=] { datagrams_go_both_ways(offloads, kOurs.address); });
    in_network_namespace([=] { datagrams_go_both_ways(offloads, kOursV6.address); });
  }
}

void stream_is_echoed(TunOffloads offloads, const IpAddress& ours) {
  Machine machine(offloads);
  const auto listener = machine.stack.listen({.local = {ours, 80}});
  ASSERT_TRUE(listener);
  const FileDescriptor socket = connect_from_kernel(SOCK_STREAM, ours, 80);
  StreamId stream;
  ASSERT_TRUE(machine.run_until([&] {
    const auto accepted = machine.stack.accept(Machine::now(), *listener);
    if (accepted) stream = *accepted;
    return accepted.has_value();
  }));

  const std::size_t size = 3'000'000;
  std::vector<std::uint8_t> sent(size), back, room(1 << 16);
  for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  std::size_t given = 0;
  EXPECT_TRUE(machine.run_until([&] {
    const ssize_t out = ::send(socket.number(), sent.data() + given, size - given, MSG_NOSIGNAL);
    if (out > 0) given += static_cast<std::size_t>(out);
    const std::size_t take = std::min(machine.stack.writable(stream), room.size());
    const auto got = machine.stack.recv(Machine::now(), stream, MutableOctets(room).first(take));
    if (got) (void)machine.stack.send(Machine::now(), stream, Octets(room).first(*got));
    const ssize_t in = ::recv(socket.number(), room.data(), room.size(), 0);
    if (in > 0) back.insert(back.end(), room.begin(), room.begin() + in);
    return back.size() == size;
  }));
  EXPECT_EQ(back, sent);
  const TunCounters& counters = machine.device->counters();
  EXPECT_EQ(counters.super_segments_received > 0, offloads == TunOffloads::automatic);
  EXPECT_EQ(counters.super_segments_sent > 0, offloads == TunOffloads::automatic);
  EXPECT_EQ(counters.sends_refused, 0u);
}

TEST(TunDevice, CarriesAStreamThereAndBack) {
  for (const TunOffloads offloads : {TunOffloads::automatic, TunOffloads::none}) {
    in_network_namespace([=] { stream_is_echoed(offloads, kOurs.address); });
    in_network_namespace([=] { stream_is_echoed(offloads, kOursV6.address); });
  }
}

}  // namespace
}  // namespace estab
