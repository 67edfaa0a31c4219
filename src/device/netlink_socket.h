// NetlinkRequest and NetlinkSocket: one question to the kernel over netlink and its answers, by
// libmnl. Law: every request asks for an acknowledgement, so that an exchange has an end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "estab/octets.h"

namespace estab::device {

/// A message in the making: its header, the structure its type begins with, then attributes, which
/// are added with mnl_attr_put.
class NetlinkRequest {
 public:
  template <class Fixed>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Fixed& fixed)
      : octets_{}, message_(mnl_nlmsg_put_header(octets_.data())) {
    static_assert(NLMSG_SPACE(sizeof(Fixed)) <= kRoom / 2, "attributes need room too");
    message_->nlmsg_type = type;
    message_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    std::memcpy(mnl_nlmsg_put_extra_header(message_, sizeof fixed), &fixed, sizeof fixed);
  }
  NetlinkRequest(const NetlinkRequest&) = delete;
  NetlinkRequest& operator=(const NetlinkRequest&) = delete;

  void add(std::uint16_t type, Octets value) {
    mnl_attr_put(message_, type, value.size(), value.data());
  }
  nlmsghdr* message() { return message_; }
  const nlmsghdr* message() const { return message_; }

 private:
  static constexpr std::size_t kRoom = 512;
  alignas(nlmsghdr) std::array<char, kRoom> octets_;
  nlmsghdr* message_;
};

class NetlinkSocket {
 public:
  /// Of NETLINK_ROUTE and the like. One that could not be opened says so in each exchange.
  explicit NetlinkSocket(int protocol);

  /// Sends the request and hands each answer of the kernel's, which it gives at once, to `visit`.
  /// Returns 0 or errno.
  int exchange(
      const NetlinkRequest& request,
      std::function<void(const nlmsghdr&)> visit = [](const nlmsghdr&) {});

 private:
  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  std::unique_ptr<mnl_socket, Close> socket_;
  int open_error_ = 0;
};

/// The structure an answer begins with; null if the answer is too short for it.
template <class Fixed>
const Fixed* fixed_part(const nlmsghdr& answer) {
  if (mnl_nlmsg_get_payload_len(&answer) < sizeof(Fixed)) return nullptr;
  return static_cast<const Fixed*>(mnl_nlmsg_get_payload(&answer));
}

/// The value of the first attribute of that type behind a fixed part of `fixed_size` octets; empty
/// if there is none.
Octets attribute(const nlmsghdr& answer, std::size_t fixed_size, std::uint16_t type);

}  // namespace estab::device
