// The blocks of a pcapng file (draft-ietf-opsawg-pcapng). Law: always little-endian, so that the
// same frames give the same file on every machine; every block and option padded to 32 bits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "estab/octets.h"

namespace estab::trace {

enum class BlockType : std::uint32_t {
  section_header = 0x0a0d0d0a,
  interface_description = 1,
  enhanced_packet = 6,
};

enum class PcapOption : std::uint16_t {
  end = 0,
  comment = 1,
  if_name = 2,       // of an interface description
  packet_flags = 2,  // of an enhanced packet
  if_description = 3,
  application = 4,  // of a section header
  if_time_resolution = 9,
};

inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
inline constexpr std::uint16_t kLinkTypeRaw = 101;
inline constexpr std::uint32_t kInbound = 1, kOutbound = 2;  ///< low bits of the packet flags

/// A block under construction, in a vector that is reused.
class BlockWriter {
 public:
  BlockWriter(std::vector<std::uint8_t>& block, BlockType type);

  void add16(std::uint16_t value);
  void add32(std::uint32_t value);
  void add64(std::uint64_t value);
  void pad();  ///< to 32 bits
  void add_octets(Octets octets);
  void add_option(PcapOption option, Octets value);
  void add_text(PcapOption option, std::string_view text);
  void add_number(PcapOption option, std::uint32_t value);
  /// Ends the options and the block, and fills in its length.
  void finish();

 private:
  std::vector<std::uint8_t>& block_;
};

}  // namespace estab::trace
