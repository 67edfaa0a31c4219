// UDP through the socket calls.

#include <poll.h>
#include <sys/ioctl.h>

#include "posix/testing/desk.h"
#include "stack/testing/datagrams.h"
#include "wire/icmp.h"
#include "wire/udp.h"

namespace estab::posix {
namespace {

constexpr int kOut = POLLOUT | POLLWRNORM | POLLWRBAND, kIn = POLLIN | POLLRDNORM;

class Datagrams : public testing::TestWithParam<Family> {
 protected:
  int udp(int flags = SOCK_NONBLOCK) {
    return static_cast<int>(desk.sockets.socket(desk.domain(), SOCK_DGRAM | flags, 0).value);
  }
  int bound() {
    const int fd = udp();
    EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
    return fd;
  }
  Outcome connect(int fd, std::uint16_t port = 40000) {
    Name name = desk.remote_name(port);
    return desk.sockets.connect(desk.now(), fd, name.as_sockaddr(), name.length);
  }
  void come(std::string_view text, std::uint16_t from = 40000) {
    (void)desk.peer.in_octets(
        script::udp({desk.peer.remote(), from}, {desk.peer.local(), 8080}, as_octets(text)));
  }
  Outcome send_to(int fd, std::string_view text, std::uint16_t port = 40000) {
    Name name = desk.remote_name(port);
    return desk.sockets.sendto(desk.now(), fd, text.data(), text.size(), 0, name.as_sockaddr(),
                               name.length);
  }
  std::string text() const { return {desk.buffer.begin(), desk.buffer.end()}; }
  Desk desk{{.family = GetParam()}};
};

TEST_P(Datagrams, ComeWithTheirSender) {
  const int fd = bound();
  EXPECT_EQ(desk.poll(fd), kOut);
  EXPECT_EQ(desk.read(fd, 10), fails(EAGAIN));
  come("hello");
  come("there", 40001);
  EXPECT_EQ(desk.poll(fd), kOut | kIn);
  int waiting = 0;
  EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, FIONREAD, &waiting), gives(0));
  EXPECT_EQ(waiting, 5);
  EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, SIOCATMARK, &waiting), fails(ENOTTY));
  EXPECT_EQ(desk.read(fd, 5, MSG_PEEK), gives(5));
  EXPECT_EQ(text(), "hello");
  Name from;
  std::array<char, 3> part{};
  EXPECT_EQ(desk.sockets.recvfrom(desk.now(), fd, part.data(), 3, MSG_TRUNC, from.as_sockaddr(),
                                  &from.length),
            gives(5));
  EXPECT_EQ(from.endpoint(), (Endpoint{desk.peer.remote(), 40000}));
  iovec vector{part.data(), part.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_name = from.as_sockaddr();
  message.msg_namelen = sizeof from.storage;
  EXPECT_EQ(desk.sockets.recvmsg(desk.now(), fd, &message, 0), gives(3));
  EXPECT_EQ(message.msg_flags, MSG_TRUNC);
  EXPECT_EQ(desk.read(fd, 10), fails(EAGAIN));
}

TEST_P(Datagrams, GoWhereTheyAreSent) {
  const int fd = udp();
  EXPECT_EQ(desk.write(fd, 1), fails(EDESTADDRREQ));
  EXPECT_EQ(send_to(fd, "x", 0), fails(EINVAL));
  EXPECT_EQ(send_to(fd, "hello"), gives(5));
  const auto sent = desk.peer.next();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->ip.protocol, wire::kProtocolUdp);
  EXPECT_EQ(sent->ip.destination, desk.peer.remote());
  EXPECT_EQ(send_to(fd, std::string(70000, 'x')), fails(EMSGSIZE));
  Name name;
  EXPECT_EQ(desk.sockets.getsockname(fd, name.as_sockaddr(), &name.length), gives(0));
  EXPECT_NE(name.endpoint().port, 0);
}

TEST_P(Datagrams, OfAConnectedSocketAreItsPeersAlone) {
  const int fd = bound();
  Name name;
  EXPECT_EQ(desk.sockets.getpeername(fd, name.as_sockaddr(), &name.length), fails(ENOTCONN));
  EXPECT_EQ(connect(fd), gives(0));
  EXPECT_EQ(desk.sockets.getpeername(fd, name.as_sockaddr(), &name.length), gives(0));
  come("other", 40001);
  come("mine");
  EXPECT_EQ(desk.read(fd, 10), gives(4));
  EXPECT_EQ(desk.read(fd, 10), fails(EAGAIN));
  EXPECT_EQ(desk.write(fd, 3), gives(3));
  EXPECT_TRUE(desk.peer.next());
  EXPECT_EQ(connect(fd, 40001), gives(0));
  come("again", 40001);
  EXPECT_EQ(desk.read(fd, 10), gives(5));
}

