// Every error with its name and its sentence.
#include "estab/error.h"

#include <array>

#include "base/named.h"

namespace estab {
namespace {

struct Row {
  Error value;
  std::string_view name;
  std::string_view message;
};

constexpr auto kErrors = std::to_array<Row>({
    {Error::connection_refused, "connection_refused", "the peer refused the connection"},
    {Error::connect_timed_out, "connect_timed_out", "the peer did not answer in time"},
    {Error::connection_reset, "connection_reset", "the peer reset the connection"},
    {Error::connection_timed_out, "connection_timed_out", "the peer has stopped answering"},
    {Error::user_timeout, "user_timeout",
     "data stayed unacknowledged for longer than the user timeout"},
    {Error::connection_aborted, "connection_aborted", "the connection was aborted on this side"},
    {Error::host_unreachable, "host_unreachable", "the host cannot be reached"},
    {Error::network_unreachable, "network_unreachable", "the network cannot be reached"},
    {Error::port_unreachable, "port_unreachable", "nothing receives on that port of the host"},
    {Error::protocol_unreachable, "protocol_unreachable", "the host does not speak the protocol"},
    {Error::no_such_id, "no_such_id", "the handle names nothing (any more)"},
    {Error::not_connected, "not_connected", "the connection is not open for this"},
    {Error::already_shut_down, "already_shut_down", "sending was shut down before"},
    {Error::end_of_stream, "end_of_stream", "the peer has sent everything it had to send"},
    {Error::would_block, "would_block", "it cannot be done at once: try later"},
    {Error::address_in_use, "address_in_use", "the local address and port are taken"},
    {Error::address_not_available, "address_not_available",
     "the local address cannot be used here"},
    {Error::address_removed, "address_removed",
     "the local address has been removed from this stack"},
    {Error::no_route, "no_route", "no interface leads to the destination"},
    {Error::no_ports, "no_ports", "every ephemeral port to the destination is taken"},
    {Error::limit_reached, "limit_reached", "a configured limit is reached"},
    {Error::message_too_long, "message_too_long", "the datagram is too long"},
    {Error::mtu_too_small, "mtu_too_small", "IPv6 needs an MTU of at least 1280 octets"},
    {Error::invalid_argument, "invalid_argument", "the call makes no sense as given"},
});
static_assert(base::is_complete(kErrors, static_cast<std::size_t>(Error::invalid_argument) + 1));

}  // namespace

std::string_view message(Error error) {
  const auto index = static_cast<std::size_t>(error);
  return index < kErrors.size() ? kErrors[index].message : "unknown error";
}

std::string_view name(Error error) {
  return base::name_in(kErrors, error);
}

}  // namespace estab
