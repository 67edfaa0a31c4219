// What stock packetdrill would do with libestab-packetdrill.so.

#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "tests/packetdrill/driver.h"

namespace estab::packetdrill {
namespace {

constexpr const char* kV6Flags = "ip=fd3d:0a0b:17d6::1/48,isn=1000,mtu=1520";

TEST(PacketdrillObject, FillsEveryMember) {
  Driver driver;
  std::array<void*, 33> members;
  static_assert(sizeof members == sizeof driver.calls);
  std::memcpy(members.data(), &driver.calls, sizeof members);
  for (std::size_t i = 0; i < members.size(); ++i) EXPECT_NE(members[i], nullptr) << i;
}

void serve(Driver& driver) {
  const int listening = driver.listener();
  driver.wait_until(100'000);
  driver.in("S 0:0(0) win 32792 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
  driver.out("S. 0:0(0) ack 1", 100'000);
  driver.wait_until(200'000);
  driver.in(". 1:1(0) ack 1 win 257");
  Address from;
  const int fd = driver.calls.accept(driver.me(), listening, from.get(), &from.length);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(from.endpoint(), driver.remote());
  driver.wait_until(300'000);
  const std::vector<char> data(1000, 'a');
  EXPECT_EQ(driver.calls.write(driver.me(), fd, data.data(), data.size()), 1000);
  driver.out("P. 1:1001(1000) ack 1", 300'000);
  // Unacknowledged, it goes again by itself, srtt + 4 * rttvar later.
  driver.out("P. 1:1001(1000) ack 1", 600'000);
  driver.in(". 1:1(0) ack 1001 win 257");
  EXPECT_EQ(driver.calls.close(driver.me(), fd), 0);
  driver.out("F. 1001:1001(0) ack 1");
  EXPECT_EQ(driver.calls.close(driver.me(), listening), 0);
}

TEST(PacketdrillObject, ServesAConnectionOverIpv4) {
  Driver driver;
  serve(driver);
}

TEST(PacketdrillObject, ServesAConnectionOverIpv6) {
  Driver driver(kV6Flags, "fd3d:fa7b:d17d::1", "fd3d:a0b:17d6::1");
  serve(driver);
}

TEST(PacketdrillObject, OpensAConnection) {
  Driver driver;
  const int fd = driver.tcp_socket();
  EXPECT_EQ(driver.set_nonblocking(fd), 0);
  errno = 0;
  EXPECT_EQ(driver.connect(fd), -1);
  EXPECT_EQ(errno, EINPROGRESS);
  const auto syn = driver.next();
  ASSERT_TRUE(syn);
  EXPECT_EQ(syn->segment.flags, kSyn);
  EXPECT_EQ(syn->segment.options.mss, 1460);
  driver.set_local_port(syn->segment.source_port);
  driver.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  driver.out(". 1:1(0) ack 1");
  int error = -1;
  socklen_t length = sizeof error;
  EXPECT_EQ(driver.calls.getsockopt(driver.me(), fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
  EXPECT_EQ(error, 0);
  driver.in("R. 1:1(0) ack 1 win 65535");
  char octet;
  errno = 0;
  EXPECT_EQ(driver.calls.read(driver.me(), fd, &octet, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(PacketdrillObject, CarriesABlockedAcceptAndReadOnAtTheVeryInstant) {
  Driver driver;
  const int listening = driver.listener();
  int fd = -1;
  {
    BlockingCall accepting(driver, [&] { return fd = driver.accept(listening); });
    accepting.wait_until_asleep();
    driver.wait_until(100'000);
    driver.in("S 0:0(0) win 32792 <mss 1000>");
    driver.out("S. 0:0(0) ack 1");
    driver.wait_until(200'000);
    EXPECT_FALSE(accepting.done());
    driver.in(". 1:1(0) ack 1 win 257");
    driver.wait_until(250'000);  // packetdrill does not wait: time goes on at once
    ASSERT_TRUE(accepting.wait_until_done());
    EXPECT_GE(accepting.value(), 0);
    EXPECT_NEAR(static_cast<double>(accepting.ended_at()), 200'000, 10);
  }
  std::vector<char> buffer(2000);
  BlockingCall reading(driver,
                       [&] { return driver.calls.read(driver.me(), fd, buffer.data(), 2000); });
  reading.wait_until_asleep();
  driver.wait_until(300'000);
  driver.in("P. 1:2001(2000) ack 1 win 257");
  driver.out(". 1:1(0) ack 2001", 300'000);
  driver.wait_until(400'000);
  ASSERT_TRUE(reading.wait_until_done());
  EXPECT_EQ(reading.value(), 2000);
  EXPECT_EQ(buffer[1999], 'x');
  EXPECT_NEAR(static_cast<double>(reading.ended_at()), 300'000, 10);
}

TEST(PacketdrillObject, MovesTimeForABlockedCallWhenNobodyElseDoes) {
  Driver driver;
  const int listening = driver.listener();
  const timeval limit{0, 300'000};
  EXPECT_EQ(driver.calls.setsockopt(driver.me(), listening, SOL_SOCKET, SO_RCVTIMEO, &limit,
                                    sizeof limit),
            0);
  driver.wait_until(100'000);
  BlockingCall accepting(driver, [&] { return driver.accept(listening); });
  accepting.wait_until_asleep();
  ASSERT_TRUE(accepting.wait_until_done());
  EXPECT_EQ(accepting.value(), -1);
  EXPECT_EQ(accepting.error(), EAGAIN);
  EXPECT_NEAR(static_cast<double>(accepting.ended_at()), 400'000, 10);
}

TEST(PacketdrillObject, LetsABlockedConnectTimeOut) {
  Driver driver("isn=1000");
  const int fd = driver.tcp_socket();
  BlockingCall connecting(driver, [&] { return driver.connect(fd); });
  connecting.wait_until_asleep();
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(driver.next()) << i;  // the SYN and its five repetitions
  ASSERT_TRUE(connecting.wait_until_done());
  EXPECT_EQ(connecting.value(), -1);
  EXPECT_EQ(connecting.error(), ETIMEDOUT);
  EXPECT_NEAR(static_cast<double>(connecting.ended_at()), 63e6, 1000);
}

TEST(PacketdrillObject, WaitsWithAVirtualTimeOutInPollAndEpoll) {
  Driver driver;
  const int listening = driver.listener();
  pollfd one{listening, POLLIN, 0};
  EXPECT_EQ(driver.calls.poll(driver.me(), &one, 1, 250), 0);
  EXPECT_NEAR(static_cast<double>(driver.now()), 250'000, 20);
  const int epoll = driver.calls.epoll_create(driver.me(), 1);
  epoll_event event{EPOLLIN, {.u64 = 7}};
  EXPECT_EQ(driver.calls.epoll_ctl(driver.me(), epoll, EPOLL_CTL_ADD, listening, &event), 0);
  EXPECT_EQ(driver.calls.epoll_wait(driver.me(), epoll, &event, 1, 100), 0);
  driver.in("S 0:0(0) win 32792 <mss 1000>");
  driver.in(". 1:1(0) ack 1 win 257");
  EXPECT_EQ(driver.calls.epoll_wait(driver.me(), epoll, &event, 1, -1), 1);
  EXPECT_EQ(event.data.u64, 7u);
  EXPECT_EQ(event.events, static_cast<std::uint32_t>(EPOLLIN));
}

TEST(PacketdrillObject, SaysWhenNoPacketWillCome) {
  Driver driver;
  (void)driver.listener();
  EXPECT_FALSE(driver.next());
}

TEST(PacketdrillObject, TakesPacketsLargerThanTheMtu) {
  Driver driver;
  const int listening = driver.listener();
  driver.in("S 0:0(0) win 32792 <mss 1460>");
  driver.out("S. 0:0(0) ack 1");
  driver.in(". 1:1(0) ack 1 win 257");
  const int fd = driver.accept(listening);
  driver.in("P. 1:60001(60000) ack 1 win 257");
  driver.out(". 1:1(0) ack 60001");
  std::vector<char> buffer(70000);
  EXPECT_EQ(driver.calls.read(driver.me(), fd, buffer.data(), buffer.size()), 60000);
}

TEST(PacketdrillObject, HandsOutTheKernelsNumbers) {
  Driver driver;
  const int a = driver.tcp_socket(), b = driver.tcp_socket();
  const int epoll = driver.calls.epoll_create(driver.me(), 1);
  for (const int fd : {a, b, epoll}) EXPECT_GE(::fcntl(fd, F_GETFD), 0) << fd;
  EXPECT_EQ(driver.calls.close(driver.me(), a), 0);
  EXPECT_EQ(::fcntl(a, F_GETFD), -1);
  // As at the end of a script: closed by the C library, behind the object's back.
  for (const int fd : {b, epoll}) EXPECT_EQ(::close(fd), 0) << fd;
  const int again = driver.tcp_socket();
  EXPECT_GE(::fcntl(again, F_GETFD), 0);
  EXPECT_EQ(driver.calls.listen(driver.me(), again, 1), 0);
  EXPECT_EQ(::close(again), 0);
}

TEST(PacketdrillObject, SplicesThroughPipes) {
  Driver driver;
  const int listening = driver.listener();
  driver.in("S 0:0(0) win 32792 <mss 1460>");
  driver.out("S. 0:0(0) ack 1");
  driver.in(". 1:1(0) ack 1 win 257");
  const int fd = driver.accept(listening);
  EXPECT_EQ(driver.set_nonblocking(fd), 0);
  int ends[2];
  ASSERT_EQ(driver.calls.pipe(driver.me(), ends), 0);
  loff_t at = 0;
  errno = 0;
  EXPECT_EQ(driver.calls.splice(driver.me(), fd, &at, ends[1], &at, 100, 0), -1);
  EXPECT_EQ(errno, ESPIPE);
  errno = 0;
  EXPECT_EQ(driver.calls.splice(driver.me(), fd, nullptr, ends[1], nullptr, 100, 0), -1);
  EXPECT_EQ(errno, EAGAIN);
  driver.in("P. 1:101(100) ack 1 win 257");
  driver.out(". 1:1(0) ack 101");
  EXPECT_EQ(driver.calls.splice(driver.me(), fd, nullptr, ends[1], nullptr, 4096, 0), 100);
  EXPECT_EQ(driver.calls.splice(driver.me(), ends[0], nullptr, fd, nullptr, 60, 0), 60);
  driver.out("P. 1:61(60) ack 101");
  char buffer[100];
  EXPECT_EQ(driver.calls.read(driver.me(), ends[0], buffer, sizeof buffer), 40);
  EXPECT_EQ(driver.calls.close(driver.me(), ends[0]), 0);
  EXPECT_EQ(driver.calls.close(driver.me(), ends[1]), 0);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PacketdrillObject, ShowsItsSocketsInAFile) {
  const std::string path = testing::TempDir() + "packetdrill_sockstat";
  Driver driver("isn=1000,sockstat=" + path);
  EXPECT_EQ(read_file(path), "");
  const int listening = driver.listener();
  EXPECT_EQ(read_file(path), "192.168.0.1:8080 0.0.0.0:* LISTEN\n");
  driver.in("S 0:0(0) win 32792 <mss 1460>");
  EXPECT_EQ(read_file(path),
            "192.168.0.1:8080 0.0.0.0:* LISTEN\n"
            "192.168.0.1:8080 192.0.2.1:40000 SYN-RECEIVED\n");
  driver.in(". 1:1(0) ack 1 win 257");
  const int fd = driver.accept(listening);
  EXPECT_EQ(driver.calls.close(driver.me(), listening), 0);
  EXPECT_EQ(read_file(path), "192.168.0.1:8080 192.0.2.1:40000 ESTABLISHED\n");
  EXPECT_EQ(driver.calls.close(driver.me(), fd), 0);
  EXPECT_EQ(read_file(path), "192.168.0.1:8080 192.0.2.1:40000 FIN-WAIT-1\n");
  driver.in("F. 1:1(0) ack 2 win 257");
  EXPECT_EQ(read_file(path), "192.168.0.1:8080 192.0.2.1:40000 TIME-WAIT\n");
  driver.wait_until(driver.now() + 61'000'000);
  EXPECT_EQ(read_file(path), "");
  ::unlink(path.c_str());
}

TEST(PacketdrillObject, RefusesFlagsItCannotRead) {
  const auto refused = [](const std::string& flags) { Driver driver(flags); };
  const auto ends = testing::ExitedWithCode(2);
  EXPECT_EXIT(refused("mtu=12"), ends, "flag `mtu=12` is no number from 68 to 65535");
  EXPECT_EXIT(refused("ip=192.168.0.300"), ends, "flag `ip=192.168.0.300` is no address");
  EXPECT_EXIT(refused("isn=1000,profile=plan9"), ends, "flag `profile=plan9` is none of linux");
  EXPECT_EXIT(refused("colour=red"), ends, "flag `colour=red` is not known");
  EXPECT_EXIT(refused("sockstat"), ends, "flag `sockstat` needs a value");
}

TEST(PacketdrillObject, TakesEveryFlag) {
  Driver driver(
      "ip=10.1.0.1/24,gw=10.1.0.2,mtu=9000,profile=freebsd,isn=0x3e8,seed=7,"
      "ip=fd00::1/64,gw=fd00::2,",
      "192.0.2.1", "10.1.0.1");
  (void)driver.listener();
  driver.in("S 0:0(0) win 32792 <mss 8000>");
  const auto answer = driver.next();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->segment.seq.value(), 1000u);
  EXPECT_EQ(answer->segment.options.mss, 8960);
}

}  // namespace
}  // namespace estab::packetdrill
