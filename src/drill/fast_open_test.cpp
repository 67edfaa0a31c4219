// TCP Fast Open through the socket calls, as scripts: MSG_FASTOPEN, the options, the settings and
// the notation.

#include <gtest/gtest.h>

#include "drill/drill.h"

namespace estab::drill {
namespace {

void expect_pass(std::string_view script) {
  const DrillResult result = drill("fast_open.pkt", script);
  EXPECT_EQ(result.verdict, DrillVerdict::passed) << result.reason << "\n" << result.detail;
  for (const std::string& note : result.notes) ADD_FAILURE() << note;
}

// A first connection, which brings a cookie and an MSS; ports are 8080 on both sides.
constexpr std::string_view kWarmUp = R"(
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 sendto(3, ..., 0, MSG_FASTOPEN, ..., ...) = -1 EINPROGRESS (it has no cookie)
   +0 > S 0:0(0) <mss 1460,nop,nop,sackOK,nop,wscale 8,FO,nop,nop>
 +.01 < S. 123:123(0) ack 1 win 14600 <mss 1040,nop,nop,sackOK,nop,wscale 6,FO abcd1234,nop,nop>
   +0 > . 1:1(0) ack 1
   +0 %{ assert (tcpi_options & TCPI_OPT_SYN_DATA) == 0; assert tcpi_fastopen_client_fail == 1 }%
   +0 close(3) = 0
   +0 > F. 1:1(0) ack 1
   +0 < F. 1:1(0) ack 2 win 92
   +0 > . 2:2(0) ack 2
)";

std::string warmed_up(std::string_view rest) {
  return "`sysctl -q net.ipv4.tcp_timestamps=0`\n" + std::string(kWarmUp) + std::string(rest);
}

TEST(DrillFastOpen, ListensAndTakesTheOctetsOfASyn) {
  expect_pass(R"(
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [5], 4) = 0
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:10(10) win 32792 <mss 1460,sackOK,nop,nop,FO 3021b9d889017eeb,nop,nop>
   +0 > S. 0:0(0) ack 11 <mss 1460,nop,nop,sackOK>
   +0 accept(3, ..., ...) = 4
   +0 %{ assert (tcpi_options & TCPI_OPT_SYN_DATA) != 0; assert tcpi_state == TCP_SYN_RECV }%
   +0 read(4, ..., 512) = 10
   +0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
   +0 write(4, ..., 100) = 100
   +0 > P. 1:101(100) ack 11
   +0 < . 11:11(0) ack 101 win 257
   +0 %{ assert tcpi_state == TCP_ESTABLISHED }%
)");
}

TEST(DrillFastOpen, GivesTheCookieOfTheKeyThatIsSet) {
  expect_pass(R"(
`sysctl -q net.ipv4.tcp_fastopen_key=00000000-00000000-00000000-00000000`
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0
   +0 < S 0:10(10) win 32792 <mss 1460,sackOK,nop,nop,FOEXP>
   +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,FOEXP b7c12350a90dc8f5>
   +0 < R 1:1(0) win 0
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_KEY, "\xa1\xa1\xa1\xa1\xb2\xb2\xb2\xb2\xc3\xc3\xc3\xc3\xd4\xd4\xd4\xd4", 16) = 0
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_KEY, "", 3) = -1 EINVAL (of 16 octets or 32)
   +0 < S 0:10(10) win 32792 <mss 1460,sackOK,nop,nop,FO,nop,nop>
   +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,FO 3021b9d889017eeb,nop,nop>
)");
}

TEST(DrillFastOpen, IsAskedForByEachListenerWhereTheSettingSaysSo) {
  expect_pass(R"(
`sysctl -q net.ipv4.tcp_fastopen=3`
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:10(10) win 32792 <mss 1460,sackOK,nop,nop,FO 3021b9d889017eeb,nop,nop>
   +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>
)");
}

TEST(DrillFastOpen, TakesOctetsWithoutACookieWhereTheSettingSaysSo) {
  expect_pass(R"(
`sysctl -q net.ipv4.tcp_fastopen=0x602`
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:10(10) win 32792 <mss 1460,sackOK,nop,nop>
   +0 > S. 0:0(0) ack 11 <mss 1460,nop,nop,sackOK>
)");
}

