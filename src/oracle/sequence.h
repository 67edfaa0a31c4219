// A sequence: what a peer and an application do to one connection, independent of the initial
// sequence number, window and clock that the host under test has chosen. Law: a sequence is a value
// that knows no host; it can be generated, shrunk, printed and compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "estab/address.h"
#include "estab/segment.h"
#include "estab/time.h"

namespace estab::oracle {

/// A sequence number, as a distance from something both hosts have.
struct Place {
  enum class Base : std::uint8_t {
    origin,   ///< the initial number of that direction: 0 is its SYN
    current,  ///< SEQ: what the host has acknowledged last; ACK: behind the last it has sent
    edge,     ///< the right edge of the window the host has announced (SEQ only)
  };
  Base base = Base::current;
  std::int32_t delta = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

struct TimestampStep {
  enum class Echo : std::uint8_t { latest, zero, future };
  std::uint32_t value = 0;   ///< TSval, as on the wire
  Echo echo = Echo::latest;  ///< TSecr: the host's latest TSval, 0, or one it has not sent
  friend bool operator==(const TimestampStep&, const TimestampStep&) = default;
};

struct SackStep {
  Place left, right;  ///< numbers of the host's direction
  friend bool operator==(const SackStep&, const SackStep&) = default;
};

/// A segment from the peer.
struct SegmentStep {
  TcpFlags flags;
  Place seq{};
  Place ack{};
  std::uint16_t window = 65535;
  std::uint16_t urgent_pointer = 0;
  std::uint16_t payload = 0;
  std::optional<std::uint16_t> mss{};
  std::optional<std::uint8_t> window_scale{};
  bool sack_permitted = false;
  std::optional<TimestampStep> timestamps{};
  std::vector<SackStep> sack{};
  std::vector<std::uint8_t> raw_options{};  ///< behind the others
  std::uint8_t ecn = 0;                     ///< of the IP header
  std::uint8_t reserved = 0;                ///< the four bits behind the data offset
  bool wrong_checksum = false;
  friend bool operator==(const SegmentStep&, const SegmentStep&) = default;
};

/// An ICMP error about a segment of the host's.
struct IcmpStep {
  enum class Kind : std::uint8_t {
    net_unreachable,
    host_unreachable,
    port_unreachable,
    protocol_unreachable,
    prohibited,
    too_big,
    time_exceeded,
    parameter_problem,
    source_quench,
  };
  Kind kind = Kind::host_unreachable;
  std::uint16_t mtu = 0;
  Place seq{};  ///< of the segment quoted
  friend bool operator==(const IcmpStep&, const IcmpStep&) = default;
};

/// What the application does. There is one listener and one stream at a time.
struct CallStep {
  enum class Call : std::uint8_t {
    listen,
    accept,
    connect,
    write,
    write_urgent,
    read,
    peek,
    read_urgent,
    shutdown_read,
    shutdown_write,
    shutdown_both,
    close,
    abort,
    close_listener,
    no_delay,
    poll,
    socket_error,
    unread,
  };
  Call call = Call::poll;
  std::uint32_t amount = 0;
  friend bool operator==(const CallStep&, const CallStep&) = default;
};

/// Time passes; timers may run out.
struct WaitStep {
  Duration span{};
  friend bool operator==(const WaitStep&, const WaitStep&) = default;
};

using Step = std::variant<SegmentStep, IcmpStep, CallStep, WaitStep>;

struct Sequence {
  Family family = Family::ipv4;
  SeqNum isn{1000};  ///< the peer's
  std::vector<Step> steps{};
  friend bool operator==(const Sequence&, const Sequence&) = default;
};

std::string_view name(CallStep::Call call);
std::string_view name(IcmpStep::Kind kind);
std::string to_string(const Place& place, std::string_view current);
std::string to_string(const Step& step);

}  // namespace estab::oracle
