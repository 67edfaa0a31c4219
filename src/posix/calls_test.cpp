// Names, errors and ends of calls. What is expected of errno is what Linux 6.18 answered.

#include <poll.h>
#include <sys/ioctl.h>

#include "posix/testing/desk.h"

namespace estab::posix {
namespace {

using namespace std::chrono_literals;

TEST(SocketCall, TakesWhatThereIs) {
  Desk desk;
  const auto error = [&](int domain, int type, int protocol) {
    return desk.sockets.socket(domain, type, protocol).error;
  };
  EXPECT_EQ(error(99, SOCK_STREAM, 0), EAFNOSUPPORT);
  EXPECT_EQ(error(AF_INET, 99, 0), EINVAL);
  EXPECT_EQ(error(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
  EXPECT_EQ(error(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
  EXPECT_EQ(error(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
  EXPECT_EQ(error(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
  EXPECT_EQ(desk.sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), gives(3));
  EXPECT_EQ(desk.sockets.socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), gives(4));
  EXPECT_EQ(desk.close(3), gives(0));
  EXPECT_EQ(desk.sockets.socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), gives(3));
  EXPECT_EQ(desk.sockets.fcntl(3, F_GETFL, 0), gives(O_RDWR | O_NONBLOCK));
  EXPECT_EQ(desk.sockets.fcntl(4, F_GETFD, 0), gives(FD_CLOEXEC));
  EXPECT_EQ(desk.sockets.fcntl(4, F_GETFL, 0), gives(O_RDWR));
  EXPECT_EQ(desk.sockets.fcntl(99, F_GETFL, 0), fails(EBADF));
}

TEST(SocketCall, NumbersDescriptorsAsItIsTold) {
  Desk desk;
  int next = 70;
  Sockets sockets(desk.peer.stack(), Profile::linux_, [&] { return next--; });
  EXPECT_EQ(sockets.socket(AF_INET, SOCK_STREAM, 0), gives(70));
  EXPECT_EQ(sockets.socket(AF_INET, SOCK_STREAM, 0), gives(69));
  next = -1;
  EXPECT_EQ(sockets.socket(AF_INET, SOCK_STREAM, 0), fails(EMFILE));
}

TEST(FreshSocket, AnswersEachCall) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.read(fd, 1), fails(ENOTCONN));
  EXPECT_EQ(desk.write(fd, 1), fails(EPIPE));
  EXPECT_EQ(desk.accept(fd), fails(EINVAL));
  EXPECT_EQ(desk.shutdown(fd, 3), fails(EINVAL));
  Name name;
  EXPECT_EQ(desk.sockets.getpeername(fd, name.as_sockaddr(), &name.length), fails(ENOTCONN));
  EXPECT_EQ(desk.sockets.getsockname(fd, name.as_sockaddr(), &name.length), gives(0));
  EXPECT_EQ(name.endpoint(), (Endpoint{IpAddress::any(Family::ipv4), 0}));
  for (const unsigned long request : {FIONREAD, TIOCOUTQ}) {
    int number = -1;
    EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, request, &number), gives(0));
    EXPECT_EQ(number, 0);
  }
  int number = 1;
  EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, 0x1234, &number), fails(ENOTTY));
  EXPECT_EQ(desk.sockets.ioctl(desk.now(), 99, FIONREAD, &number), fails(EBADF));
}

TEST(Descriptor, MustBeThereAndOfTheRightKind) {
  Desk desk;
  const int epoll = static_cast<int>(desk.sockets.epoll_create(0).value);
  EXPECT_EQ(desk.read(99, 1), fails(EBADF));
  EXPECT_EQ(desk.write(99, 1), fails(EBADF));
  EXPECT_EQ(desk.accept(99), fails(EBADF));
  EXPECT_EQ(desk.shutdown(99, SHUT_RD), fails(EBADF));
  EXPECT_EQ(desk.close(99), fails(EBADF));
  EXPECT_EQ(desk.sockets.listen(desk.now(), epoll, 1), fails(ENOTSOCK));
  EXPECT_EQ(desk.bind(epoll, desk.local_name()), fails(ENOTSOCK));
  EXPECT_EQ(desk.sockets.recv(desk.now(), desk.tcp_socket(), nullptr, 1, 0), fails(EFAULT));
}

TEST(Bind, ChecksNameAndAddress) {
  Desk desk;
  const int fd = desk.tcp_socket();
  Name name = desk.local_name();
  EXPECT_EQ(desk.sockets.bind(fd, name.as_sockaddr(), 8), fails(EINVAL));
  EXPECT_EQ(desk.bind(fd, Name(AF_INET6, {*IpAddress::parse("::1"), 1})), fails(EAFNOSUPPORT));
  EXPECT_EQ(desk.bind(fd, Name(AF_INET, {IpAddress::v4(192, 0, 2, 77), 0})), fails(EADDRNOTAVAIL));
  EXPECT_EQ(desk.bind(fd, desk.local_name(0)), gives(0));
  EXPECT_EQ(desk.bind(fd, desk.local_name(0)), fails(EINVAL));
  EXPECT_EQ(desk.sockets.getsockname(fd, name.as_sockaddr(), &name.length), gives(0));
  EXPECT_EQ(name.endpoint().address, desk.peer.local());
  EXPECT_NE(name.endpoint().port, 0);
}

TEST(Bind, TakesNoFamilyForIpv4IfTheAddressSaysNothing) {
  Desk desk;
  const int fd = desk.tcp_socket();
  Name name = desk.local_name();
  name.storage.ss_family = AF_UNSPEC;
  EXPECT_EQ(desk.bind(fd, name), fails(EAFNOSUPPORT));
  name = Name(AF_INET, {IpAddress::any(Family::ipv4), 8080});
  name.storage.ss_family = AF_UNSPEC;
  EXPECT_EQ(desk.bind(fd, name), gives(0));
}

TEST(Bind, SharesAPortOnlyWhereBothAgree) {
  Desk desk;
  const int first = desk.tcp_socket(), second = desk.tcp_socket(), third = desk.tcp_socket();
  EXPECT_EQ(desk.bind(first, desk.local_name()), gives(0));
  EXPECT_EQ(desk.set(second, SOL_SOCKET, SO_REUSEADDR, 1), gives(0));
  EXPECT_EQ(desk.bind(second, desk.local_name()), fails(EADDRINUSE));
  EXPECT_EQ(desk.bind(second, Name(AF_INET, {IpAddress::any(Family::ipv4), 8080})),
            fails(EADDRINUSE));
  EXPECT_EQ(desk.bind(second, desk.local_name(8081)), gives(0));
  EXPECT_EQ(desk.set(first, SOL_SOCKET, SO_REUSEADDR, 1), gives(0));
  EXPECT_EQ(desk.set(third, SOL_SOCKET, SO_REUSEADDR, 1), gives(0));
  EXPECT_EQ(desk.bind(third, desk.local_name()), gives(0));
  EXPECT_EQ(desk.sockets.listen(desk.now(), first, 1), gives(0));
  EXPECT_EQ(desk.sockets.listen(desk.now(), third, 1), fails(EADDRINUSE));
}

TEST(Bind, FindsThePortOfAnOldConnectionTaken) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.close(fd), gives(0));
  desk.in("F. 1:1(0) ack 2 win 65535");
  EXPECT_EQ(desk.table(), "192.0.2.1:8080 192.0.2.2:40000 TIME-WAIT\n");
  const int again = desk.tcp_socket();
  EXPECT_EQ(desk.bind(again, desk.local_name()), fails(EADDRINUSE));
  EXPECT_EQ(desk.set(again, SOL_SOCKET, SO_REUSEADDR, 1), gives(0));
  EXPECT_EQ(desk.bind(again, desk.local_name()), gives(0));
}

