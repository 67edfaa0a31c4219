// Every setting and every limit, with its default. All are run-time values. Durations carry their
// unit in the type; sizes are octets.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "estab/address.h"
#include "estab/quirks.h"
#include "estab/time.h"

namespace estab {

/// RFC 9293 §3.8.4. Off unless asked for (MUST-24, MUST-25).
struct KeepAlive {
  bool enabled = false;
  Duration idle = std::chrono::hours(2);         ///< MUST-28: at least two hours by default
  Duration interval = std::chrono::seconds(75);  ///< between probes
  std::uint8_t probes = 9;                       ///< unanswered before the connection is given up
  friend bool operator==(const KeepAlive&, const KeepAlive&) = default;
};

/// Explicit Congestion Notification: whether to use it. One setting for each kind of feedback, that
/// of RFC 3168 (one echo a round trip) and that of RFC 9768 (AccECN: how much was marked).
enum class Ecn : std::uint8_t {
  off,
  accept,   ///< use it if the peer asks for it
  request,  ///< ask for it too; a SYN that gets no answer is repeated without
};

/// What Fast Open cookies are made with; sixteen octets nobody else knows.
using FastOpenKey = std::array<std::uint8_t, 16>;

/// TCP Fast Open (RFC 7413): the first octets go in the SYN, and a server has them, and may answer,
/// a round trip sooner. Off unless asked for: such octets may, rarely, be delivered twice (§6.1),
/// so that it is only for what may be said twice.
struct FastOpen {
  /// Of who connects: ask the server for a cookie and, once there is one, put what is sent before
  /// the SYN leaves into it. Needs to be sent again where the server does not take it, which is
  /// seen to.
  bool connect = false;
  /// Off: the octets go without one (§7.3), to servers that are known to take them so.
  bool connect_cookies = true;
  /// Of who listens: most connections that a SYN alone has opened and no ACK yet (§5.1,
  /// PendingFastOpenRequests). 0: does not take part, and passes cookies over.
  std::uint32_t pending = 0;
  /// Of who listens. Off: octets are taken without one (§7.3), and nothing stops a flood of SYNs
  /// with made-up addresses from being answered by the application.
  bool cookies = true;
  /// Cookies are made with the first and taken by any (§4.1.2). A farm behind one address needs the
  /// same (§6.3.4); Linux makes the same cookies with the same keys. Empty: the stack's own, which
  /// change by themselves (StackConfig::fast_open_key_lifetime).
  std::vector<FastOpenKey> keys{};
  friend bool operator==(const FastOpen&, const FastOpen&) = default;
};

/// What decides how much may be in flight (src/tcp/congestion).
enum class CongestionControl : std::uint8_t {
  new_reno,  ///< RFC 5681
  cubic,     ///< RFC 9438, with HyStart++ (RFC 9406)
  bbr,       ///< version 3 (draft-ietf-ccwg-bbr)
  dctcp,     ///< RFC 8257: for networks of one administration whose switches mark early
};

/// The octets a buffer holds at most: a number that stays, or a range through which it grows with
/// what its connection needs, as far as StackLimits::buffer_growth allows. Memory is taken only for
/// what is held.
///
///   config.send_buffer = 65536;                                       // stays
///   config.receive_buffer = BufferSize::growing(128 << 10, 16 << 20); // grows
struct BufferSize {
  std::uint32_t initial, most;

