// getsockopt and setsockopt. The expectations are what Linux 6.18 answered to the same calls.

#include <climits>

#include <sys/time.h>

#include "posix/testing/desk.h"

namespace estab::posix {
namespace {

using namespace std::chrono_literals;

struct Setting {
  int level, option, given;
  int told;  ///< by getsockopt afterwards; or minus the errno of setsockopt
};

class Options : public testing::Test {
 protected:
  void try_all(const std::vector<Setting>& settings) {
    for (const Setting& s : settings) {
      const Outcome outcome = desk.set(fd, s.level, s.option, s.given);
      const int told = outcome.error != 0 ? -outcome.error : desk.get(fd, s.level, s.option);
      EXPECT_EQ(told, s.told) << "level " << s.level << " option " << s.option << " to " << s.given;
    }
  }
  Desk desk;
  int fd = desk.tcp_socket();
};

TEST_F(Options, HaveLinuxDefaults) {
  const std::vector<Setting> defaults = {{SOL_SOCKET, SO_TYPE, 0, SOCK_STREAM},
                                         {SOL_SOCKET, SO_PROTOCOL, 0, IPPROTO_TCP},
                                         {SOL_SOCKET, SO_DOMAIN, 0, AF_INET},
                                         {SOL_SOCKET, SO_ACCEPTCONN, 0, 0},
                                         {SOL_SOCKET, SO_ERROR, 0, 0},
                                         {SOL_SOCKET, SO_RCVLOWAT, 0, 1},
                                         {SOL_SOCKET, SO_SNDLOWAT, 0, 1},
                                         {SOL_SOCKET, SO_PRIORITY, 0, 0},
                                         {SOL_SOCKET, SO_RCVBUF, 0, 540000},
                                         {SOL_SOCKET, SO_SNDBUF, 0, 262144},
                                         {SOL_SOCKET, SO_PEEK_OFF, 0, -1},
                                         {SOL_SOCKET, SO_KEEPALIVE, 0, 0},
                                         {SOL_SOCKET, SO_OOBINLINE, 0, 0},
                                         {SOL_SOCKET, SO_REUSEADDR, 0, 0},
                                         {SOL_SOCKET, 250, 0, -ENOPROTOOPT},
                                         {IPPROTO_TCP, TCP_MAXSEG, 0, 536},
                                         {IPPROTO_TCP, TCP_NODELAY, 0, 0},
                                         {IPPROTO_TCP, TCP_CORK, 0, 0},
                                         {IPPROTO_TCP, TCP_KEEPIDLE, 0, 7200},
                                         {IPPROTO_TCP, TCP_KEEPINTVL, 0, 75},
                                         {IPPROTO_TCP, TCP_KEEPCNT, 0, 9},
                                         {IPPROTO_TCP, TCP_SYNCNT, 0, 5},
                                         {IPPROTO_TCP, TCP_LINGER2, 0, 60},
                                         {IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 0},
                                         {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, 0},
                                         {IPPROTO_TCP, TCP_QUICKACK, 0, 1},
                                         {IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 0},
                                         {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0, 0},
                                         {IPPROTO_TCP, TCP_FASTOPEN, 0, 0},
                                         {IPPROTO_TCP, 250, 0, -ENOPROTOOPT},
                                         {IPPROTO_IP, IP_TOS, 0, 0},
                                         {IPPROTO_IP, IP_TTL, 0, 64},
                                         {IPPROTO_IP, IP_MTU_DISCOVER, 0, 1},
                                         {IPPROTO_IP, IP_RECVERR, 0, 0},
                                         {IPPROTO_IP, IP_MTU, 0, -ENOTCONN},
                                         {IPPROTO_IP, 250, 0, -ENOPROTOOPT},
                                         {IPPROTO_IPV6, IPV6_V6ONLY, 0, -EOPNOTSUPP},
                                         {77, 1, 0, -EOPNOTSUPP}};
  for (const Setting& s : defaults)
    EXPECT_EQ(desk.get(fd, s.level, s.option), s.told) << s.level << " " << s.option;
}

TEST_F(Options, AreKeptAsLinuxKeepsThem) {
  try_all({{SOL_SOCKET, SO_TYPE, 1, -ENOPROTOOPT},
           {SOL_SOCKET, SO_ERROR, 1, -ENOPROTOOPT},
           {SOL_SOCKET, SO_REUSEADDR, 77, 1},
           {SOL_SOCKET, SO_PRIORITY, 7, 7},
           {SOL_SOCKET, SO_MARK, 5, 5},
           {SOL_SOCKET, SO_ZEROCOPY, 1, 1},
           {SOL_SOCKET, SO_ZEROCOPY, 2, -EINVAL},
           {SOL_SOCKET, SO_BUSY_POLL, -1, -EINVAL},
           {SOL_SOCKET, SO_SNDBUF, 200000, 400000},
           {SOL_SOCKET, SO_RCVBUF, 200000, 400000},
           {SOL_SOCKET, SO_SNDBUF, 1, 4608},
           {SOL_SOCKET, SO_RCVBUF, 1, 2304},
           {SOL_SOCKET, SO_RCVLOWAT, -1, 1152},
           {SOL_SOCKET, SO_RCVLOWAT, 0, 1},
           {SOL_SOCKET, 250, 1, -ENOPROTOOPT},
           {77, 1, 1, -ENOPROTOOPT}});
  try_all({{IPPROTO_TCP, TCP_MAXSEG, 87, -EINVAL},
           {IPPROTO_TCP, TCP_MAXSEG, 32768, -EINVAL},
           {IPPROTO_TCP, TCP_MAXSEG, 1100, 1100},
           {IPPROTO_TCP, TCP_MAXSEG, 0, 536},
           {IPPROTO_TCP, TCP_NODELAY, 5, 1},
           {IPPROTO_TCP, TCP_KEEPIDLE, 0, -EINVAL},
           {IPPROTO_TCP, TCP_KEEPIDLE, 32768, -EINVAL},
           {IPPROTO_TCP, TCP_KEEPINTVL, 32768, -EINVAL},
           {IPPROTO_TCP, TCP_KEEPCNT, 128, -EINVAL},
           {IPPROTO_TCP, TCP_KEEPCNT, 3, 3},
           {IPPROTO_TCP, TCP_SYNCNT, 0, -EINVAL},
           {IPPROTO_TCP, TCP_SYNCNT, 128, -EINVAL},
           {IPPROTO_TCP, TCP_SYNCNT, 3, 3},
           {IPPROTO_TCP, TCP_LINGER2, -5, -1},
           {IPPROTO_TCP, TCP_LINGER2, 0, 60},
           {IPPROTO_TCP, TCP_LINGER2, 200, 120},
           {IPPROTO_TCP, TCP_DEFER_ACCEPT, 5, 7},
           {IPPROTO_TCP, TCP_DEFER_ACCEPT, 3, 3},
           {IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, 1},
           {IPPROTO_TCP, TCP_DEFER_ACCEPT, -1, 0},
           {IPPROTO_TCP, TCP_WINDOW_CLAMP, 1, 1152},
           {IPPROTO_TCP, TCP_QUICKACK, 0, 0},
           {IPPROTO_TCP, TCP_QUICKACK, 2, 1},
           {IPPROTO_TCP, TCP_USER_TIMEOUT, -1, -EINVAL},
           {IPPROTO_TCP, TCP_USER_TIMEOUT, 1234, 1234},
           {IPPROTO_TCP, TCP_NOTSENT_LOWAT, -1, -1},
           {IPPROTO_TCP, TCP_INFO, 1, -ENOPROTOOPT},
           {IPPROTO_TCP, TCP_SAVE_SYN, 3, -EINVAL}});
  try_all({{IPPROTO_IP, IP_TOS, 255, 252},
           {IPPROTO_IP, IP_TOS, 3, 0},
           {IPPROTO_IP, IP_TTL, 256, -EINVAL},
           {IPPROTO_IP, IP_TTL, 0, -EINVAL},
           {IPPROTO_IP, IP_TTL, 255, 255},
           {IPPROTO_IP, IP_TTL, -1, 64},
           {IPPROTO_IP, IP_MTU_DISCOVER, 6, -EINVAL},
           {IPPROTO_IP, IP_MTU_DISCOVER, 4, 4},
           {IPPROTO_IP, IP_RECVERR, 7, 1},
           {IPPROTO_IP, IP_MINTTL, 256, -EINVAL},
           {IPPROTO_IP, IP_MULTICAST_TTL, 256, -EINVAL},
           {IPPROTO_IPV6, IPV6_V6ONLY, 1, -ENOPROTOOPT}});
}

TEST(OptionsOfIpv6, AreKeptAsLinuxKeepsThem) {
  Desk desk({.family = Family::ipv6});
  const int fd = desk.tcp_socket();
  EXPECT_EQ(desk.get(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
  EXPECT_EQ(desk.get(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
  EXPECT_EQ(desk.get(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER), 1);
  EXPECT_EQ(desk.get(fd, IPPROTO_IP, IP_TTL), 64);
  EXPECT_EQ(desk.get(fd, IPPROTO_IPV6, 250), -ENOPROTOOPT);
  EXPECT_EQ(desk.set(fd, IPPROTO_IPV6, IPV6_TCLASS, 256), fails(EINVAL));
  EXPECT_EQ(desk.set(fd, IPPROTO_IPV6, IPV6_TCLASS, -1), gives(0));
  EXPECT_EQ(desk.get(fd, IPPROTO_IPV6, IPV6_TCLASS), 0);
  EXPECT_EQ(desk.set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), fails(EINVAL));
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), fails(EINVAL));
}

TEST_F(Options, AreReadAndToldInTheSizeAskedFor) {
  const std::uint8_t octet = 16;
  EXPECT_EQ(desk.set_as(fd, IPPROTO_TCP, TCP_NODELAY, octet), fails(EINVAL));
  EXPECT_EQ(desk.set_as(fd, IPPROTO_IP, IP_TOS, octet), gives(0));
  EXPECT_EQ(desk.get(fd, IPPROTO_IP, IP_TOS), 16);
  std::uint8_t told = 0;
  socklen_t length = 1;
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, IPPROTO_IP, IP_TOS, &told, &length), gives(0));
  EXPECT_EQ(told, 16);
  EXPECT_EQ(length, 1u);
  length = 0;
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, IPPROTO_IP, IP_TOS, nullptr, &length),
            gives(0));
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, IPPROTO_IP, IP_TOS, nullptr, nullptr),
            fails(EFAULT));
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), 99, IPPROTO_IP, IP_TOS, &told, &length),
            fails(EBADF));
}