TEST(Listen, NeedsAStreamThatIsNotConnected) {
  Desk desk;
  const int udp = static_cast<int>(desk.sockets.socket(AF_INET, SOCK_DGRAM, 0).value);
  EXPECT_EQ(desk.sockets.listen(desk.now(), udp, 1), fails(EOPNOTSUPP));
  const int fd = desk.tcp_socket();
  EXPECT_EQ(desk.sockets.listen(desk.now(), fd, -1), gives(0));
  EXPECT_EQ(desk.sockets.listen(desk.now(), fd, 5), gives(0));
  Name name;
  EXPECT_EQ(desk.sockets.getsockname(fd, name.as_sockaddr(), &name.length), gives(0));
  EXPECT_NE(name.endpoint().port, 0);
  EXPECT_EQ(desk.read(fd, 1), fails(ENOTCONN));
  EXPECT_EQ(desk.write(fd, 1), fails(EPIPE));
  EXPECT_EQ(desk.connect(fd), fails(EISCONN));
  int number = 0;
  EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, FIONREAD, &number), fails(EINVAL));
  const int open = desk.opened();
  EXPECT_EQ(desk.sockets.listen(desk.now(), open, 1), fails(EINVAL));
  EXPECT_EQ(desk.bind(open, desk.local_name(0)), fails(EINVAL));
  EXPECT_EQ(desk.accept(open), fails(EINVAL));
}

