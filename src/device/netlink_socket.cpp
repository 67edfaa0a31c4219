#include "device/netlink_socket.h"

#include <cerrno>

#include <sys/socket.h>

namespace estab::device {
namespace {

/// The most that the kernel puts into one message of a list.
constexpr std::size_t kLargestAnswer = 32768;

}  // namespace

NetlinkSocket::NetlinkSocket(int protocol) : socket_(mnl_socket_open2(protocol, SOCK_CLOEXEC)) {
  if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) open_error_ = errno;
}

int NetlinkSocket::exchange(const NetlinkRequest& request,
                            std::function<void(const nlmsghdr&)> visit) {
  if (open_error_ != 0) return open_error_;
  const nlmsghdr* message = request.message();
  if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0) return errno;

  const auto hand_on = [](const nlmsghdr* answer, void* to) {
    (*static_cast<std::function<void(const nlmsghdr&)>*>(to))(*answer);
    return MNL_CB_OK;
  };
  alignas(nlmsghdr) std::array<char, kLargestAnswer> octets;
  int state = MNL_CB_OK;  // until the acknowledgement, an error or the end of a list
  while (state == MNL_CB_OK) {
    const ssize_t length = mnl_socket_recvfrom(socket_.get(), octets.data(), octets.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno;
    state = mnl_cb_run(octets.data(), static_cast<std::size_t>(length), message->nlmsg_seq,
                       mnl_socket_get_portid(socket_.get()), hand_on, &visit);
  }
  return state == MNL_CB_ERROR ? errno : 0;
}

Octets attribute(const nlmsghdr& answer, std::size_t fixed_size, std::uint16_t type) {
  const char* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&answer));
  const auto* at = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&answer, fixed_size));
  for (; mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)));
       at = mnl_attr_next(at))
    if (mnl_attr_get_type(at) == type)
      return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(at)),
              mnl_attr_get_payload_len(at)};
  return {};
}

}  // namespace estab::device