  /// A buffer of this size.
  // NOLINTNEXTLINE(google-explicit-constructor): where a number is written, a buffer is meant
  constexpr BufferSize(std::uint32_t fixed) : initial(fixed), most(fixed) {}
  /// One that grows from `initial` to at most `most` octets; no growth if that is not more.
  static constexpr BufferSize growing(std::uint32_t initial, std::uint32_t most) {
    BufferSize size(initial);
    size.most = most > initial ? most : initial;
    return size;
  }
  constexpr bool grows() const { return most > initial; }
  friend bool operator==(const BufferSize&, const BufferSize&) = default;
};

/// Settings of one connection. Set them at connect or listen; Stack::reconfigure changes them
/// later, save those which the SYNs negotiate (marked SYN) from the moment the SYN is made, and
/// those which only an opening has use for (marked opening) from the moment it is open.
struct TcpConfig {
  /// Most octets held for the application, and the window's limit. It grows with what the
  /// application reads in a round trip (RFC 7323 §1.1; docs/senders.md).
  BufferSize receive_buffer = BufferSize::growing(128 << 10, 240 << 20);
  /// Most octets accepted and not yet acknowledged. What is held for them counts too, so that
  /// memory stays within it, whatever the sizes of what is sent. It grows with the congestion
  /// window.
  BufferSize send_buffer = BufferSize::growing(128 << 10, 240 << 20);
  std::uint32_t initial_window_segments = 10;                       ///< RFC 6928; opening
  CongestionControl congestion_control = CongestionControl::cubic;  ///< opening
  /// Segments leave at the pace of congestion control instead of in bursts; BBR is always paced;
  /// opening.
  bool pacing = true;
  bool slow_start_after_idle = true;  ///< RFC 5681 §4.1: start again slowly after a pause
  /// Neither announces nor sends larger segments than this; SYN.
  std::uint16_t mss_limit = 65495;
  /// Announced shift, 0..14 (RFC 7323 §2); nothing: what the largest receive buffer needs, and 8 at
  /// least, so that it may be made larger later; SYN.
  std::optional<std::uint8_t> window_scale{};
  bool use_window_scale = true;  ///< offer and accept window scaling; SYN
  bool use_timestamps = true;    ///< offer and accept RFC 7323 timestamps; SYN
  /// Drop segments without the timestamps that were agreed on, as RFC 7323 §3.2 advises. Else they
  /// are taken, as most stacks do: some senders and middleboxes leave the option out, and dropping
  /// their segments ends the connection.
  bool require_timestamps = false;
  bool use_sack = true;  ///< offer and accept RFC 2018; SYN
  Ecn ecn = Ecn::off;    ///< RFC 3168; SYN
  /// RFC 9768. Who asks for it takes RFC 3168 from a peer that knows no better, whatever `ecn`
  /// says; SYN.
  Ecn accurate_ecn = Ecn::accept;
  FastOpen fast_open{};  ///< RFC 7413; SYN
  /// With SACK: after two round trips without an answer the last segment goes once more, so that
  /// the loss of the end of a burst need not wait for the timeout (RFC 8985 §7).
  bool tail_loss_probe = true;
  /// Where full segments vanish and no ICMP tells why (RFC 4821 §7.7): after r1 timeouts of one
  /// segment the next go in smaller ones.
  bool detect_black_holes = true;
  bool cork =
      false;  ///< hold back what does not fill a segment, for as long as SendMode::more does
  bool nagle = true;          ///< RFC 9293 §3.7.4 (MUST-17: can be switched off)
  bool urgent_inline = true;  ///< urgent octets stay in the stream (RFC 6093 §4); else set aside
  std::uint8_t ttl = 64;      ///< MUST-49
  std::uint8_t dscp = 0;      ///< MUST-48, 0..63
  std::vector<IpAddress>
      source_route{};  ///< loose source route, IPv4 only (MUST-51); empty for none

  Duration delayed_ack = std::chrono::milliseconds(40);  ///< SHLD-18; below 500 ms (MUST-40)
  /// Segments acknowledged at once at the start; opening (later: Stack::set_quick_acks).
  std::uint8_t quick_acks = 16;
  Duration rto_initial = std::chrono::seconds(1);     ///< RFC 6298 (2.1); opening
  Duration rto_min = std::chrono::milliseconds(200);  ///< RFC 6298 (2.4) says 1 s; see docs
  Duration rto_max = std::chrono::seconds(120);       ///< RFC 6298 (2.5)
  std::uint8_t r1 = 3;  ///< retransmissions before IP is told to look for another way (SHLD-10)
  Duration r2 = std::chrono::seconds(900);  ///< then the connection is given up (SHLD-11, MUST-21)
  Duration r2_syn =
      std::chrono::seconds(183);  ///< the same while opening (MUST-23: at least 3 minutes); opening
  std::optional<Duration> user_timeout{};  ///< RFC 5482; overrides r2 when set
  /// While opening, ICMP's soft errors (unreachable, time exceeded, parameter problem) end the
  /// attempt at once (RFC 5461 §4.1). Else they are advice, and explain a time-out (MUST-56);
  /// opening.
  bool soft_errors_end_opening = false;
  Duration fin_wait_2_timeout =
      std::chrono::seconds(60);  ///< for connections the application has let go
  KeepAlive keep_alive{};
  Quirks quirks{};  ///< for conformance tests: estab/quirks.h