// A queue is full when it holds more than the backlog (sk_acceptq_is_full).
TEST(Listen, QueuesOneMoreThanTheBacklog) {
  Desk desk;
  const int fd = desk.listener(1);
  for (const std::uint16_t port : {40000, 40001}) {
    desk.peer.talk_from(port);
    desk.handshake();
  }
  desk.peer.talk_from(40002);
  desk.in("S 0:0(0) win 65535 <mss 1460>");
  desk.peer.quiet();
  EXPECT_EQ(desk.accept(fd), gives(4));
  desk.in("S 0:0(0) win 65535 <mss 1460>");
  desk.out("S. 0:0(0) ack 1 <*>");
}

TEST(Listen, OnTheUnspecifiedAddressOfIpv6TakesIpv4Too) {
  for (const bool only : {false, true}) {
    Desk desk({.domain = AF_INET6});
    const int fd = desk.tcp_socket();
    EXPECT_EQ(desk.set(fd, IPPROTO_IPV6, IPV6_V6ONLY, only ? 1 : 0), gives(0));
    EXPECT_EQ(desk.bind(fd, Name(AF_INET6, {IpAddress(), 8080})), gives(0));
    EXPECT_EQ(desk.sockets.listen(desk.now(), fd, 1), gives(0));
    EXPECT_EQ(desk.table(), "[::]:8080 [::]:* LISTEN\n");
    desk.in("S 0:0(0) win 65535 <mss 1460>");
    if (only) {
      const auto answer = desk.peer.next();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->segment->flags, kRst | kAck);
      continue;
    }
    desk.out("S. 0:0(0) ack 1 <*>");
    desk.in(". 1:1(0) ack 1 win 65535");
    Name from;
    EXPECT_EQ(desk.accept(fd, &from), gives(4));
    EXPECT_EQ(from.length, sizeof(sockaddr_in6));
    EXPECT_EQ(from.endpoint(), (Endpoint{desk.peer.remote(), 40000}));
  }
}

TEST(Accept, MayBeDeferredUntilThereIsData) {
  Desk desk;
  const int fd = desk.listener();
  EXPECT_EQ(desk.set_nonblocking(fd), gives(0));
  EXPECT_EQ(desk.set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 3), gives(0));
  desk.handshake();
  EXPECT_EQ(desk.poll(fd), 0);
  EXPECT_EQ(desk.accept(fd), fails(EAGAIN));
  desk.in("P. 1:11(10) ack 1 win 65535");
  EXPECT_EQ(desk.poll(fd), POLLIN | POLLRDNORM);
  EXPECT_EQ(desk.accept(fd), gives(4));
  EXPECT_EQ(desk.read(4, 100), gives(10));
  desk.peer.forget_output();
  for (const std::uint16_t port : {40001, 40002}) {
    desk.peer.talk_from(port);
    desk.handshake();
    EXPECT_EQ(desk.accept(fd), fails(EAGAIN));
  }
  desk.after(3s);
  EXPECT_EQ(desk.accept(fd), gives(5));
  EXPECT_EQ(desk.close(fd), gives(0));
  desk.out("R. 1:1(0) ack 1");
}

TEST(Connect, ReachesIpv4ThroughAMappedAddress) {
  Desk desk({.domain = AF_INET6});
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.out("S 0:0(0) <*>");
  desk.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  desk.out(". 1:1(0) ack 1");
  Name name;
  EXPECT_EQ(desk.sockets.getpeername(fd, name.as_sockaddr(), &name.length), gives(0));
  EXPECT_EQ(name.endpoint().address, desk.peer.remote());
  EXPECT_EQ(name.storage.ss_family, AF_INET6);
}