TEST_F(Options, OfTimeAndLinger) {
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_RCVTIMEO, timeval{1, 1000000}), fails(EDOM));
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_RCVTIMEO, timeval{2, 500000}), gives(0));
  timeval time{};
  socklen_t length = sizeof time;
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, SOL_SOCKET, SO_RCVTIMEO, &time, &length),
            gives(0));
  EXPECT_EQ(time.tv_sec, 2);
  EXPECT_EQ(time.tv_usec, 500000);
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_RCVTIMEO, timeval{-1, 5}), gives(0));
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, SOL_SOCKET, SO_RCVTIMEO, &time, &length),
            gives(0));
  EXPECT_EQ(time.tv_sec, 0);
  EXPECT_EQ(desk.set(fd, SOL_SOCKET, SO_LINGER, 1), fails(EINVAL));
  EXPECT_EQ(desk.set_as(fd, SOL_SOCKET, SO_LINGER, linger{1, 30}), gives(0));
  linger told{};
  length = sizeof told;
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, SOL_SOCKET, SO_LINGER, &told, &length),
            gives(0));
  EXPECT_EQ(told.l_onoff, 1);
  EXPECT_EQ(told.l_linger, 30);
}

TEST_F(Options, NameTheCongestionControl) {
  std::array<char, 16> name{};
  socklen_t length = name.size();
  EXPECT_EQ(
      desk.sockets.getsockopt(desk.now(), fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length),
      gives(0));
  EXPECT_STREQ(name.data(), "cubic");
  EXPECT_EQ(desk.sockets.setsockopt(desk.now(), fd, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5),
            fails(ENOENT));
  EXPECT_EQ(desk.sockets.setsockopt(desk.now(), fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4),
            gives(0));
}

