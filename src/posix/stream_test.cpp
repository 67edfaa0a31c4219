// A TCP connection through the socket calls, from socket() to close().

#include "posix/testing/desk.h"

namespace estab::posix {
namespace {

using namespace std::chrono_literals;

TEST(StreamSockets, ServeAConnection) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    Desk desk({.family = family});
    const int listening = desk.listener();
    EXPECT_EQ(listening, 3);
    desk.handshake();
    Name from;
    EXPECT_EQ(desk.accept(listening, &from), gives(4));
    EXPECT_EQ(from.endpoint(), (Endpoint{desk.peer.remote(), 40000}));
    desk.in("P. 1:101(100) ack 1 win 65535");
    desk.out(". 1:1(0) ack 101");
    EXPECT_EQ(desk.read(4, 1000), gives(100));
    EXPECT_EQ(desk.buffer[99], script::pattern(script::Stream::from_remote, 100));
    EXPECT_EQ(desk.write(4, 50), gives(50));
    desk.out("P. 1:51(50) ack 101");
    EXPECT_EQ(desk.close(4), gives(0));
    desk.out("F. 51:51(0) ack 101");
    EXPECT_EQ(desk.close(3), gives(0));
    EXPECT_EQ(desk.close(3), fails(EBADF));
  }
}

TEST(StreamSockets, ConnectAndKeepTheirWordAboutProgress) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.out("S 0:0(0) <*>");
  EXPECT_EQ(desk.connect(fd), fails(EALREADY));
  EXPECT_EQ(desk.poll(fd), 0);
  desk.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  desk.out(". 1:1(0) ack 1");
  EXPECT_EQ(desk.error_of(fd), 0);
  EXPECT_EQ(desk.connect(fd), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EISCONN));
}

}  // namespace
}  // namespace estab::posix