TEST(Connect, RefusesNamesNobodyHas) {
  Desk desk;
  const int fd = desk.tcp_socket();
  const auto error = [&](Name name, socklen_t length) {
    return desk.sockets.connect(desk.now(), fd, name.as_sockaddr(), length).error;
  };
  EXPECT_EQ(error(desk.remote_name(), 1), EINVAL);
  EXPECT_EQ(error(desk.remote_name(), 8), EINVAL);
  EXPECT_EQ(error(Name(AF_INET6, {*IpAddress::parse("::1"), 1}), 28), EAFNOSUPPORT);
  EXPECT_EQ(error(Name(AF_INET, {IpAddress::v4(224, 0, 0, 1), 1}), 16), ENETUNREACH);
  EXPECT_EQ(error(Name(AF_INET, {IpAddress::v4(255, 255, 255, 255), 1}), 16), ENETUNREACH);
  EXPECT_EQ(error(Name(AF_INET, {IpAddress::v4(10, 0, 0, 1), 1}), 16), ENETUNREACH);
}

TEST(Connect, TellsOfTheRefusalOnceAndMayTryAgain) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.out("S 0:0(0) <*>");
  desk.in("R. 0:0(0) ack 1 win 0");
  EXPECT_EQ(desk.error_of(fd), ECONNREFUSED);
  EXPECT_EQ(desk.connect(fd), fails(ECONNABORTED));
  desk.peer.start_over(SeqNum(77));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.out("S 0:0(0) <*>");
  desk.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  desk.out(". 1:1(0) ack 1");
  EXPECT_EQ(desk.connect(fd), gives(0));
}

TEST(Connect, ToNothingLetsGoOfAConnection) {
  Desk desk;
  const int fd = desk.opened();
  sockaddr nothing{};
  nothing.sa_family = AF_UNSPEC;
  EXPECT_EQ(desk.sockets.connect(desk.now(), fd, &nothing, sizeof nothing), gives(0));
  desk.out("R. 1:1(0) ack 1");
  EXPECT_EQ(desk.error_of(fd), ECONNRESET);
  EXPECT_EQ(desk.read(fd, 1), fails(ENOTCONN));
}

TEST(Connect, BlocksUntilTheHandshakeIsOver) {
  Desk desk;
  const int fd = desk.tcp_socket();
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_TRUE(desk.connect(fd).waits);
  desk.out("S 0:0(0) <*>");
  EXPECT_TRUE(desk.connect(fd).waits);
  desk.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(desk.connect(fd), gives(0));
}

TEST(Connect, GivesUpWaitingAfterTheSendTimeOut) {
  Desk desk;
  const int fd = desk.tcp_socket();
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_SNDTIMEO, timeval{0, 500000}), gives(0));
  const Outcome waits = desk.connect(fd);
  EXPECT_TRUE(waits.waits);
  EXPECT_EQ(waits.until, desk.now() + 500ms);
  desk.after(500ms);
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  EXPECT_TRUE(desk.connect(fd).waits);
  desk.after(500ms);
  EXPECT_EQ(desk.connect(fd), fails(EALREADY));
}

TEST(Connect, IsUndoneByShutdownAndClose) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.peer.forget_output();
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  desk.after(10s);
  desk.peer.quiet();
  EXPECT_EQ(desk.table(), "");
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.peer.forget_output();
  EXPECT_EQ(desk.close(fd), gives(0));
  EXPECT_EQ(desk.table(), "");
}

// ---- closing

TEST(Close, WithUnreadDataResets) {
  Desk desk;
  const int fd = desk.opened();
  desk.in("P. 1:11(10) ack 1 win 65535");
  desk.out(". 1:1(0) ack 11");
  EXPECT_EQ(desk.close(fd), gives(0));
  desk.out("R. 1:1(0) ack 11");
}

