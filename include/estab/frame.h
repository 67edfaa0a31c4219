// What passes between a stack and a device: IP datagrams, possibly super-segments (one header for
// up to 64 KiB of payload, to be split at gso_size octets by whoever puts them on a wire).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "estab/address.h"
#include "estab/block.h"
#include "estab/id.h"
#include "estab/octets.h"

namespace estab {

/// A frame the stack wants sent. It borrows: `payload` points into the stack's send storage and is
/// valid until the next call of any non-const method of that stack. Reuse one object for many
/// frames; it is large and is not cleared between them.
struct TransmitFrame {
  static constexpr std::size_t kMaxHead = 192;  ///< IP header with options, TCP header with options
  static constexpr std::size_t kMaxPieces =
      20;  ///< pieces of payload a frame may be scattered over

  InterfaceId interface;
  IpAddress next_hop;  ///< for links that need one resolved; equals the destination on a
                       ///< point-to-point link
  std::array<std::uint8_t, kMaxHead> head;  ///< octets [0, head_length) are the headers
  std::uint16_t head_length = 0;
  std::uint16_t transport_offset = 0;  ///< where the TCP, UDP or ICMP header begins
  std::array<Octets, kMaxPieces> pieces;
  std::uint8_t piece_count = 0;
  std::uint32_t payload_length = 0;  ///< sum of the pieces' sizes

  /// Payload octets per segment when this is a super-segment (only if the interface allows it),
  /// else 0.
  std::uint16_t gso_size = 0;
  /// The transport checksum field holds only the folded sum of the pseudo-header, not inverted; the
  /// device finishes it over [transport_offset, end) and stores it at transport_offset +
  /// checksum_offset (only if the interface allows it).
  bool checksum_partial = false;
  std::uint16_t checksum_offset = 0;  ///< 16 for TCP, 6 for UDP

  Octets header() const { return {head.data(), head_length}; }
  std::size_t size() const { return head_length + payload_length; }
  /// Copies the whole frame to `out`, which must have size() octets.
  void copy_to(std::uint8_t* out) const {
    std::memcpy(out, head.data(), head_length);
    out += head_length;
    for (std::size_t i = 0; i < piece_count; ++i) {
      std::memcpy(out, pieces[i].data(), pieces[i].size());
      out += pieces[i].size();
    }
  }
};

/// What the device knows of a frame it hands in.
struct ReceivedFrame {
  Octets octets;  ///< an IPv4 or IPv6 datagram, from its first header octet
  /// The transport checksum is known to be good (verified by the device, or the frame never left
  /// the machine).
  bool checksum_verified = false;
  /// Payload octets per segment if the device merged several into this one, else 0.
  std::uint16_t gso_size = 0;
  /// The block that `octets` lies in, if the stack may keep it. If it does, the block is moved out
  /// and is empty afterwards.
  Block* owner = nullptr;
};

}  // namespace estab
