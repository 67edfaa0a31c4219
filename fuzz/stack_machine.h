// StackMachine: runs a little program, any octets at all, against one stack: frames of every kind
// (noise, segments near what the stack expects, ICMP errors about what it sent, fragments, its own
// frames sent back changed), calls of an application, and time. The fuzz target feeds it what the
// fuzzer thinks of, a test what a seed gives.
//
// Law: whatever the program, the stack neither stops nor grows beyond its limits, and every frame
// it sends is well formed. An empty program does nothing; a program that ends in the midst of an
// instruction goes on with zeros.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "estab/stack.h"

#include "wire/ip.h"

namespace estab::fuzz {

class StackMachine {
 public:
  explicit StackMachine(Octets program);

  /// Runs the program to its end, then lets every timer run out.
  void run();
  /// What the stack did wrong; empty if nothing.
  const std::string& complaint() const { return complaint_; }
  std::uint64_t frames_in() const { return frames_in_; }
  std::uint64_t frames_out() const { return frames_out_; }
  const Stack& stack() const { return stack_; }

 private:
  using Bytes = std::vector<std::uint8_t>;

  /// What the remote host knows of a connection, from what the stack sent.
  struct Conversation {
    std::uint16_t local_port = 0;
    std::uint32_t next = 0x1000;  ///< the number the stack expects of us
    std::uint32_t ack = 0;        ///< what we could acknowledge
    std::uint32_t clock = 0;      ///< its latest timestamp
  };
  static constexpr std::size_t kConversations = 8;
  static constexpr std::uint16_t kRemotePort = 40000, kListenPort = 80, kDatagramPort = 53;

  // the program
  bool at_end() const { return at_ == program_.size(); }
  std::uint8_t u8() { return at_end() ? 0 : program_[at_++]; }
  std::uint16_t u16() { return static_cast<std::uint16_t>(u8() << 8 | u8()); }
  std::uint32_t u32() { return std::uint32_t{u16()} << 16 | u16(); }
  Bytes take(std::size_t most);

  void instruction();
  // frames
  void noise();
  void segment();
  void reflected();
  void icmp();
  void fragment();
  void datagram();
  std::uint32_t near(std::uint32_t number);
  Bytes segment_octets(Conversation& talk, std::uint16_t remote_port, Family family);
  void arrive(Bytes octets);
  void arrive_ip(wire::IpHeader header, const Bytes& payload);
  // the application
  void open();
  void transfer();
  void finish();
  void listening();
  void settings();
  void datagram_calls();
  void renumber();
  void plug_in(const InterfaceConfig& config);
  StreamId some_stream();
  // time and output
  void pass_time();
  void copy();
  void let_out();
  void note_sent(const Bytes& octets);
  void check_sent(const TransmitFrame& frame, const Bytes& octets);
  void check_limits();
  void complain(const char* what) {
    if (complaint_.empty()) complaint_ = what;
  }

  IpAddress local(Family family) const;
  IpAddress remote(Family family) const;
  Family some_family() { return (u8() & 1) != 0 ? Family::ipv6 : Family::ipv4; }

  Octets program_;
  std::size_t at_ = 0;
  Stack stack_;
  InterfaceId interface_;
  Instant now_{std::chrono::hours(1)};
  std::array<Conversation, kConversations> talks_{};
  std::vector<StreamId> streams_{};
  std::vector<ListenerId> listeners_{};
  std::vector<DatagramId> ports_{};
  std::deque<Bytes> sent_{};
  std::uint64_t frames_in_ = 0, frames_out_ = 0;
  std::string complaint_{};
};

}  // namespace estab::fuzz