TEST_P(Datagrams, BringAnIcmpErrorToWhoHasAPeer) {
  const int fd = bound();
  EXPECT_EQ(connect(fd), gives(0));
  EXPECT_EQ(desk.write(fd, 3), gives(3));
  const auto sent = desk.peer.next();
  ASSERT_TRUE(sent);
  (void)desk.peer.in_octets(icmp_error(*sent, wire::IcmpError::Kind::port_unreachable));
  EXPECT_EQ(desk.poll(fd), kOut | POLLERR);
  EXPECT_EQ(desk.read(fd, 10), fails(ECONNREFUSED));
  EXPECT_EQ(desk.poll(fd), kOut);
}

// RFC 1122 §4.1.3.3, socket(7): a connected socket is told, by whichever call asks first.
TEST_P(Datagrams, TellAnIcmpErrorInSoErrorOnce) {
  const int fd = bound();
  EXPECT_EQ(connect(fd), gives(0));
  EXPECT_EQ(desk.write(fd, 3), gives(3));
  (void)desk.peer.in_octets(icmp_error(*desk.peer.next(), wire::IcmpError::Kind::port_unreachable));
  EXPECT_EQ(desk.get(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  EXPECT_EQ(desk.get(fd, SOL_SOCKET, SO_ERROR), 0);
  EXPECT_EQ(desk.read(fd, 10), fails(EAGAIN));
}

TEST_P(Datagrams, TellAnIcmpErrorToWhoAskedForIt) {
  const int fd = bound();
  const bool v4 = GetParam() == Family::ipv4;
  const auto refused = [&] {
    EXPECT_EQ(send_to(fd, "x"), gives(1));
    (void)desk.peer.in_octets(
        icmp_error(*desk.peer.next(), wire::IcmpError::Kind::port_unreachable));
    return desk.get(fd, SOL_SOCKET, SO_ERROR);
  };
  EXPECT_EQ(refused(), 0);
  EXPECT_EQ(desk.set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1),
            gives(0));
  EXPECT_EQ(refused(), ECONNREFUSED);
}

// socket(7), SO_BROADCAST.
TEST(DatagramsV4, NeedSoBroadcastForABroadcast) {
  Desk desk{{.family = Family::ipv4}};
  const auto fd =
      static_cast<int>(desk.sockets.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0).value);
  EXPECT_TRUE(desk.peer.stack().add_route({*Cidr::parse("0.0.0.0/0"), desk.peer.interface()}));
  for (const char* text : {"192.0.2.255", "255.255.255.255"}) {
    Name name(AF_INET, {*IpAddress::parse(text), 9});
    const auto send = [&] {
      return desk.sockets.sendto(desk.now(), fd, "x", 1, 0, name.as_sockaddr(), name.length);
    };
    const auto connect = [&] {
      return desk.sockets.connect(desk.now(), fd, name.as_sockaddr(), name.length);
    };
    EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_BROADCAST, 0), gives(0));
    EXPECT_EQ(send(), fails(EACCES)) << text;
    EXPECT_EQ(connect(), fails(EACCES)) << text;
    EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_BROADCAST, 1), gives(0));
    EXPECT_EQ(send(), gives(1)) << text;
    EXPECT_TRUE(desk.peer.next());
    EXPECT_EQ(connect(), gives(0)) << text;
  }
}

// ip(7), ipv6(7): IP_TTL, IP_MULTICAST_TTL, IP_TOS and their twins.
TEST_P(Datagrams, CarryTheTtlAndClassTheirSocketWasToldTo) {
  const int fd = bound();
  const bool v4 = GetParam() == Family::ipv4;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  EXPECT_TRUE(desk.peer.stack().add_route(
      {*Cidr::parse(v4 ? "224.0.0.0/4" : "ff00::/8"), desk.peer.interface()}));
  Name group(desk.domain(), {*IpAddress::parse(v4 ? "239.1.2.3" : "ff0e::5"), 9});
  const auto sent_to_group = [&] {
    EXPECT_EQ(desk.sockets.sendto(desk.now(), fd, "x", 1, 0, group.as_sockaddr(), group.length),
              gives(1));
    return desk.peer.next()->ip;
  };
  const int multicast = v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS;
  EXPECT_EQ(desk.get(fd, level, multicast), 1);
  EXPECT_EQ(sent_to_group().ttl, 1);
  EXPECT_EQ(desk.set(fd, level, multicast, 7), gives(0));
  EXPECT_EQ(desk.get(fd, level, multicast), 7);
  EXPECT_EQ(sent_to_group().ttl, 7);
  EXPECT_EQ(desk.set(fd, level, multicast, -1), gives(0));  // the default again
  EXPECT_EQ(desk.get(fd, level, multicast), 1);
  EXPECT_EQ(desk.set(fd, level, multicast, 256), fails(EINVAL));

  EXPECT_EQ(desk.set(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, 3), gives(0));
  EXPECT_EQ(desk.set(fd, level, v4 ? IP_TOS : IPV6_TCLASS, 0xb8), gives(0));
  EXPECT_EQ(send_to(fd, "x"), gives(1));
  const wire::IpHeader header = desk.peer.next()->ip;
  EXPECT_EQ(header.ttl, 3);
  EXPECT_EQ(header.traffic_class, 0xb8);
  EXPECT_EQ(sent_to_group().ttl, 1);
}