TEST_F(Options, OfAListenerAreInherited) {
  const int listening = desk.listener();
  EXPECT_EQ(desk.get(listening, SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(desk.set(listening, IPPROTO_TCP, TCP_MAXSEG, 1100), gives(0));
  EXPECT_EQ(desk.set(listening, IPPROTO_TCP, TCP_NODELAY, 1), gives(0));
  EXPECT_EQ(desk.set(listening, SOL_SOCKET, SO_RCVBUF, 5000), gives(0));
  desk.in("S 0:0(0) win 32792 <mss 1300>");
  desk.out("S. 0:0(0) ack 1 win 5000 <mss 1100>");
  desk.in(". 1:1(0) ack 1 win 32792");
  const int child = static_cast<int>(desk.accept(listening).value);
  EXPECT_EQ(desk.get(child, IPPROTO_TCP, TCP_MAXSEG), 1100);
  EXPECT_EQ(desk.get(child, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(desk.get(child, SOL_SOCKET, SO_RCVBUF), 10000);
  EXPECT_EQ(desk.get(child, IPPROTO_IP, IP_MTU), 1500);
  EXPECT_EQ(desk.set(child, IPPROTO_TCP, TCP_MAXSEG, 600), gives(0));
  EXPECT_EQ(desk.get(child, IPPROTO_TCP, TCP_MAXSEG), 1100);
  EXPECT_EQ(desk.write(child, 1200), gives(1200));
  desk.out(". 1:1101(1100) ack 1");
  desk.out("P. 1101:1201(100) ack 1");  // TCP_NODELAY
}

TEST_F(Options, HoldBackWithCorkAndLetGoWithoutIt) {
  const int open = desk.opened();
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_CORK, 1), gives(0));
  EXPECT_EQ(desk.write(open, 1500), gives(1500));
  desk.out(". 1:1461(1460) ack 1");
  desk.peer.quiet();
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_CORK, 0), gives(0));
  desk.peer.quiet();  // Nagle
  desk.in(". 1:1(0) ack 1461 win 65535");
  desk.out("P. 1461:1501(40) ack 1");
  EXPECT_EQ(desk.write(open, 10, MSG_MORE), gives(10));
  desk.peer.quiet();
  EXPECT_EQ(desk.write(open, 10), gives(10));
  desk.peer.quiet();  // Nagle
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_NODELAY, 1), gives(0));
  desk.out("P. 1501:1521(20) ack 1");
}

