#include "estab/descriptor_device.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/file_descriptor.h"
#include "device/netlink.h"
#include "tests/support/frames.h"
#include "tests/support/network_namespace.h"

namespace estab {
namespace {

using namespace test;
using device::FileDescriptor;

const Cidr kKernel = *Cidr::parse("10.77.0.1/24"), kOurs = *Cidr::parse("10.77.0.2/24");
const Instant kNow{std::chrono::hours(1)};

std::array<FileDescriptor, 2> socket_pair(int type) {
  std::array<int, 2> ends;
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::unique_ptr<DescriptorDevice> adopted(FileDescriptor descriptor,
                                          const DescriptorOptions& options = {}) {
  auto device = DescriptorDevice::adopt(descriptor.number(), options);
  EXPECT_TRUE(device) << device.error().what;
  static_cast<void>(descriptor.release());
  return std::move(*device);
}

std::string refusal(int descriptor, const DescriptorOptions& options = {}) {
  const auto device = DescriptorDevice::adopt(descriptor, options);
  EXPECT_FALSE(device);
  if (device) return "taken";
  EXPECT_EQ(device.error().kind, DeviceError::Kind::unsuitable_descriptor);
  return device.error().what;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TransmitFrame datagram_of(std::string_view text) {
  return udp_frame({kOurs.address, 1}, {kKernel.address, 2}, as_octets(text), Checksums::finished);
}

TEST(DescriptorDevice, RefusesWhatKeepsNoDatagramsApart) {
  EXPECT_TRUE(says(refusal(-1), "it is not open: Bad file descriptor"));
  EXPECT_TRUE(says(refusal(socket_pair(SOCK_STREAM)[0].number()), "SOCK_SEQPACKET or SOCK_DGRAM"));
  const FileDescriptor nowhere(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(says(refusal(nowhere.number()), "connect it first"));
  const FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(says(refusal(null.number()), "neither a socket nor attached to a TUN"));
  const auto pair = socket_pair(SOCK_DGRAM);
  EXPECT_TRUE(says(refusal(pair[0].number(), {.framing = Framing::packet_info}), "for TUN"));
  EXPECT_TRUE(says(refusal(pair[0].number(), {.mtu = 67}), "68 to 65535"));
  EXPECT_EQ(::fcntl(pair[0].number(), F_GETFL) & O_NONBLOCK, 0) << "it is as it was";
}

TEST(DescriptorDevice, TellsTheStackWhatItWasTold) {
  auto pair = socket_pair(SOCK_SEQPACKET);
  const auto bare = adopted(std::move(pair[0]), {.name = "pair", .mtu = 9000});
  EXPECT_EQ(bare->interface_config(), (InterfaceConfig{.name = "pair", .mtu = 9000}));
  const auto virtio = adopted(std::move(pair[1]), {.name = "pair", .framing = Framing::virtio});
  EXPECT_TRUE(virtio->interface_config().segmentation_v4);
  EXPECT_TRUE(virtio->interface_config().checksum_offload);
}

TEST(DescriptorDevice, CarriesEveryDatagramInOneMessage) {
  for (const int type : {SOCK_SEQPACKET, SOCK_DGRAM}) {
    auto pair = socket_pair(type);
    const auto device = adopted(std::move(pair[0]));
    for (const char* text : {"one", "and another"}) {
      const TransmitFrame frame = datagram_of(text);
      device->transmit(kNow, frame);
      std::vector<std::uint8_t> room(2000);
      const ssize_t length = ::read(pair[1].number(), room.data(), room.size());
      ASSERT_EQ(length, static_cast<ssize_t>(frame.size()));
      room.resize(frame.size());
      EXPECT_EQ(room, flat(frame));
    }
    EXPECT_EQ(device->counters().frames_sent, 2u);
  }
}

TEST(DescriptorDevice, ReceivesBurstByBurst) {
  auto pair = socket_pair(SOCK_SEQPACKET);
  const auto device = adopted(std::move(pair[0]));
  Stack stack;
  const InterfaceId interface = stack.add_interface(device->interface_config());
  EXPECT_TRUE(stack.add_address(interface, kKernel));
  const DatagramId port = stack.bind_datagram({kKernel.address, 2}).value();
  const auto octets = flat(datagram_of("hello"));
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(::write(pair[1].number(), octets.data(), octets.size()),
              static_cast<ssize_t>(octets.size()));
  EXPECT_EQ(device->receive(kNow, stack, interface, 2), 2u);
  EXPECT_EQ(device->receive(kNow, stack, interface, 2), 1u);
  EXPECT_EQ(device->receive(kNow, stack, interface, 2), 0u);
  std::array<std::uint8_t, 100> text;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stack.recv_datagram(port, text)->length, 5u);
  EXPECT_FALSE(device->failure());
}

TEST(DescriptorDevice, KeepsTheFrameThatFindsNoRoom) {
  auto pair = socket_pair(SOCK_SEQPACKET);
  const int least = 1;
  ::setsockopt(pair[0].number(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  const auto device = adopted(std::move(pair[0]));
  std::size_t sent = 0;
  while (device->ready()) device->transmit(kNow, datagram_of(std::to_string(sent++)));
  EXPECT_EQ(device->counters().sends_put_off, 1u);
  EXPECT_FALSE(device->flush());
  EXPECT_FALSE(device->failure());
  std::vector<std::uint8_t> room(2000);
  for (std::size_t i = 0; i < sent; ++i) {
    const ssize_t length = ::read(pair[1].number(), room.data(), room.size());
    ASSERT_GT(length, 0);
    const auto expected = flat(datagram_of(std::to_string(i)));
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), room.begin()));
    if (i == 0) {
      EXPECT_TRUE(device->flush());
    }
  }
  EXPECT_TRUE(device->ready());
}

TEST(DescriptorDevice, TellsAnEmptyMessageFromTheEnd) {
  auto pair = socket_pair(SOCK_SEQPACKET);
  const auto device = adopted(std::move(pair[0]));
  Stack stack;
  const InterfaceId interface = stack.add_interface(device->interface_config());
  ASSERT_EQ(::send(pair[1].number(), "", 0, 0), 0);
  EXPECT_EQ(device->receive(kNow, stack, interface, 9), 0u);
  EXPECT_FALSE(device->failure());
  static_cast<void>(pair[1].close());
  EXPECT_EQ(device->receive(kNow, stack, interface, 9), 0u);
  EXPECT_TRUE(device->failure());
}

TEST(DescriptorDevice, FindsInWritingThatItsOtherEndIsClosed) {
  for (const int type : {SOCK_SEQPACKET, SOCK_DGRAM}) {
    auto pair = socket_pair(type);
    const auto device = adopted(std::move(pair[0]), {.name = "pair"});
    static_cast<void>(pair[1].close());
    device->transmit(kNow, datagram_of("hello"));
    EXPECT_FALSE(device->ready());
    EXPECT_FALSE(device->flush());
    ASSERT_TRUE(device->failure());
    EXPECT_EQ(device->failure()->kind, DeviceError::Kind::link_gone);
    EXPECT_TRUE(says(device->failure()->what, "pair is gone"));
  }
}

// ---- TUN interfaces that somebody else has opened

FileDescriptor open_tun(int flags) {
  FileDescriptor descriptor(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  std::strcpy(request.ifr_name, "other0");
  request.ifr_flags = static_cast<short>(flags);
  EXPECT_EQ(::ioctl(descriptor.number(), TUNSETIFF, &request), 0) << std::strerror(errno);
  if ((flags & IFF_TUN) != 0) {
    EXPECT_EQ(device::set_link_up("other0", {}), 0);
    EXPECT_EQ(device::give_address("other0", kKernel), 0);
  }
  return descriptor;
}

sockaddr_in socket_address(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(endpoint.address.v4_number());
  return address;
}

void datagrams_pass(int flags, Framing framing) {
  const auto device = adopted(open_tun(flags), {.name = "other0", .framing = framing});
  Stack stack;
  const InterfaceId interface = stack.add_interface(device->interface_config());
  EXPECT_TRUE(stack.add_address(interface, kOurs));
  const DatagramId port = stack.bind_datagram({kOurs.address, 2}).value();

  const FileDescriptor kernel(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in from = socket_address({kKernel.address, 1});
  const sockaddr_in to = socket_address({kOurs.address, 2});
  ASSERT_EQ(::bind(kernel.number(), reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
  ASSERT_EQ(
      ::sendto(kernel.number(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
      5);
  std::array<std::uint8_t, 100> text;
  Result<ReceivedDatagram> got = std::unexpected(Error::would_block);
  // The kernel also sends what nobody asked for.
  for (int tries = 0; tries < 20 && !got; ++tries) {
    pollfd waiting{.fd = device->descriptor(), .events = POLLIN, .revents = 0};
    ASSERT_GT(::poll(&waiting, 1, 5000), 0);
    device->receive(kNow, stack, interface, 64);
    got = stack.recv_datagram(port, text);
  }
  ASSERT_TRUE(got);
  EXPECT_EQ(as_text(Octets(text).first(got->length)), "hello");

  EXPECT_TRUE(stack.send_datagram(kNow, port, got->from, as_octets("good morning")));
  TransmitFrame frame;
  while (stack.poll_transmit(kNow, frame)) device->transmit(kNow, frame);
  EXPECT_EQ(device->counters().sends_refused, 0u);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(kernel.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ASSERT_EQ(::recv(kernel.number(), text.data(), text.size(), 0), 12) << std::strerror(errno);
}

TEST(DescriptorDevice, TakesATunInterfaceInEachFraming) {
  in_network_namespace([] { datagrams_pass(IFF_TUN | IFF_NO_PI, Framing::bare); });
  in_network_namespace([] { datagrams_pass(IFF_TUN, Framing::packet_info); });
  in_network_namespace([] { datagrams_pass(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, Framing::virtio); });
}

TEST(DescriptorDevice, RefusesATunInterfaceOfAnotherFraming) {
  in_network_namespace([] {
    const FileDescriptor tun = open_tun(IFF_TUN | IFF_NO_PI);
    EXPECT_TRUE(says(refusal(tun.number(), {.framing = Framing::virtio}), "without IFF_VNET_HDR"));
  });
  in_network_namespace([] {
    const FileDescriptor tun = open_tun(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    for (const Framing framing : {Framing::bare, Framing::packet_info})
      EXPECT_TRUE(says(refusal(tun.number(), {.framing = framing}), "is Framing::virtio"));
  });
  in_network_namespace([] {
    const FileDescriptor tap = open_tun(IFF_TAP | IFF_NO_PI);
    EXPECT_TRUE(says(refusal(tap.number()), "carries Ethernet frames"));
  });
}

}  // namespace
}  // namespace estab
