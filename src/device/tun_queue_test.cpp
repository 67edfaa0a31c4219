#include "device/tun_queue.h"

#include <functional>
#include <optional>
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

#include "device/netlink.h"
#include "tests/support/frames.h"
#include "tests/support/network_namespace.h"

namespace estab::device {
namespace {

using namespace test;

const Cidr kKernelV4 = *Cidr::parse("10.77.0.1/24"), kKernelV6 = *Cidr::parse("fd77::1/64");
const IpAddress kOursV4 = *IpAddress::parse("10.77.0.2"), kOursV6 = *IpAddress::parse("fd77::2");

TunQueue make_tun(TunOffloads offloads = TunOffloads::automatic) {
  auto queue = TunQueue::attach({.name = "estab0", .offloads = offloads});
  EXPECT_TRUE(queue) << queue.error().what;
  EXPECT_EQ(set_link_up("estab0", {}), 0);
  EXPECT_EQ(give_address("estab0", kKernelV4), 0);
  EXPECT_EQ(give_address("estab0", kKernelV6), 0);
  return std::move(*queue);
}

struct Caught {
  std::vector<std::uint8_t> octets;
  VirtioNotes notes;
  wire::IpHeader ip;
  Segment segment;  // if it is TCP
  Octets payload;   // of IP
};

/// The next frame of `protocol`; the kernel also sends what nobody asked for. Nothing if none
/// comes.
std::optional<Caught> next_frame(const TunQueue& queue, std::uint8_t protocol) {
  constexpr int kPatience = 5000;
  std::vector<std::uint8_t> room(70'000);
  while (true) {
    const auto reading = queue.read(room);
    if (reading.outcome == TunQueue::ReadOutcome::none_waits) {
      pollfd waiting{.fd = queue.descriptor(), .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, kPatience) <= 0) return std::nullopt;
      continue;
    }
    if (reading.outcome != TunQueue::ReadOutcome::frame) return std::nullopt;
    Caught caught;
    caught.octets.assign(room.begin(), room.begin() + static_cast<long>(reading.length));
    caught.notes = reading.notes;
    const auto packet = wire::parse_ip(caught.octets);
    if (!packet || packet->header.protocol != protocol) continue;
    caught.ip = packet->header;
    caught.payload = packet->payload;
    if (protocol == wire::kProtocolTcp) wire::parse_tcp_into(packet->payload, caught.segment);
    return caught;
  }
}

sockaddr_in6 socket_address(const Endpoint& endpoint) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  std::ranges::copy(endpoint.address.octets(), address.sin6_addr.s6_addr);
  return address;
}

/// A socket of the kernel, bound to one of its addresses.
FileDescriptor kernel_socket(int type, const Endpoint& local) {
  FileDescriptor socket(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
  const int both_families = 0;
  ::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, &both_families, sizeof both_families);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in6 address = socket_address(local);
  EXPECT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
      << std::strerror(errno);
  return socket;
}

TEST(InterfaceName, IsShortAndWithoutSeparators) {
  EXPECT_TRUE(is_interface_name("estab0"));
  EXPECT_TRUE(is_interface_name("")) << "the kernel chooses";
  EXPECT_TRUE(is_interface_name("fifteen-letters"));
  EXPECT_FALSE(is_interface_name("sixteen-letters!"));
  for (const char* bad : {".", "..", "a/b", "a b", "a:1", "tun%d", "a\n"})
    EXPECT_FALSE(is_interface_name(bad)) << bad;
}

TEST(TunQueue, RefusesABadNameWithAWordOnWhatWouldBeGood) {
  const auto queue = TunQueue::attach({.name = "a/b"});
  ASSERT_FALSE(queue);
  EXPECT_EQ(queue.error().kind, DeviceError::Kind::invalid_name);
  EXPECT_NE(queue.error().what.find("1 to 15 characters"), std::string::npos);
}

TEST(TunQueue, NamesTheCommandThatMakesWhatWasAskedFor) {
  EXPECT_EQ(
      making_command({.name = "estab7", .host_addresses = {kKernelV4, kKernelV6}, .mtu = 9000}),
      "sudo ip tuntap add dev estab7 mode tun user $USER && sudo ip link set dev estab7 up "
      "mtu 9000 && sudo ip address add 10.77.0.1/24 dev estab7 && sudo ip address add "
      "fd77::1/64 dev estab7");
}

TEST(TunQueue, IsRefusedWhereAnotherProgramIsOrTheNameIsOfAnotherKind) {
  in_network_namespace([] {
    const TunQueue first = make_tun();
    const auto second = TunQueue::attach({.name = "estab0"});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, DeviceError::Kind::busy) << second.error().what;
    const auto other = TunQueue::attach({.name = "lo"});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, DeviceError::Kind::name_taken) << other.error().what;
  });
}

