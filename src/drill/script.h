// What a packetdrill script says, as values: options, and events in the order in which they stand.
// Numbers are the script's own (relative ones); what they are on the wire is the runner's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "estab/time.h"

namespace estab::drill {

/// When an event is to happen.
struct EventTime {
  enum class Form : std::uint8_t {
    absolute,  ///< `0.5`: since the script began
    relative,  ///< `+0.5`: since the event before
    any,       ///< `*`
  };
  Form form = Form::absolute;
  Duration at{};
  std::optional<Duration> until{};  ///< of a range, `+0.1~+0.2`, counted from where `at` is
};

/// An argument or a result of a call.
struct Expression {
  enum class Kind : std::uint8_t {
    ellipsis,   ///< `...`: whatever fits
    integer,    ///< 5, -1, 0x2
    word,       ///< SOL_SOCKET
    text,       ///< "octets"
    operation,  ///< items[0] text items[1], or text items[0]
    array,      ///< [1, 2]
    structure,  ///< {fd=3, events=POLLIN}
    call,       ///< htons(8080)
  };
  Kind kind = Kind::ellipsis;
  std::string label{};  ///< of a field of a structure, its name
  std::string text{};
  std::int64_t number = 0;
  std::vector<Expression> items{};

  bool is_ellipsis() const { return kind == Kind::ellipsis; }
};

struct SystemCall {
  std::string name;
  std::vector<Expression> arguments{};
  Expression result{};
  std::string error{};             ///< `ECONNREFUSED`; empty: none is expected
  std::optional<Duration> ends{};  ///< a blocking call: when it returns, counted as EventTime::at
};

enum class Direction : std::uint8_t { in, out };

/// The low two bits of the traffic class; `ect` is either of the two.
enum class EcnMark : std::uint8_t { not_ect, ect0, ect1, ect, ce };

/// What a script asks of, or sets in, the IP header.
struct IpMarks {
  std::optional<EcnMark> ecn{};
  std::optional<std::uint8_t> tos{};
  std::optional<std::uint8_t> ttl{};
  std::optional<std::uint32_t> flow_label{};
};

/// One TCP option as it stands on the wire, numbers in its body in network order.
struct TcpOption {
  std::uint8_t kind = 0;
  std::vector<std::uint8_t> body{};      ///< behind kind and length
  std::optional<std::uint8_t> length{};  ///< the length octet, where it is not the true one
  bool verbatim = false;                 ///< written in hexadecimal: nothing in it is translated

  friend bool operator==(const TcpOption& a, const TcpOption& b) {
    return a.kind == b.kind && a.body == b.body;
  }
};

/// The control bits, with the one that RFC 9768 has besides them.
inline constexpr std::uint16_t kAccurateEcn = 0x100;

struct TcpSpec {
  std::uint16_t flags = 0;  ///< TcpFlags' bits, and kAccurateEcn
  std::uint32_t seq = 0;
  std::uint32_t length = 0;  ///< of the payload
  std::optional<std::uint32_t> ack{};
  std::optional<std::uint16_t> window{};
  std::optional<std::uint16_t> urgent{};
  bool any_options = false;  ///< `<...>`
  std::vector<TcpOption> options{};
};

struct UdpSpec {
  std::uint32_t length = 0;
};

/// An ICMP message, and the datagram of ours that it quotes.
struct IcmpSpec {
  struct Quote {
    enum class Protocol : std::uint8_t { tcp, udp };
    Protocol protocol = Protocol::tcp;
    std::uint32_t seq = 0;
    std::uint32_t length = 0;
  };
  // Names stand for different numbers in the two families, and are looked up by the runner.
  std::string type_name{}, code_name{};
  std::uint8_t type = 0, code = 0;
  std::uint32_t rest = 0;  ///< MTU, or identifier and sequence number of an echo
  std::optional<Quote> quote{};
};

struct PacketSpec {
  Direction direction = Direction::in;
  IpMarks marks{};
  std::string beyond{};  ///< what it asks for that the runner has not got; empty: nothing
  std::variant<TcpSpec, UdpSpec, IcmpSpec> transport{};
};

/// A shell command, in backquotes or in a `// CONFIG:` comment.
struct Command {
  std::string text;
};

/// Python between `%{` and `}%`.
struct Code {
  std::string text;
};

struct ScriptEvent {
  int line = 0;
  EventTime time{};
  std::variant<SystemCall, PacketSpec, Command, Code> action{};
  std::string source{};  ///< as it stands in the file, on one line
};

struct Script {
  std::vector<std::pair<std::string, std::string>> options{};  ///< `--name=value`
  std::vector<ScriptEvent> setup{};  ///< commands before the first event; without a time
  std::vector<ScriptEvent> events{};
};

/// Words to be replaced, `-D NAME=VALUE`.
using Defines = std::map<std::string, std::string, std::less<>>;

}  // namespace estab::drill
