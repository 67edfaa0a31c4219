// The virtio-net header (Virtual I/O Device 1.2, §5.1.6) that stands before each frame of a TUN
// interface with IFF_VNET_HDR: how the two sides tell each other of super-segments and of checksums
// not finished. Law: always little-endian (TUNSETVNETLE).
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "estab/frame.h"
#include "estab/frame_tap.h"

namespace estab::device {

/// The kernel's virtio_net_hdr. (Its own header <linux/virtio_net.h> is not C++.)
struct VirtioHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1, kDataValid = 2;                   // flags
  static constexpr std::uint8_t kNoGso = 0, kTcpV4 = 1, kTcpV6 = 4, kWithEcn = 0x80;  // gso_type

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kNoGso;
  std::uint16_t header_length = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
static_assert(sizeof(VirtioHeader) == 10);

inline constexpr std::uint16_t little_endian(std::uint16_t value) {
  return std::endian::native == std::endian::little ? value : std::byteswap(value);
}

/// What the header says of a frame that came in.
struct VirtioNotes {
  bool checksum_verified = false;
  std::uint16_t gso_size = 0;
  std::optional<PartialChecksum> partial_checksum{};
};

inline VirtioHeader virtio_header_of(const TransmitFrame& frame) {
  VirtioHeader header{};
  if (frame.checksum_partial) {
    header.flags = VirtioHeader::kNeedsChecksum;
    header.checksum_start = little_endian(frame.transport_offset);
    header.checksum_offset = little_endian(frame.checksum_offset);
  }
  if (frame.gso_size == 0) return header;
  constexpr std::size_t kFlags = 13;  // in the TCP header
  constexpr std::uint8_t kCwr = 0x80;
  const bool is_v4 = frame.head[0] >> 4 == 4;
  header.gso_type = is_v4 ? VirtioHeader::kTcpV4 : VirtioHeader::kTcpV6;
  // CWR belongs on the first segment only (RFC 3168 §6.1.2); the splitter must be told.
  if (frame.head[frame.transport_offset + kFlags] & kCwr) header.gso_type |= VirtioHeader::kWithEcn;
  header.gso_size = little_endian(frame.gso_size);
  header.header_length = little_endian(frame.head_length);
  return header;
}

inline VirtioNotes notes_of(const VirtioHeader& header) {
  VirtioNotes notes;
  if (header.flags & VirtioHeader::kNeedsChecksum)
    notes.partial_checksum = {.start = little_endian(header.checksum_start),
                              .offset = little_endian(header.checksum_offset)};
  // A frame whose checksum is not finished never left the machine: nothing can have changed it.
  notes.checksum_verified =
      header.flags & (VirtioHeader::kNeedsChecksum | VirtioHeader::kDataValid);
  const unsigned type = header.gso_type & ~unsigned{VirtioHeader::kWithEcn};
  if (type == VirtioHeader::kTcpV4 || type == VirtioHeader::kTcpV6)
    notes.gso_size = little_endian(header.gso_size);
  return notes;
}

}  // namespace estab::device
