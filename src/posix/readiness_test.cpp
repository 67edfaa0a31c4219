// What poll says in each state. The expectations are what Linux 6.18 answered to the same calls
// between two sockets on its loopback.

#include <poll.h>
#include <sys/ioctl.h>

#include "posix/testing/desk.h"

namespace estab::posix {
namespace {

constexpr int kIn = POLLIN | POLLRDNORM, kOut = POLLOUT | POLLWRNORM;
constexpr int kEnd = kIn | POLLRDHUP;
constexpr int kReset = kEnd | kOut | POLLERR | POLLHUP;

TEST(Readiness, OfAFreshSocketIsAHangUp) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.poll(fd), kOut | POLLHUP);
  EXPECT_EQ(desk.shutdown(fd, SHUT_RDWR), fails(ENOTCONN));
  EXPECT_EQ(desk.poll(fd), kEnd | kOut | POLLHUP);
}

TEST(Readiness, OfAListenerTellsOfConnectionsToAccept) {
  Desk desk;
  const int fd = desk.listener();
  EXPECT_EQ(desk.poll(fd), 0);
  desk.in("S 0:0(0) win 65535 <mss 1460>");
  desk.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(desk.poll(fd), 0);
  desk.in(". 1:1(0) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), kIn);
  EXPECT_EQ(desk.accept(fd), gives(4));
  EXPECT_EQ(desk.poll(fd), 0);
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  EXPECT_EQ(desk.poll(fd), 0);
  EXPECT_EQ(desk.shutdown(fd, SHUT_RD), gives(0));
  EXPECT_EQ(desk.poll(fd), kOut | POLLHUP);
  EXPECT_EQ(desk.accept(fd), fails(EINVAL));
  EXPECT_EQ(desk.error_of(fd), 0);
}

TEST(Readiness, OfAnOpenConnection) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.poll(fd), kOut);
  desk.in("P. 1:4(3) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), kIn | kOut);
  desk.in("F. 4:4(0) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), kEnd | kOut);
  EXPECT_EQ(desk.read(fd, 10), gives(3));
  EXPECT_EQ(desk.poll(fd), kEnd | kOut);
  EXPECT_EQ(desk.read(fd, 10), gives(0));
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  EXPECT_EQ(desk.poll(fd), kEnd | kOut | POLLHUP);
}

TEST(Readiness, OfOneWhoHasSaidEverything) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  EXPECT_EQ(desk.poll(fd), kOut);
  desk.in(". 1:1(0) ack 2 win 65535");
  desk.in("F. 1:1(0) ack 2 win 65535");
  EXPECT_EQ(desk.poll(fd), kEnd | kOut | POLLHUP);
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), fails(ENOTCONN));
  Name name;
  EXPECT_EQ(desk.sockets.getpeername(fd, name.as_sockaddr(), &name.length), fails(ENOTCONN));
}

TEST(Readiness, OfAConnectionThatWasReset) {
  Desk desk;
  const int fd = desk.opened();
  desk.in("P. 1:3(2) ack 1 win 65535");
  desk.in("R. 3:3(0) ack 1 win 0");
  EXPECT_EQ(desk.poll(fd), kReset);
  EXPECT_EQ(desk.read(fd, 1), gives(1));
  EXPECT_EQ(desk.read(fd, 1), gives(1));
  EXPECT_EQ(desk.poll(fd), kReset);
  EXPECT_EQ(desk.write(fd, 1), fails(ECONNRESET));
  EXPECT_EQ(desk.write(fd, 1), fails(EPIPE));
  EXPECT_EQ(desk.read(fd, 1), gives(0));
  EXPECT_EQ(desk.poll(fd), kEnd | kOut | POLLHUP);
  EXPECT_EQ(desk.connect(fd), fails(EISCONN));
}

TEST(Readiness, OfAConnectionThatWasResetAfterItsPeersEnd) {
  Desk desk;
  const int fd = desk.opened();
  desk.in("F. 1:1(0) ack 1 win 65535");
  desk.in("R. 2:2(0) ack 1 win 0");
  EXPECT_EQ(desk.poll(fd), kReset);
  EXPECT_EQ(desk.read(fd, 1), gives(0));
  EXPECT_EQ(desk.error_of(fd), EPIPE);
  EXPECT_EQ(desk.error_of(fd), 0);
}

