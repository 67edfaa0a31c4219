// epoll: level and edge triggered, one-shot, time-outs.

#include "posix/testing/desk.h"

namespace estab::posix {
namespace {

using namespace std::chrono_literals;

class Epoll : public testing::Test {
 protected:
  Outcome control(int operation, int of, std::uint32_t events, std::uint64_t data = 0) {
    epoll_event event{events, {.u64 = data}};
    return desk.sockets.epoll_ctl(epoll, operation, of, &event);
  }
  Outcome wait(int timeout_ms = 0, int room = 8) {
    return desk.sockets.epoll_wait(desk.now(), epoll, found.data(), room, timeout_ms);
  }
  void data_comes() {
    desk.in("P. " + std::to_string(next_) + ":" + std::to_string(next_ + 1) +
            "(1) ack 1 win 65535");
    ++next_;
  }
  Desk desk;
  int fd = desk.opened();
  int epoll = static_cast<int>(desk.sockets.epoll_create(0).value);
  std::array<epoll_event, 8> found{};

 private:
  int next_ = 1;
};

TEST_F(Epoll, RefusesWhatMakesNoSense) {
  EXPECT_EQ(desk.sockets.epoll_create(1), fails(EINVAL));
  EXPECT_EQ(control(EPOLL_CTL_ADD, 99, EPOLLIN), fails(EBADF));
  EXPECT_EQ(control(EPOLL_CTL_ADD, epoll, EPOLLIN), fails(EINVAL));
  EXPECT_EQ(control(EPOLL_CTL_MOD, fd, EPOLLIN), fails(ENOENT));
  EXPECT_EQ(control(EPOLL_CTL_DEL, fd, EPOLLIN), fails(ENOENT));
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN), gives(0));
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN), fails(EEXIST));
  EXPECT_EQ(control(77, fd, EPOLLIN), fails(EINVAL));
  EXPECT_EQ(wait(0, 0), fails(EINVAL));
  EXPECT_EQ(desk.sockets.epoll_wait(desk.now(), fd, found.data(), 1, 0), fails(EINVAL));
  EXPECT_EQ(desk.sockets.epoll_wait(desk.now(), 99, found.data(), 1, 0), fails(EBADF));
}

TEST_F(Epoll, TellsByLevelAsLongAsItIsSo) {
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT, 42), gives(0));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(wait(), gives(1));
    EXPECT_EQ(found[0].events, static_cast<std::uint32_t>(EPOLLOUT));
    EXPECT_EQ(found[0].data.u64, 42u);
  }
  data_comes();
  EXPECT_EQ(wait(), gives(1));
  EXPECT_EQ(found[0].events, static_cast<std::uint32_t>(EPOLLIN | EPOLLOUT));
  EXPECT_EQ(control(EPOLL_CTL_MOD, fd, EPOLLIN, 43), gives(0));
  EXPECT_EQ(desk.read(fd, 10), gives(1));
  EXPECT_EQ(wait(), gives(0));
  EXPECT_EQ(control(EPOLL_CTL_DEL, fd, 0), gives(0));
  data_comes();
  EXPECT_EQ(wait(), gives(0));
}

TEST_F(Epoll, TellsByEdgeWhenSomethingHasHappened) {
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET), gives(0));
  EXPECT_EQ(wait(), gives(0));
  data_comes();
  EXPECT_EQ(wait(), gives(1));
  EXPECT_EQ(wait(), gives(0));
  data_comes();
  EXPECT_EQ(wait(), gives(1));
  EXPECT_EQ(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET), gives(0));
  EXPECT_EQ(wait(), gives(1));  // a change asks anew
  EXPECT_EQ(wait(), gives(0));
}

TEST_F(Epoll, TellsOnceIfAskedTo) {
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT), gives(0));
  data_comes();
  EXPECT_EQ(wait(), gives(1));
  EXPECT_EQ(wait(), gives(0));
  data_comes();
  EXPECT_EQ(wait(), gives(0));
  EXPECT_EQ(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), gives(0));
  EXPECT_EQ(wait(), gives(1));
}

TEST_F(Epoll, AlwaysTellsOfErrorsAndHangUps) {
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLRDHUP), gives(0));
  desk.in("R. 1:1(0) ack 1 win 0");
  EXPECT_EQ(wait(), gives(1));
  EXPECT_EQ(found[0].events, static_cast<std::uint32_t>(EPOLLERR | EPOLLHUP | EPOLLRDHUP));
}

TEST_F(Epoll, WaitsUntilItsTimeIsUp) {
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN), gives(0));
  EXPECT_EQ(wait(100).until, desk.now() + 100ms);
  desk.after(60ms);
  EXPECT_EQ(wait(100).until, desk.now() + 40ms);
  desk.after(40ms);
  EXPECT_EQ(wait(100), gives(0));
  EXPECT_EQ(wait(-1).until, kNever);
  data_comes();
  EXPECT_EQ(wait(-1), gives(1));
}

TEST_F(Epoll, GivesEveryoneATurn) {
  const int other = static_cast<int>(desk.sockets.socket(AF_INET, SOCK_DGRAM, 0).value);
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLOUT, 1), gives(0));
  EXPECT_EQ(control(EPOLL_CTL_ADD, other, EPOLLOUT, 2), gives(0));
  std::array<std::uint64_t, 4> seen{};
  for (auto& one : seen) {
    EXPECT_EQ(wait(0, 1), gives(1));
    one = found[0].data.u64;
  }
  EXPECT_EQ(seen, (std::array<std::uint64_t, 4>{1, 2, 1, 2}));
}

TEST_F(Epoll, ForgetsWhatIsClosedAndCanBePolledItself) {
  EXPECT_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN), gives(0));
  data_comes();
  EXPECT_EQ(desk.poll(epoll), POLLIN | POLLRDNORM);
  EXPECT_EQ(desk.close(fd), gives(0));
  EXPECT_EQ(desk.poll(epoll), 0);
  EXPECT_EQ(wait(), gives(0));
  EXPECT_EQ(desk.close(epoll), gives(0));
  EXPECT_EQ(wait(), fails(EBADF));
}

TEST_F(Epoll, TellsByEdgeOfEachConnectionToAccept) {
  const int listening = desk.listener();
  EXPECT_EQ(control(EPOLL_CTL_ADD, listening, EPOLLIN | EPOLLET), gives(0));
  for (const std::uint16_t port : {40001, 40002}) {
    desk.peer.talk_from(port);
    desk.handshake();
    EXPECT_EQ(wait(), gives(1)) << port;
    EXPECT_EQ(wait(), gives(0)) << port;
  }
}

}  // namespace
}  // namespace estab::posix
