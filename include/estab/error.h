// Every way a command of the application can fail. Errors are values; the core throws nothing.
//
// Each is also a std::error_code, for programs that speak that language already:
//
//   std::error_code code = stream.error();                 // "estab:1, the peer reset ..."
//   if (code == std::errc::connection_reset) ...           // as the system call would have said it
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace estab {

enum class Error : std::uint8_t {
  connection_refused,     ///< the peer answered the opening with RST
  connect_timed_out,      ///< no answer to the SYN within the R2 of RFC 9293 §3.8.3
  connection_reset,       ///< the peer sent RST on an open connection (MUST-12)
  connection_timed_out,   ///< R2 or the keep-alive limit was reached on an open connection
  user_timeout,           ///< the user timeout of RFC 5482 ran out
  connection_aborted,     ///< this side aborted
  host_unreachable,       ///< ICMP said so while opening, or no answer and ICMP hinted it
  network_unreachable,    ///< ICMP said so while opening
  port_unreachable,       ///< ICMP said so while opening, or for a datagram
  protocol_unreachable,   ///< ICMP said so while opening
  no_such_id,             ///< the handle is stale, or was never given out
  not_connected,          ///< the connection is not (or no longer) open for this
  already_shut_down,      ///< sending after shutdown
  already_negotiated,     ///< the SYNs have agreed on this setting; it cannot be changed any more
  end_of_stream,          ///< the peer has closed its direction and every octet has been read
  would_block,            ///< nothing to read, no room to write, nothing to accept: try later
  timed_out,              ///< the caller's own limit for this call has passed; nothing was lost
  cancelled,              ///< this side gave the wait up: Host::stop(), TaskHandle::cancel()
  address_in_use,         ///< the local endpoint is taken
  address_not_available,  ///< the local address is none of this stack's, or not one to use
                          ///< (MUST-46)
  address_removed,        ///< the local address, or its interface, was removed
  no_route,               ///< no interface leads there
  no_ports,               ///< every ephemeral port to that destination is taken
  limit_reached,          ///< a configured limit: see StackLimits
  message_too_long,       ///< the datagram does not fit
  mtu_too_small,          ///< an MTU under 1280 octets and an IPv6 address (RFC 8200 §5)
  invalid_argument,       ///< the call makes no sense as given
};

/// A sentence of plain English, without a full stop.
std::string_view message(Error error);
/// The enumerator's own name, as in `connection_refused`.
std::string_view name(Error error);

/// The category of the codes below; its name is "estab". A code compares equal to the std::errc
/// which the system calls use for the same thing, where there is one.
const std::error_category& error_category();
/// Found by ADL where an Error is assigned to, or compared with, a std::error_code. Its value is
/// one more than the enumerator's: 0 would mean success.
inline std::error_code make_error_code(Error error) {
  return {static_cast<int>(error) + 1, error_category()};
}

template <class T>
using Result = std::expected<T, Error>;

}  // namespace estab

template <>
struct std::is_error_code_enum<estab::Error> : std::true_type {};
