// What the comparison with the kernel (tests/oracle) found in the socket calls.

#include "posix/testing/desk.h"
#include "stack/testing/datagrams.h"

namespace estab::posix {
namespace {

// RFC 9293 §3.9.2.2 (SHLD-25).
TEST(OracleFindings, SocketErrorTellsOnceWhatIcmpAdvised) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.write(fd, 10), gives(10));
  const script::Sent sent = desk.peer.out("P. 1:11(10) ack 1");
  const wire::IcmpMessage message =
      wire::make_icmp_error(Family::ipv4, wire::IcmpError::Kind::host_unreachable, 0, sent.octets);
  desk.peer.in_octets(script::icmp(desk.peer.remote(), desk.peer.local(), message));
  desk.after(Duration::zero());
  EXPECT_EQ(desk.error_of(fd), EHOSTUNREACH);
  EXPECT_EQ(desk.error_of(fd), 0);
  EXPECT_EQ(desk.write(fd, 10), gives(10)) << "the connection goes on";
}

// tcp_v4_err in SYN-SENT, where RFC 5461 §4.1 backs it.
TEST(OracleFindings, ConnectFailsAtOnceWithWhatIcmpSays) {
  using Kind = wire::IcmpError::Kind;
  for (const auto& [kind, error] : {std::pair{Kind::net_unreachable, ENETUNREACH},
                                    std::pair{Kind::host_unreachable, EHOSTUNREACH},
                                    std::pair{Kind::administratively_prohibited, EHOSTUNREACH},
                                    std::pair{Kind::time_exceeded, EHOSTUNREACH},
                                    std::pair{Kind::port_unreachable, ECONNREFUSED}}) {
    Desk desk;
    const int fd = desk.tcp_socket(SOCK_NONBLOCK);
    EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
    EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
    const script::Sent syn = desk.peer.out("S 0:0(0) <*>");
    const wire::IcmpMessage message = wire::make_icmp_error(Family::ipv4, kind, 0, syn.octets);
    desk.peer.in_octets(script::icmp(desk.peer.remote(), desk.peer.local(), message));
    desk.after(Duration::zero());
    EXPECT_EQ(desk.error_of(fd), error);
    desk.after(std::chrono::seconds(300));
    desk.peer.quiet();
  }
}

TEST(OracleFindings, ANewAttemptToConnectStartsWithoutTheErrorOfTheLast) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  EXPECT_EQ(desk.shutdown(fd, SHUT_RDWR), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  EXPECT_EQ(desk.error_of(fd), 0);
}

// RFC 1122 §4.2.2.13: nobody will read what comes, and the peer is to know.
TEST(OracleFindings, TextIsRefusedAfterBothDirectionsWereShutInASimultaneousOpen) {
  Desk desk;
  const int fd = desk.tcp_socket(SOCK_NONBLOCK);
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.out("S 0:0(0) <*>");
  desk.in("S 0:0(0) win 65535 <mss 1460>");
  desk.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(desk.shutdown(fd, SHUT_RDWR), gives(0));
  desk.in(". 1:1(0) ack 1 win 65535");
  desk.out("F. 1:1(0) ack 1");
  desk.in("P. 1:11(10) ack 2 win 65535");
  desk.out("R 2:2(0)");
}

// RFC 1122 §4.2.2.13: what is lost is to be told.
TEST(OracleFindings, CloseResetsIfAnUrgentOctetWasSetAsideAndNotRead) {
  for (const bool is_read : {false, true}) {
    Desk desk;
    const int fd = desk.opened();
    desk.in("PU. 1:2(1) ack 1 win 65535 urg 1");
    desk.after(std::chrono::seconds(1));
    desk.out(". 1:1(0) ack 2");
    if (is_read) {
      EXPECT_EQ(desk.read(fd, 1, MSG_OOB), gives(1));
    }
    EXPECT_EQ(desk.close(fd), gives(0));
    desk.out(is_read ? "F. 1:1(0) ack 2" : "R. 1:1(0) ack 2");
  }
}

}  // namespace
}  // namespace estab::posix