TEST(Close, WithNoTimeToLingerResets) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_LINGER, linger{1, 0}), gives(0));
  EXPECT_EQ(desk.write(fd, 10), gives(10));
  desk.peer.forget_output();
  EXPECT_EQ(desk.close(fd), gives(0));
  desk.out("R. 11:11(0) ack 1");
  EXPECT_EQ(desk.table(), "");
}

TEST(Close, LingersUntilAllIsAcknowledged) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_LINGER, linger{1, 5}), gives(0));
  EXPECT_EQ(desk.write(fd, 10), gives(10));
  const Outcome waits = desk.close(fd);
  EXPECT_TRUE(waits.waits);
  EXPECT_EQ(waits.until, desk.now() + 5s);
  desk.peer.forget_output();
  desk.in(". 1:1(0) ack 11 win 65535");
  EXPECT_TRUE(desk.close(fd).waits);
  desk.in(". 1:1(0) ack 12 win 65535");
  EXPECT_EQ(desk.close(fd), gives(0));
  EXPECT_EQ(desk.close(fd), fails(EBADF));
  EXPECT_EQ(desk.table(), "192.0.2.1:8080 192.0.2.2:40000 FIN-WAIT-2\n");
}

TEST(Close, OfAListenerResetsWhatWaits) {
  Desk desk;
  const int fd = desk.listener();
  desk.handshake();
  EXPECT_EQ(desk.close(fd), gives(0));
  desk.out("R. 1:1(0) ack 1");
  EXPECT_EQ(desk.table(), "");
}

TEST(Close, LeavesTheSocketInTheTableUntilItIsOver) {
  Desk desk;
  const int listening = desk.listener();
  desk.handshake();
  const std::string rest = "192.0.2.1:8080 192.0.2.2:40000 ";
  EXPECT_EQ(desk.table(), "192.0.2.1:8080 0.0.0.0:* LISTEN\n" + rest + "ESTABLISHED\n");
  const int fd = static_cast<int>(desk.accept(listening).value);
  EXPECT_EQ(desk.close(listening), gives(0));
  EXPECT_EQ(desk.close(fd), gives(0));
  EXPECT_EQ(desk.table(), rest + "FIN-WAIT-1\n");
  desk.in(". 1:1(0) ack 2 win 65535");
  EXPECT_EQ(desk.table(), rest + "FIN-WAIT-2\n");
  desk.in("F. 1:1(0) ack 2 win 65535");
  EXPECT_EQ(desk.table(), rest + "TIME-WAIT\n");
  desk.after(60s);
  EXPECT_EQ(desk.table(), "");
}

TEST(Shutdown, OfWritingLetsReadingGoOn) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  desk.out("F. 1:1(0) ack 1");
  desk.in(". 1:1(0) ack 2 win 257");
  EXPECT_EQ(desk.write(fd, 1000), fails(EPIPE));
  desk.in(". 1:1001(1000) ack 2 win 257");
  desk.out(". 2:2(0) ack 1001");
  EXPECT_EQ(desk.read(fd, 1000), gives(1000));
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  EXPECT_EQ(desk.close(fd), gives(0));
  desk.in("F. 1001:1001(0) ack 2 win 257");
  desk.out(". 2:2(0) ack 1002");
}

TEST(Shutdown, IsToldOfAResetInPlaceOfTheLastAcknowledgement) {
  for (const bool reset : {false, true}) {
    Desk desk;
    const int fd = desk.opened();
    desk.in("F. 1:1(0) ack 1 win 65535");
    EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
    desk.in(reset ? "R. 2:2(0) ack 1 win 0" : ". 2:2(0) ack 2 win 65535");
    EXPECT_EQ(desk.error_of(fd), reset ? ECONNRESET : 0);
  }
}

// ---- blocking

TEST(BlockingRead, WaitsForDataAndForItsTimeOut) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.sockets.fcntl(fd, F_SETFL, O_RDWR), gives(0));
  EXPECT_EQ(desk.read(fd, 10), (Outcome{.value = -1, .error = EAGAIN, .waits = true}));
  EXPECT_EQ(desk.read(fd, 10, MSG_DONTWAIT), fails(EAGAIN));
  EXPECT_TRUE(desk.read(fd, 10).waits);
  desk.in("P. 1:6(5) ack 1 win 65535");
  EXPECT_EQ(desk.read(fd, 10), gives(5));
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_RCVTIMEO, timeval{1, 0}), gives(0));
  EXPECT_EQ(desk.read(fd, 10).until, desk.now() + 1s);
  desk.after(1s);
  EXPECT_EQ(desk.read(fd, 10), fails(EAGAIN));
  EXPECT_TRUE(desk.read(fd, 10).waits);
  desk.in("R. 6:6(0) ack 1 win 0");
  EXPECT_EQ(desk.read(fd, 10), fails(ECONNRESET));
}