TEST(DrillFastOpen, WritesWithoutWaitingWhereThereIsACookie) {
  expect_pass(warmed_up(R"(
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
   +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 sendto(4, ..., 2000, MSG_FASTOPEN, ..., ...) = 1000
   +0 > S 0:1000(1000) <mss 1460,nop,nop,sackOK,nop,wscale 8,FO abcd1234,nop,nop>
   +0 sendto(4, ..., 1000, MSG_FASTOPEN, ..., ...) = -1 EALREADY (the SYN is out)
   +0 write(4, ..., 1000) = -1 EAGAIN (the SYN is out)
 +.01 < S. 123:123(0) ack 1001 win 14600 <mss 1460,nop,nop,sackOK,nop,wscale 6>
   +0 > . 1001:1001(0) ack 1
   +0 %{ assert (tcpi_options & TCPI_OPT_SYN_DATA) != 0; assert tcpi_fastopen_client_fail == 0 }%
   +0 sendto(4, ..., 500, MSG_FASTOPEN, ..., ...) = 500
   +0 > P. 1001:1501(500) ack 1
   +0 sendto(4, ..., 500, MSG_FASTOPEN, ..., ...) = -1 EISCONN (it is)
)"));
}

TEST(DrillFastOpen, WaitsForTheHandshakeAndWritesTheRest) {
  expect_pass(warmed_up(R"(
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
   +0...0.010 sendto(4, ..., 1700, MSG_FASTOPEN, ..., ...) = 1700
   +0 > S 0:1000(1000) <mss 1460,nop,nop,sackOK,nop,wscale 8,FO abcd1234,nop,nop>
 +.01 < S. 123:123(0) ack 1001 win 14600 <mss 1460,nop,nop,sackOK,nop,wscale 6>
   +0 > P. 1001:1701(700) ack 1
)"));
}

TEST(DrillFastOpen, RepeatsTheSynWithoutOctets) {
  expect_pass(warmed_up(R"(
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
   +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 sendto(4, ..., 700, MSG_FASTOPEN, ..., ...) = 700
   +0 > S 0:700(700) <mss 1460,nop,nop,sackOK,nop,wscale 8,FO abcd1234,nop,nop>
   +1 > S 0:0(0) <mss 1460,nop,nop,sackOK,nop,wscale 8>
 +.01 < S. 123:123(0) ack 1 win 14600 <mss 1460,nop,nop,sackOK,nop,wscale 6>
   +0 > P. 1:701(700) ack 1
   +0 %{ assert (tcpi_options & TCPI_OPT_SYN_DATA) == 0; assert tcpi_fastopen_client_fail == 3 }%
)"));
}

TEST(DrillFastOpen, ConnectsWithTheFirstWrite) {
  expect_pass(warmed_up(R"(
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
   +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 setsockopt(4, SOL_TCP, TCP_FASTOPEN_CONNECT, [1], 4) = 0
   +0 connect(4, ..., ...) = 0
   +0 connect(4, ..., ...) = -1 EISCONN (so it seems)
   +0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
   +0 read(4, ..., 100) = -1 EAGAIN (nothing yet)
 +.01 write(4, ..., 300) = 300
   +0 > S 0:300(300) <mss 1460,nop,nop,sackOK,nop,wscale 8,FO abcd1234,nop,nop>
 +.01 < S. 123:123(0) ack 301 win 14600 <mss 1460,nop,nop,sackOK,nop,wscale 6>
   +0 > . 301:301(0) ack 1
)"));
}

TEST(DrillFastOpen, ConnectsWithAnEmptyWriteToo) {
  expect_pass(warmed_up(R"(
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
   +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 setsockopt(4, SOL_TCP, TCP_FASTOPEN_CONNECT, [1], 4) = 0
   +0 connect(4, ..., ...) = 0
   +0 sendto(4, ..., 0, 0, ..., ...) = -1 EINPROGRESS (the handshake)
   +0 > S 0:0(0) <mss 1460,nop,nop,sackOK,nop,wscale 8,FO abcd1234,nop,nop>
)"));
}

TEST(DrillFastOpen, IsNotToBeHadWhereTheSettingSaysSo) {
  expect_pass(R"(
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 `sysctl -q net.ipv4.tcp_fastopen=0`
   +0 sendto(3, ..., 1000, MSG_FASTOPEN, ..., ...) = -1 EOPNOTSUPP (off)
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_CONNECT, [1], 4) = -1 EOPNOTSUPP (off)
   +0 `sysctl -q net.ipv4.tcp_fastopen=1`
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_CONNECT, [1], 4) = 0
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, [2], 4) = -1 EINVAL (0 or 1)
)");
}

TEST(DrillFastOpen, WritesWithoutACookieIfTheSocketSaysSo) {
  expect_pass(R"(
`sysctl -q net.ipv4.tcp_timestamps=0`
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, [1], 4) = 0
   +0 sendto(3, ..., 400, MSG_FASTOPEN, ..., ...) = 400
   +0 > S 0:400(400) <mss 1460,nop,nop,sackOK,nop,wscale 8>
)");
}

TEST(DrillFastOpen, TellsAnIcmpErrorOfAnOpeningThatIsNotAccepted) {
  expect_pass(R"(
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [5], 4) = 0
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:10(10) win 32792 <mss 1460,sackOK,nop,nop,FO 3021b9d889017eeb,nop,nop>
   +0 > S. 0:0(0) ack 11 <mss 1460,nop,nop,sackOK>
   +0 < icmp unreachable host_unreachable [0:10(10)]
   +0 accept(3, ..., ...) = 4
   +0 read(4, ..., 512) = 10
   +0 read(4, ..., 512) = -1 EHOSTUNREACH (as ICMP said)
   +0 write(4, ..., 100) = -1 EPIPE (it is over)
)");
}

}  // namespace
}  // namespace estab::drill
