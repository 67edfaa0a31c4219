#include "oracle/kernel_subject.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
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
    : in_(std::move(in)),
      diagnosis_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}

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

bool KernelSubject::take_frame(std::vector<std::uint8_t>& into) {
  into.resize(65536);
  const ssize_t length = ::read(in_.tun.number(), into.data(), into.size());
  into.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  return length > 0;
}

State KernelSubject::state() {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } query{};
  query.header.nlmsg_len = sizeof query;
  query.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  query.header.nlmsg_flags = NLM_F_REQUEST;
  query.request.sdiag_family = tuple_.family() == Family::ipv4 ? AF_INET : AF_INET6;
  query.request.sdiag_protocol = IPPROTO_TCP;
  query.request.idiag_states = 0xffffffff;
  query.request.id.idiag_sport = htons(tuple_.local_port);
  query.request.id.idiag_dport = htons(tuple_.remote_port);
  const Octets local = tuple_.local_address.wire_octets();
  const Octets remote = tuple_.remote_address.wire_octets();
  std::memcpy(query.request.id.idiag_src, local.data(), local.size());
  std::memcpy(query.request.id.idiag_dst, remote.data(), remote.size());
  query.request.id.idiag_cookie[0] = query.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(diagnosis_.number(), &query, sizeof query, 0) < 0) return State::closed;
  alignas(nlmsghdr) std::array<char, 4096> answer;
  const ssize_t length = ::recv(diagnosis_.number(), answer.data(), answer.size(), 0);
  nlmsghdr header;
  if (length < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return State::closed;
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return State::closed;
  inet_diag_msg message;
  std::memcpy(&message, answer.data() + NLMSG_HDRLEN, sizeof message);
  return state_of(message.idiag_state);
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