TEST(BlockingRead, WaitsForAllIfToldTo) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.sockets.fcntl(fd, F_SETFL, O_RDWR), gives(0));
  std::vector<std::uint8_t> buffer(10);
  const auto read = [&] {
    return desk.sockets.recv(desk.now(), fd, buffer.data(), 10, MSG_WAITALL);
  };
  desk.in("P. 1:4(3) ack 1 win 65535");
  EXPECT_TRUE(read().waits);
  desk.in("P. 4:8(4) ack 1 win 65535");
  EXPECT_TRUE(read().waits);
  desk.in("P. 8:21(13) ack 1 win 65535");
  EXPECT_EQ(read(), gives(10));
  EXPECT_EQ(buffer, script::pattern(script::Stream::from_remote, 1, 10));
  EXPECT_EQ(read(), gives(10));
  desk.in("FP. 21:23(2) ack 1 win 65535");
  EXPECT_EQ(read(), gives(2));
  EXPECT_EQ(read(), gives(0));
}

TEST(BlockingWrite, GoesOnWhereItStopped) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.sockets.fcntl(fd, F_SETFL, O_RDWR), gives(0));
  EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_SNDBUF, 5000), gives(0));
  EXPECT_TRUE(desk.write(fd, 14000).waits);
  desk.peer.forget_output();
  EXPECT_TRUE(desk.write(fd, 14000).waits);
  desk.in(". 1:1(0) ack 8761 win 65535");
  EXPECT_EQ(desk.write(fd, 14000), gives(14000));
}

TEST(BlockingWrite, TellsWhatWentIfItsTimeIsUp) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.sockets.fcntl(fd, F_SETFL, O_RDWR), gives(0));
  EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_SNDBUF, 5000), gives(0));
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_SNDTIMEO, timeval{0, 100000}), gives(0));
  EXPECT_TRUE(desk.write(fd, 14000).waits);
  desk.after(100ms);
  EXPECT_EQ(desk.write(fd, 14000), gives(10000));
  EXPECT_TRUE(desk.write(fd, 100).waits);
  desk.after(100ms);
  EXPECT_EQ(desk.write(fd, 100), fails(EAGAIN));
}

TEST(Write, BeforeTheConnectionIsOpenFollowsTheProfile) {
  for (const Profile profile : {Profile::linux_, Profile::freebsd, Profile::rfc}) {
    Desk desk({.profile = profile});
    const int fd = desk.tcp_socket(SOCK_NONBLOCK);
    EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
    EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
    desk.out("S 0:0(0) <*>");
    const bool queues = profile != Profile::linux_;
    EXPECT_EQ(desk.write(fd, 100), queues ? gives(100) : fails(EAGAIN));
    desk.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
    desk.out(queues ? "P. 1:101(100) ack 1" : ". 1:1(0) ack 1");
  }
}

// ---- vectors, messages, flags

TEST(Vectors, AreFilledAndGatheredInOrder) {
  Desk desk;
  const int fd = desk.opened();
  desk.in("P. 1:11(10) ack 1 win 65535");
  desk.peer.forget_output();
  std::vector<std::uint8_t> a(3), b(100);
  const std::array<iovec, 3> into = {{{a.data(), 3}, {nullptr, 0}, {b.data(), 100}}};
  EXPECT_EQ(desk.sockets.readv(desk.now(), fd, into.data(), 3), gives(10));
  b.resize(7);
  EXPECT_EQ(a, script::pattern(script::Stream::from_remote, 1, 3));
  EXPECT_EQ(b, script::pattern(script::Stream::from_remote, 4, 7));
  EXPECT_EQ(desk.sockets.readv(desk.now(), fd, into.data(), -1), fails(EINVAL));
  auto first = script::pattern(script::Stream::from_stack, 1, 4);
  auto second = script::pattern(script::Stream::from_stack, 5, 6);
  const std::array<iovec, 2> from = {{{first.data(), 4}, {second.data(), 6}}};
  EXPECT_EQ(desk.sockets.writev(desk.now(), fd, from.data(), 2), gives(10));
  desk.out("P. 1:11(10) ack 11");
}