TEST_F(Options, DelayAcknowledgementsOrNot) {
  const int open = desk.opened();
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_QUICKACK, 0), gives(0));
  desk.in("P. 1:11(10) ack 1 win 65535");
  desk.peer.quiet();
  desk.after(40ms);
  desk.out(". 1:1(0) ack 11");
  desk.in("P. 11:21(10) ack 1 win 65535");
  desk.peer.quiet();
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_QUICKACK, 1), gives(0));
  desk.out(". 1:1(0) ack 21");
  desk.in("P. 21:31(10) ack 1 win 65535");
  desk.out(". 1:1(0) ack 31");
}

TEST_F(Options, EndAConnectionThatNobodyAnswers) {
  const int open = desk.opened();
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000), gives(0));
  EXPECT_EQ(desk.write(open, 100), gives(100));
  desk.after(2900ms);
  EXPECT_EQ(desk.error_of(open), 0);
  desk.after(200ms);
  EXPECT_EQ(desk.error_of(open), ETIMEDOUT);
  EXPECT_EQ(desk.read(open, 1), gives(0));
}

TEST_F(Options, KeepAConnectionAlive) {
  const int open = desk.opened();
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_KEEPIDLE, 10), gives(0));
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_KEEPINTVL, 2), gives(0));
  EXPECT_EQ(desk.set(open, IPPROTO_TCP, TCP_KEEPCNT, 2), gives(0));
  desk.after(5s);
  EXPECT_EQ(desk.set(open, SOL_SOCKET, SO_KEEPALIVE, 1), gives(0));
  desk.peer.mark();
  desk.after(20s);  // the silence began 5 s before
  (void)desk.peer.out_at(5s, ". 0:0(0) ack 1");
  (void)desk.peer.out_at(7s, ". 0:0(0) ack 1");
  (void)desk.peer.out_at(9s, "R. 1:1(0) ack 1");
  EXPECT_EQ(desk.read(open, 1), fails(ETIMEDOUT));
}

TEST_F(Options, BoundTheRepetitionsOfASyn) {
  EXPECT_EQ(desk.set_nonblocking(fd), gives(0));
  EXPECT_EQ(desk.set(fd, IPPROTO_TCP, TCP_SYNCNT, 2), gives(0));
  EXPECT_EQ(desk.bind(fd, desk.local_name()), gives(0));
  EXPECT_EQ(desk.connect(fd), fails(EINPROGRESS));
  desk.after(100s);
  for (const auto at : {0s, 1s, 3s}) (void)desk.peer.out_at(at, "S 0:0(0) <*>");
  desk.peer.quiet();
  EXPECT_EQ(desk.error_of(fd), ETIMEDOUT);
}

