#include "gateway/datagram_relay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "estab/when.h"

#include "gateway/socket_address.h"

namespace estab::gateway {

namespace {

/// A port that talks to more is a port of many questions; answers to the oldest are lost.
constexpr std::size_t kMostPeers = 256;
/// Datagrams taken from a socket before the others have their turn.
constexpr int kBurst = 64;

// Errors are asked for, as an unconnected socket is not told of them else; and the kernel is to cut
// what is too long, as the guest does not hear how much fits.
host::OwnedDescriptor open_socket(Family family) {
  const bool v4 = family == Family::ipv4;
  host::OwnedDescriptor socket(
      ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1, cut = v4 ? IP_PMTUDISC_DONT : IPV6_PMTUDISC_DONT;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  ::setsockopt(socket.number(), level, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
  ::setsockopt(socket.number(), level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &cut, sizeof cut);
  return socket;
}

}  // namespace

Task<> DatagramRelay::run() {
  socket_ = open_socket(flow_.source().address.family());
  if (!socket_) co_return;
  static_cast<void>(co_await when_any(carry_up(), carry_down()));
}

Task<> DatagramRelay::carry_up() {
  for (;;) {
    const auto datagram = co_await flow_.recv(scratch_);
    if (!datagram) co_return;
    send_up(*datagram);
  }
}

void DatagramRelay::send_up(const ReceivedDatagram& datagram) {
  const auto target = upstream_.route_datagram(datagram.to);
  if (!target) {
    ++counts_.refused;
    static_cast<void>(flow_.reject(datagram.to, target.error()));
    return;
  }
  remember({*target, datagram.to});
  const SocketAddress to(*target);
  const std::size_t length = std::min(datagram.length, scratch_.size());
  const ssize_t sent = ::sendto(socket_.number(), scratch_.data(), length,
                                MSG_DONTWAIT | MSG_NOSIGNAL, to.get(), to.length);
  if (sent >= 0) {
    ++counts_.up;
  } else if (errno != EAGAIN && errno != ENOBUFS) {
    // An error of an earlier one may come out here: it is the same to the guest.
    static_cast<void>(flow_.reject(datagram.to, refusal_of(errno)));
  }
}

Task<> DatagramRelay::carry_down() {
  for (int taken = 0;;) {
    SocketAddress from;
    const ssize_t got = ::recvfrom(socket_.number(), scratch_.data(), scratch_.size(), MSG_DONTWAIT,
                                   from.get(), &from.length);
    if (got >= 0)
      send_down(from.endpoint(), Octets(scratch_).first(static_cast<std::size_t>(got)));
    else if (errno != EAGAIN)
      take_error();
    if ((got >= 0 || errno != EAGAIN) && ++taken < kBurst) continue;
    taken = 0;
    static_cast<void>(co_await host_.readable(socket_.number()));
  }
}

void DatagramRelay::send_down(const Endpoint& from, Octets octets) {
  const auto name = name_of(from);
  if (!name) {
    ++counts_.unasked;
    return;
  }
  if (flow_.send(octets, *name)) ++counts_.down;
}

void DatagramRelay::take_error() {
  SocketAddress about;
  alignas(cmsghdr) std::array<std::byte, 512> control;
  std::byte octet{};
  iovec piece{&octet, sizeof octet};
  msghdr message{};
  message.msg_name = about.get();
  message.msg_namelen = about.length;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket_.number(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
  if (message.msg_namelen == 0) return;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(part), sizeof error);
    const auto name = name_of(about.endpoint());
    if (name) static_cast<void>(flow_.reject(*name, refusal_of(static_cast<int>(error.ee_errno))));
  }
}

void DatagramRelay::remember(const Peer& peer) {
  const auto is_same = [&](const Peer& other) { return other.target == peer.target; };
  if (!peers_.empty() && is_same(peers_.front())) {
    peers_.front().meant = peer.meant;
    return;
  }
  if (const auto known = std::ranges::find_if(peers_, is_same); known != peers_.end())
    peers_.erase(known);
  if (peers_.size() >= kMostPeers) peers_.pop_back();
  peers_.push_front(peer);
}

std::optional<Endpoint> DatagramRelay::name_of(const Endpoint& target) const {
  const auto known = std::ranges::find(peers_, target, &Peer::target);
  return known == peers_.end() ? std::nullopt : std::optional(known->meant);
}

}  // namespace estab::gateway
