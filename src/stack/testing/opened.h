// Opened: a Peer whose connection has just been opened, in round numbers: segments of 1000 octets
// and a round trip of 100 ms, so that the first timeout is srtt + 4 * rttvar = 300 ms.
#pragma once

#include "stack/testing/peer.h"

namespace estab::script {

struct Start {
  TcpConfig tcp{};
  std::string options = "mss 1000";  ///< of the remote's SYN, without the angle brackets
  std::uint16_t window = 65535;      ///< of the remote's segments, as on the wire
  Duration rtt = 100ms;              ///< between our SYN or SYN-ACK and the answer
  Open::Side side = kPassive;
  Family family = Family::ipv4;
  InterfaceConfig interface{.name = "test"};
  StackLimits limits{};
  std::optional<std::uint32_t> isn{};
  SeqNum remote_isn{0xfffff000};
  bool paced = false;  ///< else what may go goes at once
};

/// Options with which the payload of a full segment is still 1000 octets.
inline constexpr const char* kTimestampsToo = "mss 1012,TS val 5 ecr 0";

class Opened : public Peer {
 public:
  explicit Opened(const Start& start = {}) : Peer(options_of(start)), window_(start.window) {
    const std::string syn = window() + " <" + start.options + ">";
    if (start.side == kPassive) {
      listen();
      in("S 0:0(0)" + syn);
      out("S. 0:0(0) ack 1 <*>");
    } else {
      EXPECT_TRUE(connect().has_value());
      out("S 0:0(0) <*>");
    }
    after(start.rtt);
    const bool timestamps = start.options.find("TS val") != std::string::npos;
    if (timestamps && start.tcp.use_timestamps) use_timestamps();
    if (start.side == kPassive) {
      in(". 1:1(0) ack 1" + window());
      EXPECT_TRUE(accept().has_value());
    } else {
      in("S. 0:0(0) ack 1" + syn);
      out(". 1:1(0) ack 1 <*>");
    }
    quiet();
    (void)told();
    (void)other_events();
    mark();
  }

  /// Expects octets [from, to) in segments of `size`; the last ends the queue if `last` is "P.".
  void out_run(int from, int to, int size = 1000, const std::string& last = ".",
               Location at = Location::current()) {
    for (int begin = from; begin < to; begin += size) {
      const int end = std::min(begin + size, to);
      out((end == to ? last : ".") + std::string(" ") + range(begin, end) + " ack 1", at);
    }
  }
  /// The remote sends octets [from, to) in segments of `size`, each acknowledging octet 1.
  void in_run(int from, int to, int size = 1000, Location at = Location::current()) {
    for (int begin = from; begin < to; begin += size)
      in(". " + range(begin, std::min(begin + size, to)) + " ack 1" + window(), at);
  }
  /// The remote acknowledges.
  Verdict ack(int number, Location at = Location::current()) {
    return in(". 1:1(0) ack " + std::to_string(number) + window(), at);
  }
  /// The same acknowledgement so many times.
  void acks(int count, int number, Location at = Location::current()) {
    for (int i = 0; i < count; ++i) ack(number, at);
  }
  /// `from:to(length)`.
  static std::string range(std::int64_t from, std::int64_t to) {
    return std::to_string(from) + ":" + std::to_string(to) + "(" + std::to_string(to - from) + ")";
  }
  std::string window() const { return " win " + std::to_string(window_); }

 private:
  static PeerOptions options_of(const Start& start) {
    PeerOptions options;
    options.family = start.family;
    options.stack.tcp = start.tcp;
    options.stack.tcp.pacing = start.paced;
    options.stack.limits = start.limits;
    options.stack.quirks.fixed_isn = start.isn;
    options.interface = start.interface;
    options.remote_isn = start.remote_isn;
    return options;
  }

  std::uint16_t window_;
};

}  // namespace estab::script