TEST(Vectors, OfNothingAreDoneAtOnce) {
  Desk desk;
  const int fd = desk.tcp_socket();
  EXPECT_EQ(desk.sockets.read(desk.now(), fd, nullptr, 0), gives(0));
  EXPECT_EQ(desk.sockets.readv(desk.now(), fd, nullptr, 0), gives(0));
  EXPECT_EQ(desk.sockets.writev(desk.now(), fd, nullptr, 0), gives(0));
  EXPECT_EQ(desk.sockets.write(desk.now(), fd, nullptr, 0), fails(EPIPE));
  EXPECT_EQ(desk.sockets.recv(desk.now(), fd, nullptr, 0, 0), fails(ENOTCONN));
  EXPECT_EQ(desk.sockets.readv(desk.now(), 99, nullptr, 0), fails(EBADF));
}

TEST(Flags, OfRecvPeekAndTruncate) {
  Desk desk;
  const int fd = desk.opened();
  desk.in("P. 1:101(100) ack 1 win 65535");
  EXPECT_EQ(desk.read(fd, 60, MSG_PEEK), gives(60));
  EXPECT_EQ(desk.buffer, script::pattern(script::Stream::from_remote, 1, 60));
  EXPECT_EQ(desk.read(fd, 40, MSG_TRUNC), gives(40));
  EXPECT_EQ(desk.buffer[0], 0);
  EXPECT_EQ(desk.read(fd, 0), gives(0));
  EXPECT_EQ(desk.read(fd, 100, MSG_PEEK), gives(60));
  EXPECT_EQ(desk.read(fd, 100), gives(60));
  EXPECT_EQ(desk.buffer[0], script::pattern(script::Stream::from_remote, 41));
  EXPECT_EQ(desk.read(fd, 1, MSG_ERRQUEUE), fails(EAGAIN));
}

TEST(Messages, TellHowMuchIsLeft) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.set(fd, IPPROTO_TCP, TCP_INQ, 1), gives(0));
  desk.in("P. 1:101(100) ack 1 win 65535");
  std::array<std::uint8_t, 60> data;
  iovec vector{data.data(), data.size()};
  alignas(cmsghdr) std::array<std::uint8_t, 64> control;
  msghdr message{};
  const auto left = [&] {
    message = {};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    (void)desk.sockets.recvmsg(desk.now(), fd, &message, 0);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    EXPECT_NE(header, nullptr);
    EXPECT_EQ(header->cmsg_type, TCP_CM_INQ);
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
    return number;
  };
  EXPECT_EQ(left(), 40);
  desk.in("F. 101:101(0) ack 1 win 65535");
  EXPECT_EQ(left(), 1);
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  EXPECT_EQ(desk.sockets.recvmsg(desk.now(), fd, &message, 0), gives(0));
  EXPECT_EQ(message.msg_flags, MSG_CTRUNC);
}

TEST(Queues, AreToldByIoctl) {
  Desk desk;
  const int fd = desk.opened();
  const auto ask = [&](unsigned long request) {
    int number = -1;
    EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, request, &number), gives(0));
    return number;
  };
  desk.in(". 1:1(0) ack 1 win 1460");
  EXPECT_EQ(desk.write(fd, 2000), gives(2000));
  EXPECT_EQ(ask(TIOCOUTQ), 2000);
  EXPECT_EQ(ask(0x894B), 540);  // SIOCOUTQNSD
  desk.in("P. 1:8(7) ack 1 win 1460");
  EXPECT_EQ(ask(FIONREAD), 7);
  int on = 0;
  EXPECT_EQ(desk.sockets.ioctl(desk.now(), fd, FIONBIO, &on), gives(0));
  EXPECT_EQ(desk.sockets.fcntl(fd, F_GETFL, 0), gives(O_RDWR));
}

}  // namespace
}  // namespace estab::posix