TEST(Readiness, WhileConnecting) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.poll(fd), kOut | POLLHUP);
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.out("S 0:0(0) <*>");
  EXPECT_EQ(desk.poll(fd), 0);
  desk.in("R. 0:0(0) ack 1 win 0");
  EXPECT_EQ(desk.poll(fd), kReset);
  EXPECT_EQ(desk.connect(fd), fails(ECONNREFUSED));
  EXPECT_EQ(desk.poll(fd), kOut | POLLHUP);
}

TEST(Readiness, AfterReadingWasShutDown) {
  Desk desk;
  const int fd = desk.opened();
  desk.in("P. 1:4(3) ack 1 win 65535");
  EXPECT_EQ(desk.shutdown(fd, SHUT_RD), gives(0));
  EXPECT_EQ(desk.poll(fd), kEnd | kOut);
  EXPECT_EQ(desk.read(fd, 2), gives(2));
  EXPECT_EQ(desk.read(fd, 2), gives(1));
  EXPECT_EQ(desk.read(fd, 2), gives(0));
  desk.in("P. 4:5(1) ack 1 win 65535");
  EXPECT_EQ(desk.read(fd, 5), gives(1));
  EXPECT_EQ(desk.write(fd, 1), gives(1));
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  EXPECT_EQ(desk.poll(fd), kEnd | kOut | POLLHUP);
  desk.peer.forget_output();
  desk.in("P. 5:9(4) ack 3 win 65535");
  desk.out("R 3:3(0)");
  EXPECT_EQ(desk.poll(fd), kReset);
  EXPECT_EQ(desk.error_of(fd), ECONNRESET);
}

TEST(Readiness, ToWriteNeedsAThirdOfTheBuffer) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_SNDBUF, 6000), gives(0));
  EXPECT_EQ(desk.write(fd, 20000), gives(12000));
  EXPECT_EQ(desk.write(fd, 1), fails(EAGAIN));
  EXPECT_EQ(desk.poll(fd), 0);
  desk.in(". 1:1(0) ack 2921 win 65535");
  EXPECT_EQ(desk.poll(fd), 0);
  desk.in(". 1:1(0) ack 4381 win 65535");
  EXPECT_EQ(desk.poll(fd), kOut);
}

TEST(Readiness, ToWriteHeedsWhatMayWaitUnsent) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1000), gives(0));
  desk.in(". 1:1(0) ack 1 win 0");
  EXPECT_EQ(desk.write(fd, 500), gives(500));
  EXPECT_EQ(desk.poll(fd), kOut);
  EXPECT_EQ(desk.write(fd, 600), gives(600));
  EXPECT_EQ(desk.poll(fd), 0);
  EXPECT_EQ(desk.write(fd, 1), fails(EAGAIN));
  desk.in(". 1:1(0) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), kOut);
}

TEST(Readiness, ToReadNeedsTheLowWaterMark) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_RCVLOWAT, 10), gives(0));
  desk.in("P. 1:10(9) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), kOut);
  desk.in("P. 10:11(1) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), kIn | kOut);
}

TEST(Readiness, IsAskedOfManyAtOnceAndWaitsForTheFirst) {
  Desk desk;
  const int listening = desk.listener();
  std::array<pollfd, 4> all{{{listening, POLLIN, 0}, {-1, POLLIN, 0}, {99, POLLIN, 0}, {4, 0, 0}}};
  EXPECT_EQ(desk.sockets.poll(desk.now(), all.data(), 4, 0), gives(2));
  EXPECT_EQ(all[1].revents, 0);
  EXPECT_EQ(all[2].revents, POLLNVAL);
  EXPECT_EQ(all[3].revents, POLLNVAL);
  const Outcome waits = desk.sockets.poll(desk.now(), all.data(), 2, 100);
  EXPECT_TRUE(waits.waits);
  EXPECT_EQ(waits.until, desk.now() + Duration(std::chrono::milliseconds(100)));
  desk.after(std::chrono::milliseconds(50));
  EXPECT_EQ(desk.sockets.poll(desk.now(), all.data(), 2, 100).until, waits.until);
  desk.handshake();
  EXPECT_EQ(desk.sockets.poll(desk.now(), all.data(), 2, 100), gives(1));
  EXPECT_EQ(desk.accept(listening), gives(4));
  EXPECT_TRUE(desk.sockets.poll(desk.now(), all.data(), 2, 100).waits);
  desk.after(std::chrono::milliseconds(100));
  EXPECT_EQ(desk.sockets.poll(desk.now(), all.data(), 2, 100), gives(0));
  EXPECT_TRUE(desk.sockets.poll(desk.now(), all.data(), 2, -1).waits);
}

// ---- urgent data

class UrgentData : public testing::Test {
 protected:
  int at_mark() { return control(SIOCATMARK); }
  int waiting() { return control(FIONREAD); }
  int control(unsigned long request) {
    int number = -1;
    EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, request, &number), gives(0));
    return number;
  }
  void urgent_in_the_middle() {
    desk.in("PU. 1:4(3) ack 1 win 65535 urg 3");
    desk.in("P. 4:6(2) ack 1 win 65535");
  }
  Desk desk;
  int fd = desk.opened();
};