TEST_F(Options, MarkTheDatagrams) {
  const int open = desk.opened();
  EXPECT_EQ(desk.set(open, IPPROTO_IP, IP_TOS, 0x28), gives(0));
  EXPECT_EQ(desk.set(open, IPPROTO_IP, IP_TTL, 7), gives(0));
  EXPECT_EQ(desk.write(open, 1), gives(1));
  const script::Sent sent = desk.peer.out("P. 1:2(1) ack 1");
  EXPECT_EQ(sent.ip.traffic_class & 0xfc, 0x28);
  EXPECT_EQ(sent.ip.ttl, 7);
}

// ---- TCP_INFO

tcp_info info_of(Desk& desk, int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  EXPECT_EQ(desk.sockets.getsockopt(desk.now(), fd, IPPROTO_TCP, TCP_INFO, &info, &length),
            gives(0));
  EXPECT_EQ(length, sizeof info);
  return info;
}

TEST(TcpInfoOption, TellsWhatTheStackKnows) {
  Desk desk;
  const int fresh = desk.tcp_socket();
  EXPECT_EQ(info_of(desk, fresh).tcpi_state, 7);
  const int listening = desk.listener();
  EXPECT_EQ(info_of(desk, listening).tcpi_state, 10);
  desk.in("S 0:0(0) win 1000 <mss 1000,sackOK,nop,nop,nop,wscale 7>");
  desk.out("S. 0:0(0) ack 1 <*>");
  desk.after(100ms);
  desk.in(". 1:1(0) ack 1 win 1000");
  const int fd = static_cast<int>(desk.accept(listening).value);
  tcp_info info = info_of(desk, fd);
  EXPECT_EQ(info.tcpi_state, 1);
  EXPECT_EQ(info.tcpi_options, TCPI_OPT_SACK | TCPI_OPT_WSCALE);
  EXPECT_EQ(info.tcpi_snd_wscale, 7);
  EXPECT_EQ(info.tcpi_rcv_wscale, 8);
  EXPECT_EQ(info.tcpi_snd_mss, 1000u);
  EXPECT_EQ(info.tcpi_advmss, 1460u);
  EXPECT_EQ(info.tcpi_pmtu, 1500u);
  EXPECT_EQ(info.tcpi_rtt, 100000u);
  EXPECT_EQ(info.tcpi_rttvar, 50000u);
  EXPECT_EQ(info.tcpi_rto, 300000u);
  EXPECT_EQ(info.tcpi_snd_cwnd, 10u);
  EXPECT_EQ(info.tcpi_snd_ssthresh, 0x7fffffffu);
  EXPECT_EQ(info.tcpi_snd_wnd, 128000u);
  EXPECT_EQ(desk.write(fd, 3000), gives(3000));
  desk.peer.forget_output();
  info = info_of(desk, fd);
  EXPECT_EQ(info.tcpi_unacked, 3u);
  EXPECT_EQ(info.tcpi_bytes_sent, 3000u);
  desk.after(200ms);  // the tail loss probe, which is no timeout
  info = info_of(desk, fd);
  EXPECT_EQ(info.tcpi_total_retrans, 1u);
  EXPECT_EQ(info.tcpi_retransmits, 0);
  EXPECT_EQ(info.tcpi_snd_cwnd, 10u);
  desk.after(300ms);
  info = info_of(desk, fd);
  EXPECT_EQ(info.tcpi_total_retrans, 2u);
  EXPECT_EQ(info.tcpi_retransmits, 1);
  EXPECT_EQ(info.tcpi_backoff, 1);
  EXPECT_EQ(info.tcpi_snd_cwnd, 1u);
}

TEST(TcpInfoOption, FollowsTheStatesAsLinuxDoes) {
  Desk desk;
  const int fd = desk.opened();
  EXPECT_EQ(desk.shutdown(fd, SHUT_WR), gives(0));
  EXPECT_EQ(info_of(desk, fd).tcpi_state, 4);
  desk.in(". 1:1(0) ack 2 win 65535");
  EXPECT_EQ(info_of(desk, fd).tcpi_state, 5);
  desk.in("F. 1:1(0) ack 2 win 65535");
  EXPECT_EQ(info_of(desk, fd).tcpi_state, 7);  // TIME-WAIT is nobody's socket
  EXPECT_NE(desk.table().find("TIME-WAIT"), std::string::npos);
}

}  // namespace
}  // namespace estab::posix
