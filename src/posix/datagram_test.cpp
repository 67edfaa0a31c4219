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
