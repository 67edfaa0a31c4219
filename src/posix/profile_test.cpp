// What a stack does by default under each profile.

#include "posix/testing/desk.h"

namespace estab::posix {
namespace {

using namespace std::chrono_literals;

TEST(Profiles, BeginRetransmittingWhenTheirModelDoes) {
  for (const auto& [profile, after] :
       {std::pair{Profile::rfc, 1000ms}, {Profile::linux_, 200ms}, {Profile::freebsd, 230ms}}) {
    Desk desk({.profile = profile});
    const int fd = desk.opened();
    EXPECT_EQ(desk.write(fd, 1), gives(1));
    desk.out("P. 1:2(1) ack 1");
    desk.peer.mark();
    desk.after(3s);
    (void)desk.peer.out_at(after, "P. 1:2(1) ack 1");
  }
}

TEST(Profiles, StayInTimeWaitForTwiceTheirMsl) {
  for (const auto& [profile, wait] :
       {std::pair{Profile::rfc, 240s}, {Profile::linux_, 60s}, {Profile::freebsd, 60s}}) {
    Desk desk({.profile = profile});
    const int fd = desk.opened();
    EXPECT_EQ(desk.close(fd), gives(0));
    desk.in("F. 1:1(0) ack 2 win 65535");
    desk.after(wait - 1ms);
    EXPECT_NE(desk.table(), "");
    desk.after(2ms);
    EXPECT_EQ(desk.table(), "");
  }
}

TEST(Profiles, AcknowledgeAtFirstAtOnceOrNot) {
  for (const auto& [profile, delay] :
       {std::pair{Profile::rfc, 200ms}, {Profile::linux_, 0ms}, {Profile::freebsd, 40ms}}) {
    Desk desk({.profile = profile});
    (void)desk.opened();
    desk.peer.mark();
    desk.in("P. 1:2(1) ack 1 win 65535");
    desk.after(1s);
    (void)desk.peer.out_at(delay, ". 1:1(0) ack 2");
  }
}

TEST(Profiles, ShowBufferSizesAsTheirModelDoes) {
  for (const auto& [profile, told] :
       {std::pair{Profile::rfc, 20000}, {Profile::linux_, 40000}, {Profile::freebsd, 20000}}) {
    Desk desk({.profile = profile});
    const int fd = desk.tcp_socket();
    for (const int option : {SO_SNDBUF, SO_RCVBUF}) {
      EXPECT_EQ(desk.set(fd, SOL_SOCKET, option, 20000), gives(0));
      EXPECT_EQ(desk.get(fd, SOL_SOCKET, option), told);
    }
    const TcpConfig base = stack_config(profile).tcp;
    const int fresh = desk.tcp_socket();
    const int factor = profile == Profile::linux_ ? 2 : 1;
    EXPECT_EQ(desk.get(fresh, SOL_SOCKET, SO_RCVBUF),
              static_cast<int>(base.receive_buffer.initial) * factor);
    EXPECT_EQ(desk.get(fresh, SOL_SOCKET, SO_SNDBUF), static_cast<int>(base.send_buffer.initial));
  }
}

TEST(Profiles, SendTheSynOfTheirModel) {
  Desk linux_desk, freebsd_desk({.profile = Profile::freebsd});
  EXPECT_EQ(linux_desk.bind(linux_desk.tcp_socket(SOCK_NONBLOCK), linux_desk.local_name()),
            gives(0));
  EXPECT_EQ(linux_desk.connect(3), fails(EINPROGRESS));
  linux_desk.out("S 0:0(0) win 65535 <mss 1460,sackOK,TS val * ecr 0,nop,wscale 8>");
  EXPECT_EQ(freebsd_desk.bind(freebsd_desk.tcp_socket(SOCK_NONBLOCK), freebsd_desk.local_name()),
            gives(0));
  EXPECT_EQ(freebsd_desk.connect(3), fails(EINPROGRESS));
  freebsd_desk.out("S 0:0(0) win 65535 <mss 1460,sackOK,TS val * ecr 0,nop,wscale 6>");
}

TEST(Profiles, InheritNonblockingOnlyOnFreebsd) {
  for (const Profile profile : {Profile::linux_, Profile::freebsd}) {
    Desk desk({.profile = profile});
    const int listening = desk.listener();
    EXPECT_EQ(desk.set_nonblocking(listening), gives(0));
    desk.handshake();
    const int fd = static_cast<int>(desk.accept(listening).value);
    const bool inherits = profile == Profile::freebsd;
    EXPECT_EQ(desk.sockets.fcntl(fd, F_GETFL, 0), gives(O_RDWR | (inherits ? O_NONBLOCK : 0)));
  }
}

}  // namespace
}  // namespace estab::posix