TEST_F(UrgentData, IsSetAsideAndReadingStopsAtTheMark) {
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), fails(EINVAL));
  urgent_in_the_middle();
  EXPECT_EQ(desk.poll(fd), kIn | kOut | POLLPRI);
  EXPECT_EQ(at_mark(), 0);
  EXPECT_EQ(waiting(), 2);
  EXPECT_EQ(desk.read(fd, 10), gives(2));
  EXPECT_EQ(at_mark(), 1);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(desk.poll(fd), kIn | kOut | POLLPRI);
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB | MSG_PEEK), gives(1));
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), gives(1));
  EXPECT_EQ(desk.buffer[0], script::pattern(script::Stream::from_remote, 3));
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), fails(EINVAL));
  EXPECT_EQ(desk.poll(fd), kIn | kOut);
  EXPECT_EQ(at_mark(), 1);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(desk.read(fd, 10), gives(2));
  EXPECT_EQ(desk.buffer[0], script::pattern(script::Stream::from_remote, 4));
  EXPECT_EQ(at_mark(), 0);
}

TEST_F(UrgentData, StaysInTheStreamIfAskedFor) {
  EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_OOBINLINE, 1), gives(0));
  urgent_in_the_middle();
  EXPECT_EQ(desk.poll(fd), kIn | kOut | POLLPRI);
  EXPECT_EQ(at_mark(), 0);
  EXPECT_EQ(waiting(), 5);
  EXPECT_EQ(desk.read(fd, 10), gives(2));
  EXPECT_EQ(at_mark(), 1);
  EXPECT_EQ(waiting(), 3);
  EXPECT_EQ(desk.poll(fd), kIn | kOut | POLLPRI);
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), fails(EINVAL));
  EXPECT_EQ(desk.read(fd, 10), gives(3));
  EXPECT_EQ(at_mark(), 0);
  EXPECT_EQ(desk.poll(fd), kOut);
}

TEST_F(UrgentData, IsGoneOnceReadingHasPassedIt) {
  desk.in("PU. 1:2(1) ack 1 win 65535 urg 1");
  EXPECT_EQ(desk.poll(fd), kOut | POLLPRI);
  EXPECT_EQ(desk.read(fd, 10), fails(EAGAIN));
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), fails(EINVAL));
  EXPECT_EQ(desk.poll(fd), kOut);
}

TEST_F(UrgentData, IsAnnouncedBeforeItComes) {
  desk.in("U. 1:1(0) ack 1 win 65535 urg 5");
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), fails(EAGAIN));
  desk.in("P. 1:6(5) ack 1 win 65535");
  EXPECT_EQ(desk.read(fd, 1, MSG_OOB), gives(1));
}

TEST_F(UrgentData, IsSentWithTheMarkBehindItsLastOctet) {
  desk.peer.forget_output();
  EXPECT_EQ(desk.write(fd, 10, MSG_OOB), gives(10));
  desk.out("PU. 1:11(10) ack 1 urg 10");
}

}  // namespace
}  // namespace estab::posix
