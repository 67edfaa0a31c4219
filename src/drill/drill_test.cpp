// Whole scripts: what passes, what fails and how it is told, blocking calls, numbers that move.
#include "drill/drill.h"

#include <gtest/gtest.h>

namespace estab::drill {
namespace {

const std::string kListen =
    " 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
    "+0 bind(3, ..., ...) = 0\n"
    "+0 listen(3, 1) = 0\n";
const std::string kAccepted = kListen +
                              "+.1 < S 0:0(0) win 30000 <mss 1000>\n"
                              "+0 > S. 0:0(0) ack 1 <...>\n"
                              "+.1 < . 1:1(0) ack 1 win 30000\n"
                              "+0 accept(3, ..., ...) = 4\n";

DrillResult run(const std::string& script, const DrillOptions& options = {}) {
  return drill("x.pkt", script, options);
}
void expect_pass(const std::string& script, const DrillOptions& options = {}) {
  const DrillResult result = run(script, options);
  EXPECT_EQ(result.verdict, DrillVerdict::passed) << script << result.detail;
}
/// Fails at this line, with these words in the reason.
void expect_failure(const std::string& script, int line, const std::string& words) {
  const DrillResult result = run(script);
  EXPECT_EQ(result.verdict, DrillVerdict::failed) << script;
  EXPECT_EQ(result.line, line) << result.detail;
  EXPECT_NE(result.reason.find(words), std::string::npos) << result.reason;
}

TEST(Drill, RunsAConnectionFromSynToFin) {
  expect_pass(kAccepted +
              "+0 write(4, ..., 2000) = 2000\n"
              "+0 > P. 1:2001(2000) ack 1\n"
              "+.1 < P. 1:101(100) ack 2001 win 30000\n"
              "+0~+.2 > . 2001:2001(0) ack 101\n"
              "+0 read(4, ..., 1000) = 100\n"
              "+0 close(4) = 0\n"
              "+0 > F. 2001:2001(0) ack 101\n"
              "+.1 < F. 101:101(0) ack 2002 win 30000\n"
              "+0 > . 2002:2002(0) ack 102\n");
}

TEST(Drill, RunsBothFamiliesAndTheMappedOne) {
  const std::string script = kAccepted + "+0 %{ assert tcpi_state == TCP_ESTABLISHED }%\n";
  for (const char* version : {"ipv4", "ipv6", "ipv4-mapped-ipv6"})
    expect_pass("--ip_version=" + std::string(version) + "\n" + script);
  expect_pass(script, {.ip_version = IpVersion::v6});
}

TEST(Drill, GivesTheSameWhateverTheNumbers) {
  const std::string script = kAccepted +
                             "+0 < P. 101:201(100) ack 1 win 30000\n"
                             "+0 > . 1:1(0) ack 1\n"
                             "+0 < . 1:101(100) ack 1 win 30000\n"
                             "+0 > . 1:1(0) ack 201\n";
  for (const std::uint32_t isn : {0u, 0x7fffff00u, 0xffffff00u, 0xffffffffu})
    for (const std::uint32_t peer : {0u, 0xfffff448u, 0xffffffffu})
      expect_pass(script, {.isn = isn, .peer_isn = peer});
}

TEST(Drill, KnowsASocketlessHost) {
  expect_pass("0 < F. 17:20(3) ack 34 win 1000\n+0 > R 34:34(0)\n");
  expect_pass("0 < S 17:17(0) win 1000\n+0 > R. 0:0(0) ack 18\n");
}

TEST(Drill, ComparesTheTimestampsOfTheStackByTheirDistance) {
  const std::string script = kListen +
                             "+0 < S 0:0(0) win 20000 <mss 1000,TS val 5 ecr 0>\n"
                             "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 5>\n"
                             "+.1 < . 1:1(0) ack 1 win 20000 <nop,nop,TS val 105 ecr 100>\n"
                             "+0 accept(3, ..., ...) = 4\n"
                             "+1 close(4) = 0\n";
  expect_pass("--tcp_ts_tick_usecs=1000\n" + script +
              "+0 > F. 1:1(0) ack 1 <nop,nop,TS val 1200 ecr 105>\n");
  expect_failure("--tcp_ts_tick_usecs=1000\n" + script +
                     "+0 > F. 1:1(0) ack 1 <nop,nop,TS val 1300 ecr 105>\n",
                 10, "TS val 1200");
  expect_pass(script + "+0 > F. 1:1(0) ack 1 <nop,nop,TS val 7 ecr 105>\n");
}

TEST(Drill, TranslatesIcmpErrors) {
  expect_pass(
      "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
      "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
      "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
      "+0 > S 0:0(0) <...>\n"
      "+.1 < icmp unreachable port_unreachable [0:0(0)]\n"
      "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n");
}

TEST(Drill, RunsUdp) {
  expect_pass(
      "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n"
      "+0 bind(3, ..., ...) = 0\n"
      "+0 connect(3, ..., ...) = 0\n"
      "+0 write(3, ..., 100) = 100\n"
      "+0 > udp (100)\n"
      "+.1 < udp (50)\n"
      "+0 read(3, ..., 100) = 50\n");
}

// ---- blocking calls

TEST(DrillBlocking, ReturnsWhenWhatItWaitsForComes) {
  expect_pass(kListen +
              "+0...0.2 accept(3, ..., ...) = 4\n"
              "+.1 < S 0:0(0) win 30000 <mss 1000>\n"
              "+0 > S. 0:0(0) ack 1 <...>\n"
              "+.1 < . 1:1(0) ack 1 win 30000\n"
              "+0...0.1 read(4, ..., 10) = 10\n"
              "+.1 < P. 1:11(10) ack 1 win 30000\n"
              "+0~+.2 > . 1:1(0) ack 11\n");
  expect_pass(
      "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
      "+.1...0.2 connect(3, ..., ...) = 0\n"
      "+0 > S 0:0(0) <...>\n"
      "+.1 < S. 0:0(0) ack 1 win 30000 <mss 1000>\n"
      "+0 > . 1:1(0) ack 1\n");
}

TEST(DrillBlocking, FailsWhenItReturnsAtAnotherTimeOrNever) {
  const std::string read = kAccepted + "+0...0.3 read(4, ..., 10) = 10\n";
  expect_failure(read + "+.1 < P. 1:11(10) ack 1 win 30000\n+0 close(4) = 0\n", 8,
                 "returned at 0.300000 s, expected at 0.500000 s");
  expect_failure(read, 8, "has not returned");
  expect_failure(kAccepted + "+0 read(4, ..., 10) = 10\n", 8, "nothing will wake it");
}

TEST(DrillBlocking, EndsByItsOwnTimeout) {
  expect_pass(kAccepted +
              "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=0}, 16) = 0\n"
              "+0...1 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)\n");
  expect_pass(kAccepted + "+0...0.5 poll([{fd=4, events=POLLIN, revents=0}], 1, 500) = 0\n");
}

// ---- failures

TEST(DrillFailure, SaysWhatWasExpectedWhatHappenedAndTheLadder) {
  const DrillResult result = run(kAccepted + "+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1\n");
  ASSERT_EQ(result.verdict, DrillVerdict::failed);
  EXPECT_EQ(result.line, 9);
  EXPECT_TRUE(result.detail.starts_with("x.pkt:9: it has the flags P. instead of .\n"))
      << result.detail;
  EXPECT_NE(result.detail.find("expected  > . 1:11(10) ack 1\n"), std::string::npos);
  EXPECT_NE(result.detail.find("actual    > P. 1:11(10) ack 1 win "), std::string::npos);
  EXPECT_NE(result.detail.find("SYN-RECEIVED"), std::string::npos);
}

TEST(DrillFailure, OfTimeSaysWhenItHappened) {
  const std::string script =
      "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
      "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
      "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
      "+0 > S 0:0(0) <...>\n";
  expect_failure(script + "+.5 > S 0:0(0) <...>\n", 5, "the next packet leaves at 1.000000 s");
  expect_failure(script + "+2 > S 0:0(0) <...>\n", 5,
                 "was sent at 1.000000 s, expected at 2.000000 s");
  expect_pass(script + "+.9~+1.1 > S 0:0(0) <...>\n");
  expect_pass(script + "* > S 0:0(0) <...>\n+2 > S 0:0(0) <...>\n");
}

TEST(DrillFailure, OfSilenceSaysThatNothingWillCome) {
  expect_failure(kListen +
                     "+0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <...>\n"
                     "+0 < R 1:1(0) win 0\n+0 > . 1:1(0) ack 1\n",
                 7, "and nothing will be");
}

TEST(DrillFailure, OfACallSaysWhatItGave) {
  expect_failure(kListen + "+0 listen(9, 1) = 0\n", 4, "expected = 0, actual = -1 EBADF");
  expect_failure(kListen + "+0 bind(3, ..., ...) = -1 EBADF\n", 4, "EBADF, actual = -1 EINVAL");
  expect_failure(kAccepted + "+0 ioctl(4, SIOCINQ, [5]) = 0\n", 8, "the value is 0, expected 5");
  expect_failure(kAccepted + "+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0\n", 8,
                 "the value is [0], expected [1]");
}

TEST(DrillFailure, OfAnAssertionShowsItsNames) {
  expect_failure(kAccepted + "+0 %{ assert tcpi_state == TCP_CLOSE, tcpi_state }%\n", 8,
                 "tcpi_state = 1");
}

TEST(DrillFailure, OfACommandShowsTheTable) {
  expect_pass(kAccepted + "+0 `sockstat | grep ESTAB | grep -c 8080 | grep 1`\n");
  expect_failure(kAccepted + "+0 `sockstat | grep TIME_WAIT`\n", 8, "the socket table");
}

TEST(DrillFailure, OfTheScriptNamesItsLine) {
  expect_failure(kListen + "+0 nonsense\n", 4, "expected '('");
  expect_failure(kListen + "+0 close(3, 4) = 0\n", 4, "close takes 1 arguments");
}

// ---- what cannot be run

TEST(DrillSkip, SaysWhatIsMissing) {
  const auto skipped = [](const std::string& script) {
    const DrillResult result = run(script);
    EXPECT_EQ(result.verdict, DrillVerdict::skipped) << script;
    return result.reason;
  };
  EXPECT_NE(skipped("0 splice(3, ..., 4, ..., 1, 0) = 1\n").find("'splice'"), std::string::npos);
  EXPECT_NE(skipped("0 socket(AF_WHAT, SOCK_STREAM, 0) = 3\n").find("'AF_WHAT'"),
            std::string::npos);
  EXPECT_NE(skipped("0 < ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0) ack 1\n").find("inside others"),
            std::string::npos);
  EXPECT_NE(skipped(kAccepted + "+0 < . 1:1(0) ack 1 {mut ipv4 ihl}\n").find("mutations"),
            std::string::npos);
  EXPECT_NE(skipped(kAccepted + "+0 %{ import os }%\n").find("import os"), std::string::npos);
}

TEST(DrillNotes, TellWhatHadNoMeaning) {
  const DrillResult result =
      run("--speed=5\n--frobnicate=1\n0 `sysctl -w net.ipv4.tcp_foo=1`\n"
          "+0 `tc qdisc add dev tun0`\n" +
          kListen);
  EXPECT_EQ(result.verdict, DrillVerdict::passed) << result.detail;
  ASSERT_EQ(result.notes.size(), 3u);
  EXPECT_NE(result.notes[0].find("--frobnicate"), std::string::npos);
  EXPECT_NE(result.notes[1].find("net.ipv4.tcp_foo"), std::string::npos);
  EXPECT_NE(result.notes[2].find("tc qdisc"), std::string::npos);
}

// ---- settings

TEST(DrillSettings, HoldFromTheBeginning) {
  const std::string syn = "+0 < S 0:0(0) win 1000 <mss 1000,sackOK>\n";
  expect_pass(kListen + syn + "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>\n");
  expect_pass("0 `sysctl -q net.ipv4.tcp_sack=0`\n" + kListen + syn +
              "+0 > S. 0:0(0) ack 1 <mss 1460>\n");
  expect_pass("// CONFIG: sysctl -q net.ipv4.tcp_sack=0\n" + kListen + syn +
              "+0 > S. 0:0(0) ack 1 <mss 1460>\n");
  expect_pass("--mtu=1280\n" + kListen + syn + "+0 > S. 0:0(0) ack 1 <mss 1240,nop,nop,sackOK>\n");
  expect_pass(kListen + syn + "+0 > S. 0:0(0) ack 1 <mss 1240,nop,nop,sackOK>\n", {.mtu = 1280});
}

TEST(DrillSettings, OfFreeBsdChooseItsManners) {
  const std::string script =
      kAccepted + "+0 getsockopt(4, SOL_SOCKET, SO_SNDBUF, [32768], [4]) = 0\n";
  expect_pass("0 `sysctl -w net.inet.tcp.sendspace=32768`\n" + script);
  EXPECT_EQ(run(script).verdict, DrillVerdict::failed);
}

TEST(DrillSettings, CanNameAProfile) {
  // RFC 7323 §3.2 has segments without the agreed timestamps dropped; Linux takes them.
  const std::string script = kListen +
                             "+0 < S 0:0(0) win 30000 <mss 1000,TS val 1000 ecr 0>\n"
                             "+0 > S. 0:0(0) ack 1 <...>\n"
                             "+.1 < . 1:1(0) ack 1 win 30000\n"
                             "+.1 < P. 1:101(100) ack 1 win 30000\n"
                             "+0 > . 1:1(0) ack 101 <...>\n"
                             "+0 accept(3, ..., ...) = 4\n";
  expect_pass(script);
  EXPECT_EQ(run("// CONFIG: profile rfc\n" + script).verdict, DrillVerdict::failed);
  expect_pass("// CONFIG: profile rfc\n" + script, {.profile = posix::Profile::linux_});
  EXPECT_NE(run("// CONFIG: profile dos\n" + script).reason.find("profile dos"), std::string::npos);
}

// As Linux 6.18 does, and RFC 5961 §5.2 asks of everybody.
TEST(DrillProfiles, AllAnswerAnAckOfWhatWasNeverSent) {
  const std::string script = kAccepted +
                             "+.1 < . 1:1(0) ack 5000 win 30000\n"
                             "+0 > . 1:1(0) ack 1\n"
                             "+.1 < P. 1:11(10) ack 5000 win 30000\n"
                             "+0 > . 1:1(0) ack 1\n"
                             "+0 close(4) = 0\n"
                             "+0 > F. 1:1(0) ack 1\n"
                             "+.1 < . 1:1(0) ack 5000 win 30000\n"
                             "+0 > . 2:2(0) ack 1\n";
  for (const posix::Profile profile :
       {posix::Profile::rfc, posix::Profile::linux_, posix::Profile::freebsd})
    expect_pass(script, {.profile = profile});
}

// A client that reuses its port, without timestamps and with a lower number, gets through: ACK, its
// RST, and the SYN again. FreeBSD, and who asks for RFC 1337's protection, makes it wait.
TEST(DrillProfiles, EndTimeWaitWithTheResetOfAPeerThatBeganAnew) {
  const std::string script = kListen +
                             "+0 < S 100000:100000(0) win 20000 <mss 1000>\n"
                             "+0 > S. 0:0(0) ack 100001 <...>\n"
                             "+.1 < . 100001:100001(0) ack 1 win 20000\n"
                             "+0 accept(3, ..., ...) = 4\n"
                             "+0 close(4) = 0\n"
                             "+0 > F. 1:1(0) ack 100001\n"
                             "+.05 < F. 100001:100001(0) ack 2 win 20000\n"
                             "+0 > . 2:2(0) ack 100002\n"
                             "+2 < S 5000:5000(0) win 20000 <mss 1000>\n"
                             "+0 > . 2:2(0) ack 100002\n"
                             "+.05 < R 100002:100002(0) win 0\n"
                             "+1 < S 5000:5000(0) win 20000 <mss 1000>\n"
                             "+0 > S. 0:0(0) ack 5001 <...>\n";
  expect_pass(script);
  expect_pass(script, {.profile = posix::Profile::rfc});
  EXPECT_EQ(run(script, {.profile = posix::Profile::freebsd}).verdict, DrillVerdict::failed);
  EXPECT_EQ(run("`sysctl -q net.ipv4.tcp_rfc1337=1`\n" + script).verdict, DrillVerdict::failed);
}

TEST(DrillSettings, GiveTheSameEveryTime) {
  const std::string script = kAccepted + "+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1\n";
  const DrillResult first = run(script, {.log = DrillOptions::Log::on});
  for (int i = 0; i < 3; ++i) {
    const DrillResult again = run(script, {.log = DrillOptions::Log::on});
    EXPECT_EQ(again.detail, first.detail);
    EXPECT_EQ(again.log, first.log);
  }
}

}  // namespace
}  // namespace estab::drill
