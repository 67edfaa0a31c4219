// Every error with its name, its sentence, and what the system calls say for it.
#include "estab/error.h"

#include <array>
#include <optional>
#include <string>

#include "base/named.h"

namespace estab {
namespace {

using std::errc;

struct Row {
  Error value;
  std::string_view name;
  std::string_view message;
  std::optional<errc> like;  ///< none: the system calls have no error for it
};

constexpr auto kErrors = std::to_array<Row>({
    {Error::connection_refused, "connection_refused", "the peer refused the connection",
     errc::connection_refused},
    {Error::connect_timed_out, "connect_timed_out", "the peer did not answer in time",
     errc::timed_out},
    {Error::connection_reset, "connection_reset", "the peer reset the connection",
     errc::connection_reset},
    {Error::connection_timed_out, "connection_timed_out", "the peer has stopped answering",
     errc::timed_out},
    {Error::user_timeout, "user_timeout",
     "data stayed unacknowledged for longer than the user timeout", errc::timed_out},
    {Error::connection_aborted, "connection_aborted", "the connection was aborted on this side",
     errc::connection_aborted},
    {Error::host_unreachable, "host_unreachable", "the host cannot be reached",
     errc::host_unreachable},
    {Error::network_unreachable, "network_unreachable", "the network cannot be reached",
     errc::network_unreachable},
    {Error::port_unreachable, "port_unreachable", "nothing receives on that port of the host",
     errc::connection_refused},
    {Error::protocol_unreachable, "protocol_unreachable", "the host does not speak the protocol",
     errc::no_protocol_option},
    {Error::no_such_id, "no_such_id", "the handle names nothing (any more)",
     errc::bad_file_descriptor},
    {Error::not_connected, "not_connected", "the connection is not open for this",
     errc::not_connected},
    {Error::already_shut_down, "already_shut_down", "sending was shut down before",
     errc::broken_pipe},
    {Error::already_negotiated, "already_negotiated",
     "a setting was changed that the SYNs of the connection have agreed on",
     errc::operation_not_permitted},
    {Error::end_of_stream, "end_of_stream", "the peer has sent everything it had to send", {}},
    {Error::would_block, "would_block", "it cannot be done at once: try later",
     errc::resource_unavailable_try_again},
    {Error::timed_out, "timed_out", "it did not happen within the time allowed", errc::timed_out},
    {Error::cancelled, "cancelled", "the wait was cancelled on this side",
     errc::operation_canceled},
    {Error::address_in_use, "address_in_use", "the local address and port are taken",
     errc::address_in_use},
    {Error::address_not_available, "address_not_available", "the local address cannot be used here",
     errc::address_not_available},
    {Error::address_removed, "address_removed",
     "the local address has been removed from this stack", errc::network_down},
    {Error::no_route, "no_route", "no interface leads to the destination",
     errc::network_unreachable},
    {Error::no_ports, "no_ports", "every ephemeral port to the destination is taken",
     errc::address_not_available},
    {Error::limit_reached, "limit_reached", "a configured limit is reached", errc::no_buffer_space},
    {Error::message_too_long, "message_too_long", "the datagram is too long", errc::message_size},
    {Error::mtu_too_small, "mtu_too_small", "IPv6 needs an MTU of at least 1280 octets",
     errc::invalid_argument},
    {Error::invalid_argument, "invalid_argument", "the call makes no sense as given",
     errc::invalid_argument},
});
static_assert(base::is_complete(kErrors, static_cast<std::size_t>(Error::invalid_argument) + 1));

class ErrorCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "estab"; }
  std::string message(int value) const override {
    return std::string(estab::message(static_cast<Error>(value - 1)));
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    const auto index = static_cast<std::size_t>(value) - 1;
    if (index < kErrors.size() && kErrors[index].like) return *kErrors[index].like;
    return {value, *this};
  }
};

}  // namespace

std::string_view message(Error error) {
  const auto index = static_cast<std::size_t>(error);
  return index < kErrors.size() ? kErrors[index].message : "unknown error";
}

std::string_view name(Error error) {
  return base::name_in(kErrors, error);
}

const std::error_category& error_category() {
  static const ErrorCategory category;
  return category;
}

}  // namespace estab