TEST(TunQueue, LeavesTheNameToTheKernelIfThereIsNone) {
  in_network_namespace([] {
    const auto queue = TunQueue::attach({});
    ASSERT_TRUE(queue);
    EXPECT_NE(::if_nametoindex(queue->name().c_str()), 0u);
  });
}

TEST(TunQueue, HasHeadersUnlessToldNotTo) {
  in_network_namespace([] {
    EXPECT_TRUE(TunQueue::attach({.name = "with"})->has_headers());
    EXPECT_FALSE(
        TunQueue::attach({.name = "without", .offloads = TunOffloads::none})->has_headers());
  });
}

/// The kernel's SYN to us is whole, as it must be where nobody said that it need not be.
void kernel_syn_is_whole(const TunQueue& queue) {
  const FileDescriptor socket = kernel_socket(SOCK_STREAM | SOCK_NONBLOCK, {kKernelV4.address, 0});
  const sockaddr_in6 to = socket_address({kOursV4, 80});
  ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  const auto caught = next_frame(queue, wire::kProtocolTcp);
  ASSERT_TRUE(caught);
  EXPECT_TRUE(wire::verify_transport_checksum(kKernelV4.address, kOursV4, wire::kProtocolTcp,
                                              caught->payload));
}

// A persistent interface keeps the offloads of its last user, also for one without headers.
TEST(TunQueue, TakesNoOffloadsOfTheLastUser) {
  in_network_namespace([] {
    {
      const TunQueue last = make_tun(TunOffloads::automatic);
      ASSERT_EQ(::ioctl(last.descriptor(), TUNSETPERSIST, 1), 0);
    }
    const auto queue = TunQueue::attach({.name = "estab0", .offloads = TunOffloads::none});
    ASSERT_TRUE(queue) << queue.error().what;
    EXPECT_FALSE(queue->has_headers());
    kernel_syn_is_whole(*queue);
  });
}

/// Another program's queue of an interface with several.
FileDescriptor another_queue(const char* name, int header_flag) {
  FileDescriptor descriptor(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | header_flag);
  EXPECT_EQ(::ioctl(descriptor.number(), TUNSETIFF, &request), 0) << std::strerror(errno);
  return descriptor;
}

TEST(TunQueue, IsRefusedWhereAnotherQueueIsOpen) {
  in_network_namespace([] {
    for (const int header_flag : {0, IFF_VNET_HDR}) {
      const FileDescriptor other = another_queue("several", header_flag);
      ASSERT_EQ(::ioctl(other.number(), TUNSETPERSIST, 1), 0);
      EXPECT_EQ(queues_of("several"), 1u);
      for (const TunOffloads offloads : {TunOffloads::automatic, TunOffloads::none}) {
        const auto queue = TunQueue::attach({.name = "several", .offloads = offloads});
        ASSERT_FALSE(queue);
        EXPECT_EQ(queue.error().kind, DeviceError::Kind::busy);
        EXPECT_NE(queue.error().what.find("another program has a queue"), std::string::npos);
      }
    }
    // Alone it is as good as any.
    EXPECT_EQ(queues_of("several"), 0u);
    const auto queue = TunQueue::attach({.name = "several"});
    ASSERT_TRUE(queue) << queue.error().what;
    EXPECT_TRUE(queue->has_headers());
    EXPECT_EQ(queues_of("several"), 1u);
    EXPECT_EQ(queues_of("nobody"), 0u);
  });
}

TEST(Netlink, SetsMtuAndAddressesAndMayBeAskedAgain) {
  in_network_namespace([] {
    const TunQueue queue = make_tun();
    EXPECT_EQ(set_link_up("estab0", 9000), 0);
    EXPECT_EQ(mtu_of("estab0"), 9000);
    EXPECT_EQ(set_link_up("estab0", 9000), 0);
    EXPECT_EQ(give_address("estab0", kKernelV4), 0);
    EXPECT_EQ(give_address("estab0", kKernelV6), 0);
    EXPECT_EQ(give_address("estab0", *Cidr::parse("fd77::9/64")), 0);
    EXPECT_EQ(set_link_up("estab0", 20), EINVAL) << "no interface has so small an MTU";
    EXPECT_EQ(set_link_up("nobody", {}), ENODEV);
    EXPECT_EQ(give_address("nobody", kKernelV4), ENODEV);
    EXPECT_EQ(mtu_of("nobody"), std::nullopt);
  });
}