// ip(7), IP_MTU_DISCOVER.
TEST_P(Datagrams, GoInFragmentsUnlessTheirSocketDiscoversThePath) {
  const int fd = bound();
  const bool v4 = GetParam() == Family::ipv4;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  const std::string large(3000, 'x');
  EXPECT_EQ(send_to(fd, large), gives(3000));
  EXPECT_EQ(desk.peer.waiting(), 3u);
  desk.peer.forget_output();
  EXPECT_EQ(desk.set(fd, level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
                     v4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO),
            gives(0));
  EXPECT_EQ(send_to(fd, large), fails(EMSGSIZE));
  EXPECT_EQ(connect(fd), gives(0));
  EXPECT_EQ(desk.get(fd, level, v4 ? IP_MTU : IPV6_MTU), 1500);
}

// RFC 3493 §3.3: the scope id of a link-local address is the interface's number.
TEST(DatagramsV6, TellAndTakeTheZoneAsScopeId) {
  Desk desk{{.family = Family::ipv6}};
  EXPECT_TRUE(desk.peer.stack().add_address(desk.peer.interface(), *Cidr::parse("fe80::1/64")));
  const auto fd =
      static_cast<int>(desk.sockets.socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0).value);
  Name own(AF_INET6, {*IpAddress::parse("fe80::1%1"), 8080});
  EXPECT_EQ(desk.sockets.bind(fd, own.as_sockaddr(), own.length), gives(0));
  Name told;
  EXPECT_EQ(desk.sockets.getsockname(fd, told.as_sockaddr(), &told.length), gives(0));
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6*>(told.as_sockaddr())->sin6_scope_id, 1u);
  Name nowhere(AF_INET6, {*IpAddress::parse("fe80::9%9"), 1});
  EXPECT_EQ(desk.sockets.connect(desk.now(), fd, nowhere.as_sockaddr(), nowhere.length),
            fails(ENETUNREACH));
  // Without one the only link is meant, and its neighbour's datagrams are the peer's.
  Name peer(AF_INET6, {*IpAddress::parse("fe80::9"), 40000});
  EXPECT_EQ(desk.sockets.connect(desk.now(), fd, peer.as_sockaddr(), peer.length), gives(0));
  (void)desk.peer.in_octets(script::udp({*IpAddress::parse("fe80::9"), 40000},
                                        {*IpAddress::parse("fe80::1"), 8080}, as_octets("hello")));
  EXPECT_EQ(desk.read(fd, 10), gives(5));
}

TEST_P(Datagrams, EndWithTheirAddress) {
  const int fd = bound();
  EXPECT_TRUE(
      desk.peer.stack().remove_address(desk.now(), desk.peer.interface(), desk.peer.local()));
  EXPECT_EQ(desk.read(fd, 10), fails(ENETDOWN));
  EXPECT_EQ(send_to(fd, "x"), fails(ENETDOWN));
  EXPECT_EQ(desk.close(fd), gives(0));
}

TEST_P(Datagrams, EndWithShutdown) {
  const int fd = bound();
  EXPECT_EQ(desk.shutdown(fd, SHUT_RDWR), fails(ENOTCONN));
  EXPECT_EQ(connect(fd), gives(0));
  EXPECT_EQ(desk.poll(fd), kOut | kIn | POLLRDHUP | POLLHUP);
  EXPECT_EQ(desk.write(fd, 0), fails(EPIPE));
  EXPECT_EQ(desk.read(fd, 1), fails(EAGAIN));
  EXPECT_EQ(desk.sockets.fcntl(fd, F_SETFL, O_RDWR), gives(0));
  EXPECT_EQ(desk.read(fd, 1), gives(0));
}

TEST_P(Datagrams, KnowNothingOfStreams) {
  const int fd = udp();
  EXPECT_EQ(desk.accept(fd), fails(EOPNOTSUPP));
  EXPECT_EQ(desk.get(fd, IPPROTO_TCP, TCP_MAXSEG), -EOPNOTSUPP);
  EXPECT_EQ(desk.set(fd, IPPROTO_TCP, TCP_NODELAY, 1), fails(ENOPROTOOPT));
  EXPECT_EQ(desk.get(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  EXPECT_EQ(desk.close(fd), gives(0));
}

TEST_P(Datagrams, AreWaitedFor) {
  const int fd = bound();
  EXPECT_EQ(desk.sockets.fcntl(fd, F_SETFL, O_RDWR), gives(0));
  EXPECT_TRUE(desk.read(fd, 10).waits);
  come("late");
  EXPECT_EQ(desk.read(fd, 10), gives(4));
}

INSTANTIATE_TEST_SUITE_P(Families, Datagrams, testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& family) {
                           return std::string(family.param == Family::ipv4 ? "Ipv4" : "Ipv6");
                         });

}  // namespace
}  // namespace estab::posix
