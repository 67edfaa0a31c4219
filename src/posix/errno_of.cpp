#include "posix/errno_of.h"

#include <cerrno>

namespace estab::posix {

int errno_of(Error error) {
  switch (error) {
    case Error::connection_refused:
    case Error::port_unreachable:
      return ECONNREFUSED;
    case Error::connect_timed_out:
    case Error::connection_timed_out:
    case Error::user_timeout:
      return ETIMEDOUT;
    case Error::connection_reset:
      return ECONNRESET;
    case Error::connection_aborted:
      return ECONNABORTED;
    case Error::host_unreachable:
      return EHOSTUNREACH;
    case Error::network_unreachable:
    case Error::no_route:
      return ENETUNREACH;
    case Error::protocol_unreachable:
      return ENOPROTOOPT;
    case Error::no_such_id:
      return EBADF;
    case Error::not_connected:
      return ENOTCONN;
    case Error::already_shut_down:
      return EPIPE;
    case Error::end_of_stream:
      return 0;
    case Error::would_block:
      return EAGAIN;
    case Error::address_in_use:
      return EADDRINUSE;
    case Error::address_not_available:
    case Error::no_ports:
      return EADDRNOTAVAIL;
    case Error::address_removed:
      return ENETDOWN;
    case Error::limit_reached:
      return ENOBUFS;
    case Error::message_too_long:
      return EMSGSIZE;
    case Error::mtu_too_small:
    case Error::invalid_argument:
      return EINVAL;
  }
  return EINVAL;
}

}  // namespace estab::posix