  friend bool operator==(const TcpConfig&, const TcpConfig&) = default;
};

/// Settings of one bound UDP port.
struct DatagramConfig {
  std::uint8_t ttl = 64;           ///< or hop limit (RFC 1122 §4.1.4)
  std::uint8_t multicast_ttl = 1;  ///< of datagrams to groups (RFC 1112 §6.1)
  std::uint8_t dscp = 0;           ///< 0..63
  /// A datagram that does not fit the path goes in fragments; else Error::message_too_long.
  bool fragment = true;
  friend bool operator==(const DatagramConfig&, const DatagramConfig&) = default;
};

/// What the stack may hold at most. Reaching one is a counter and a refusal, never a crash.
struct StackLimits {
  std::uint32_t connections = 1 << 20;  ///< about 0.5 KiB each when idle
  std::uint32_t time_wait = 1 << 20;    ///< 72 octets each; the oldest goes when full
  std::uint32_t syn_cache = 1 << 14;    ///< 128 octets each, all listeners together
  std::uint32_t listeners = 1 << 12;
  std::uint32_t interfaces = 1 << 10;  ///< at most 65534
  std::uint32_t datagram_ports = 1 << 12;
  std::uint32_t datagram_queue = 256 << 10;     ///< octets waiting in one bound port
  std::uint64_t buffer_growth = 1 << 30;        ///< octets by which buffers grow, all together
  std::uint32_t out_of_order_pieces = 1 << 16;  ///< per connection
  std::uint32_t transmissions = 1 << 18;    ///< per connection, not acknowledged; 64 octets each
  std::uint32_t fragment_octets = 4 << 20;  ///< all reassemblies together
  std::uint32_t fragments_per_datagram = 64;
  std::uint32_t path_mtu_entries = 4096;
  std::uint32_t pending_replies = 1024;          ///< resets, challenge ACKs, ICMP not yet polled
  std::uint32_t pending_reply_octets = 4 << 20;  ///< of those, and of datagrams not yet polled
  std::uint32_t icmp_errors_per_second = 1000;   ///< RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)
  std::uint32_t challenge_acks_per_second = 5;   ///< per connection (RFC 5961 §10); at most 255
  std::uint32_t echo_requests = 1024;            ///< not yet answered; then the oldest is forgotten
  std::uint32_t echo_events = 1 << 14;           ///< answers to them not yet polled
  // What others may make a stack hold that stands in for the hosts beyond it (estab/forward.h).
  std::uint32_t held_syns = 1 << 12;  ///< not yet accepted or rejected; 256 octets each at most
  std::uint32_t forwarded = 1 << 16;  ///< held SYNs and the streams made of them, all together
  std::uint32_t forwarded_per_source = 1 << 16;  ///< of those, by the address that opened them
  std::uint32_t datagram_flows = 1 << 12;
  std::uint32_t datagram_flows_per_source = 1 << 12;
  /// Servers whose Fast Open cookies are remembered, and as many that did not take them.
  std::uint32_t fast_open_cookies = 1024;
  friend bool operator==(const StackLimits&, const StackLimits&) = default;
};

struct StackConfig {
  /// Every secret and every chance of the stack comes from this: the same seed and the same input
  /// give the same octets. A host draws it from the system's random numbers; a test writes it down.
  std::array<std::uint64_t, 2> seed = {0, 0};
  TcpConfig tcp{};
  StackLimits limits{};
  Duration msl = std::chrono::seconds(30);  ///< RFC 9293 says 2 minutes; TIME-WAIT lasts twice this
  /// No RST ends TIME-WAIT (RFC 1337 §3, fix F1). Else one with exactly the expected number does
  /// (RFC 9293 §3.10.7.4).
  bool time_wait_ignores_resets = false;
  Duration fragment_timeout = std::chrono::seconds(60);   ///< RFC 1122 §3.3.2, RFC 8200 §4.5
  Duration path_mtu_lifetime = std::chrono::minutes(10);  ///< RFC 1191 §6.3, RFC 8201 §5.2
  /// Fast Open cookies of the stack's own keys are taken for between once and twice as long.
  Duration fast_open_key_lifetime = std::chrono::hours(24);
  /// How long Fast Open is not tried with a server that did not take it, or on a path that let
  /// nothing through (RFC 7413 §4.1.3.1). Zero: it is tried each time.
  Duration fast_open_pause = std::chrono::hours(1);
  std::uint16_t port_min = 32768, port_max = 60999;  ///< ephemeral ports (RFC 6056)
  /// A held SYN (estab/forward.h) that has not been repeated for so long is forgotten: a guest that
  /// still waits repeats it at least once a minute.
  Duration held_syn_timeout = std::chrono::seconds(75);
  /// RFC 4787 REQ-5: a flow of datagrams (estab/forward.h) that is silent lives at least so long.
  Duration datagram_flow_timeout = std::chrono::minutes(2);
  bool syn_cookies = true;  ///< when the SYN cache or a backlog is full (RFC 4987 §3.6)
  bool answer_echo = true;  ///< RFC 1122 §3.2.2.6
  StackQuirks quirks{};     ///< for conformance tests: estab/quirks.h
  friend bool operator==(const StackConfig&, const StackConfig&) = default;
};

}  // namespace estab
