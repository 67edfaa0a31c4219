#include "oracle/kernel_subject.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/endpoint_codec.h"

namespace estab::oracle {

namespace {

posix::Outcome outcome_of(std::int64_t value) {
  return {.value = value, .error = value < 0 ? errno : 0};
}

struct SocketAddress {
  explicit SocketAddress(const Endpoint& endpoint) {
    posix::write_endpoint(endpoint.address.is_v4() ? AF_INET : AF_INET6, endpoint, pointer(),
                          &length);
  }
  sockaddr* pointer() { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
};

// By the kernel's numbers, TCP_ESTABLISHED = 1 to TCP_NEW_SYN_RECV = 12.
State state_of(std::uint8_t number) {
  static constexpr std::array kStates = {State::closed,       State::established, State::syn_sent,
                                         State::syn_received, State::fin_wait_1,  State::fin_wait_2,
                                         State::time_wait,    State::closed,      State::close_wait,
                                         State::last_ack,     State::closed,      State::closing,
                                         State::syn_received};
  return number < kStates.size() ? kStates[number] : State::closed;
}

}  // namespace

KernelSubject::KernelSubject(KernelNamespace&& in)
    : in_(std::move(in)), diagnosis_(NETLINK_SOCK_DIAG) {}

void KernelSubject::begin(const FourTuple& tuple, const ReceiveRoom&) {
  tuple_ = tuple;
  drain();
}

void KernelSubject::end(Octets reset) {
  if (state() != State::closed) inject(reset);
  drain();
}

void KernelSubject::drain() {
  std::array<char, 65536> into;
  while (::read(in_.tun.number(), into.data(), into.size()) > 0) {
  }
}

void KernelSubject::inject(Octets datagram) {
  [[maybe_unused]] const ssize_t written =
      ::write(in_.tun.number(), datagram.data(), datagram.size());
}

void KernelSubject::wait(Duration span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span);
  timespec left{.tv_sec = seconds.count(), .tv_nsec = (span - seconds).count()};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

bool KernelSubject::take_frame(std::vector<std::uint8_t>& into) {
  into.resize(65536);
  const ssize_t length = ::read(in_.tun.number(), into.data(), into.size());
  into.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  return length > 0;
}

State KernelSubject::state() {
  inet_diag_req_v2 question{};
  question.sdiag_family = tuple_.family() == Family::ipv4 ? AF_INET : AF_INET6;
  question.sdiag_protocol = IPPROTO_TCP;
  question.idiag_states = 0xffffffff;
  question.id.idiag_sport = htons(tuple_.local_port);
  question.id.idiag_dport = htons(tuple_.remote_port);
  const Octets local = tuple_.local_address.wire_octets();
  const Octets remote = tuple_.remote_address.wire_octets();
  std::memcpy(question.id.idiag_src, local.data(), local.size());
  std::memcpy(question.id.idiag_dst, remote.data(), remote.size());
  question.id.idiag_cookie[0] = question.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  State state = State::closed;  // also if the kernel knows no such connection
  const device::NetlinkRequest request(SOCK_DIAG_BY_FAMILY, 0, question);
  diagnosis_.exchange(request, [&](const nlmsghdr& answer) {
    if (const auto* message = device::fixed_part<inet_diag_msg>(answer))
      state = state_of(message->idiag_state);
  });
  return state;
}

posix::Outcome KernelSubject::socket(int domain) {
  return outcome_of(::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

posix::Outcome KernelSubject::bind(int fd, const Endpoint& local) {
  SocketAddress address(local);
  return outcome_of(::bind(fd, address.pointer(), address.length));
}

posix::Outcome KernelSubject::listen(int fd, int backlog) {
  return outcome_of(::listen(fd, backlog));
}

posix::Outcome KernelSubject::accept(int fd) {
  return outcome_of(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

posix::Outcome KernelSubject::connect(int fd, const Endpoint& remote) {
  SocketAddress address(remote);
  return outcome_of(::connect(fd, address.pointer(), address.length));
}

posix::Outcome KernelSubject::send(int fd, Octets octets, int flags) {
  return outcome_of(::send(fd, octets.data(), octets.size(), flags | MSG_NOSIGNAL));
}

posix::Outcome KernelSubject::recv(int fd, MutableOctets into, int flags) {
  return outcome_of(::recv(fd, into.data(), into.size(), flags));
}

posix::Outcome KernelSubject::shutdown(int fd, int how) {
  return outcome_of(::shutdown(fd, how));
}

posix::Outcome KernelSubject::close(int fd) {
  return outcome_of(::close(fd));
}

posix::Outcome KernelSubject::set_option(int fd, int level, int option, Octets value) {
  return outcome_of(
      ::setsockopt(fd, level, option, value.data(), static_cast<socklen_t>(value.size())));
}

posix::Outcome KernelSubject::get_option(int fd, int level, int option, MutableOctets value) {
  auto length = static_cast<socklen_t>(value.size());
  return outcome_of(::getsockopt(fd, level, option, value.data(), &length));
}

posix::Outcome KernelSubject::ioctl(int fd, unsigned long request, void* argument) {
  return outcome_of(::ioctl(fd, request, argument));
}

posix::Outcome KernelSubject::poll(int fd, short events) {
  pollfd descriptor{fd, events, 0};
  const int ready = ::poll(&descriptor, 1, 0);
  return outcome_of(ready < 0 ? ready : descriptor.revents);
}

}  // namespace estab::oracle