void kernel_datagram_arrives(TunOffloads offloads, const IpAddress& kernel, const IpAddress& ours) {
  const TunQueue queue = make_tun(offloads);
  const FileDescriptor socket = kernel_socket(SOCK_DGRAM, {kernel, 5000});
  const sockaddr_in6 to = socket_address({ours, 6000});
  ASSERT_EQ(
      ::sendto(socket.number(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
      5)
      << std::strerror(errno);
  const auto caught = next_frame(queue, wire::kProtocolUdp);
  ASSERT_TRUE(caught);
  EXPECT_EQ(caught->ip.source, kernel);
  EXPECT_EQ(caught->ip.destination, ours);
  const auto datagram = wire::parse_udp(caught->payload, kernel.family());
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->source_port, 5000);
  EXPECT_EQ(datagram->destination_port, 6000);
  EXPECT_EQ(as_text(datagram->payload), "hello");
  const bool is_right = wire::verify_transport_checksum(kernel, ours, 17, datagram->octets);
  EXPECT_EQ(is_right, !caught->notes.partial_checksum);
  EXPECT_TRUE(is_right || offloads == TunOffloads::automatic);
}

TEST(TunQueue, GivesTheKernelsDatagramsAsTheyAre) {
  for (const TunOffloads offloads : {TunOffloads::automatic, TunOffloads::none}) {
    in_network_namespace([=] { kernel_datagram_arrives(offloads, kKernelV4.address, kOursV4); });
    in_network_namespace([=] { kernel_datagram_arrives(offloads, kKernelV6.address, kOursV6); });
  }
}

void our_datagram_arrives(TunOffloads offloads, Checksums checksums) {
  const TunQueue queue = make_tun(offloads);
  const Endpoint kernel{kKernelV4.address, 5000};
  const FileDescriptor socket = kernel_socket(SOCK_DGRAM, kernel);
  const auto frame = udp_frame({kOursV4, 6000}, kernel, as_octets("good morning"), checksums);
  ASSERT_EQ(queue.write(frame), TunQueue::WriteOutcome::sent);
  // The same again, the way a frame that had to wait goes.
  ASSERT_EQ(queue.write(virtio_header_of(frame), flat(frame)), TunQueue::WriteOutcome::sent);
  for (int i = 0; i < 2; ++i) {
    std::array<char, 100> text;
    const ssize_t length = ::recv(socket.number(), text.data(), text.size(), 0);
    ASSERT_EQ(length, 12) << std::strerror(errno);
    EXPECT_EQ(std::string(text.data(), 12), "good morning");
  }
}

TEST(TunQueue, BringsOurDatagramsToTheKernel) {
  in_network_namespace([] { our_datagram_arrives(TunOffloads::automatic, Checksums::partial); });
  in_network_namespace([] { our_datagram_arrives(TunOffloads::automatic, Checksums::finished); });
  in_network_namespace([] { our_datagram_arrives(TunOffloads::none, Checksums::finished); });
}

TEST(TunQueue, IsRefusedWhileTheInterfaceIsDownAndFindsNothing) {
  in_network_namespace([] {
    const auto queue = TunQueue::attach({.name = "estab0"});
    ASSERT_TRUE(queue);
    const auto frame = udp_frame({kOursV4, 1}, {kKernelV4.address, 2}, {}, Checksums::finished);
    EXPECT_EQ(queue->write(frame), TunQueue::WriteOutcome::refused);
    std::vector<std::uint8_t> room(2000);
    EXPECT_EQ(queue->read(room).outcome, TunQueue::ReadOutcome::none_waits);
  });
}

TEST(TunQueue, SeesThatItsInterfaceIsGone) {
  in_network_namespace([] {
    const TunQueue queue = make_tun();
    ASSERT_EQ(std::system("ip link delete estab0"), 0);
    std::vector<std::uint8_t> room(70'000);
    EXPECT_EQ(queue.read(room).outcome, TunQueue::ReadOutcome::gone);
    const auto frame = udp_frame({kOursV4, 1}, {kKernelV4.address, 2}, {}, Checksums::finished);
    EXPECT_EQ(queue.write(frame), TunQueue::WriteOutcome::gone);
  });
}

TEST(TunQueue, BringsASynToAClosedPortAndTheResetBack) {
  in_network_namespace([] {
    const TunQueue queue = make_tun();
    const Segment syn = segment_of(SeqNum(1000), kSyn);
    queue.write(tcp_frame({kOursV4, 4000}, {kKernelV4.address, 9}, syn, Checksums::partial));
    const auto answer = next_frame(queue, wire::kProtocolTcp);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->segment.flags, kRst | kAck);
    EXPECT_EQ(answer->segment.ack, SeqNum(1001));
  });
}

/// A connection of the kernel's with nobody but this test at the other end.
class HandMadeConnection {
 public:
  HandMadeConnection(const TunQueue& queue, const IpAddress& kernel, const IpAddress& ours)
      : queue_(queue),
        ours_{ours, 4000},
        kernel_{kernel, 80},
        listener_(kernel_socket(SOCK_STREAM, kernel_)) {
    EXPECT_EQ(::listen(listener_.number(), 1), 0);
    Segment syn = segment_of(SeqNum(0), kSyn);
    syn.options.mss = 1400;
    syn.options.window_scale = 10;
    send(syn, 0);
    const auto answer = next_frame(queue_, wire::kProtocolTcp);
    if (!answer) return;
    acknowledge_ = answer->segment.seq + 1;
    send(segment_of(SeqNum(1), kAck), 0);
    socket_ = FileDescriptor(::accept(listener_.number(), nullptr, nullptr));
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void send(Segment segment, std::uint16_t gso_size) {
    segment.ack = acknowledge_;
    EXPECT_EQ(queue_.write(tcp_frame(ours_, kernel_, segment, Checksums::partial, gso_size)),
              TunQueue::WriteOutcome::sent);
  }
  int socket() const { return socket_.number(); }

 private:
  const TunQueue& queue_;
  Endpoint ours_, kernel_;
  FileDescriptor listener_, socket_;
  SeqNum acknowledge_{};
};

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return octets;
}

void super_segment_arrives_whole(const IpAddress& kernel, const IpAddress& ours) {
  const TunQueue queue = make_tun();
  HandMadeConnection connection(queue, kernel, ours);
  ASSERT_GE(connection.socket(), 0);
  const auto data = pattern(60'000);
  connection.send(segment_of(SeqNum(1), kAck | kPsh, data), 1400);
  std::vector<std::uint8_t> received(data.size());
  ASSERT_EQ(::recv(connection.socket(), received.data(), received.size(), MSG_WAITALL),
            static_cast<ssize_t>(data.size()));
  EXPECT_EQ(received, data);
}

TEST(TunQueue, BringsASuperSegmentToTheKernelInOnePiece) {
  in_network_namespace([] { super_segment_arrives_whole(kKernelV4.address, kOursV4); });
  in_network_namespace([] { super_segment_arrives_whole(kKernelV6.address, kOursV6); });
}

void kernel_sends_super_segments(const IpAddress& kernel, const IpAddress& ours) {
  const TunQueue queue = make_tun();
  HandMadeConnection connection(queue, kernel, ours);
  ASSERT_GE(connection.socket(), 0);
  const auto data = pattern(14'000);  // the kernel's initial window, ten segments
  ASSERT_EQ(::send(connection.socket(), data.data(), data.size(), 0),
            static_cast<ssize_t>(data.size()));
  std::vector<std::uint8_t> received;
  bool merged = false;
  while (received.size() < data.size()) {
    const auto caught = next_frame(queue, wire::kProtocolTcp);
    ASSERT_TRUE(caught);
    const Octets payload = caught->segment.payload;
    if (payload.size() > 1400) {
      merged = true;
      EXPECT_EQ(caught->notes.gso_size, 1400);
      EXPECT_TRUE(caught->notes.checksum_verified);
      EXPECT_TRUE(caught->notes.partial_checksum);
    }
    received.insert(received.end(), payload.begin(), payload.end());
  }
  EXPECT_TRUE(merged);
  EXPECT_EQ(received, data);
}

TEST(TunQueue, GivesTheKernelsSuperSegmentsInOnePiece) {
  in_network_namespace([] { kernel_sends_super_segments(kKernelV4.address, kOursV4); });
  in_network_namespace([] { kernel_sends_super_segments(kKernelV6.address, kOursV6); });
}

}  // namespace
}  // namespace estab::device
