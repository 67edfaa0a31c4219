#include "sim/packet.h"

#include <algorithm>

#include "estab/segment.h"

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::sim {

namespace {

constexpr std::uint8_t kEndOfOptions = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4,
                       kTimestamps = 8;
constexpr std::size_t kTcpHeader = 20, kTcpChecksumAt = 16, kDataOffsetAt = 12;

bool strips(const Middlebox& box, std::uint8_t kind) {
  return (box.strip_timestamps && kind == kTimestamps) ||
         (box.strip_sack && kind == kSackPermitted) ||
         (box.strip_window_scale && kind == kWindowScale);
}

/// Walks the options area of a SYN; what is malformed ends the walk.
void rewrite_options(const Middlebox& box, MutableOctets options) {
  for (std::size_t at = 0; at < options.size() && options[at] != kEndOfOptions;) {
    if (options[at] == kNop) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size()) return;
    const std::size_t length = options[at + 1];
    if (length < 2 || at + length > options.size()) return;
    const MutableOctets option = options.subspan(at, length);
    if (strips(box, option[0])) {
      std::ranges::fill(option, kNop);
    } else if (option[0] == kMss && length == 4 && box.clamp_mss) {
      const std::uint16_t mss = base::load_be16(&option[2]);
      base::store_be16(&option[2], std::min(mss, *box.clamp_mss));
    }
    at += length;
  }
}

}  // namespace

bool is_pure_ack(const Packet& packet) {
  const auto ip = wire::parse_ip(packet);
  if (!ip || ip->fragment || ip->header.protocol != wire::kProtocolTcp) return false;
  const auto segment = wire::parse_tcp(ip->payload);
  return segment && segment->payload.empty() && segment->flags.ack() && !segment->flags.syn() &&
         !segment->flags.fin() && !segment->flags.rst();
}

bool mark_congestion(Packet& packet) {
  const auto ip = wire::parse_ip(packet);
  if (!ip || ip->ecn() == wire::kEcnNotEct) return false;
  if (ip->header.family() == Family::ipv6) {
    packet[1] |= 0x30;  // the low two bits of the traffic class
    return true;
  }
  packet[1] |= wire::kEcnCe;
  const std::size_t length = ip->header_octets.size();
  base::store_be16(&packet[10], 0);
  base::store_be16(&packet[10], wire::checksum(Octets(packet).first(length)));
  return true;
}

void rewrite_syn(const Middlebox& box, Packet& packet) {
  if (box.none()) return;
  const auto ip = wire::parse_ip(packet);
  if (!ip || ip->fragment || ip->header.protocol != wire::kProtocolTcp) return;
  const auto segment = wire::parse_tcp(ip->payload);
  if (!segment || !segment->flags.syn()) return;
  const std::size_t begin = static_cast<std::size_t>(ip->payload.data() - packet.data());
  const MutableOctets tcp = MutableOctets(packet).subspan(begin, ip->payload.size());
  const std::size_t header = std::size_t{tcp[kDataOffsetAt]} / 16 * 4;
  rewrite_options(box, tcp.subspan(kTcpHeader, header - kTcpHeader));
  base::store_be16(&tcp[kTcpChecksumAt], 0);
  base::store_be16(&tcp[kTcpChecksumAt],
                   wire::tcp_checksum(ip->header.source, ip->header.destination, tcp));
}

}  // namespace estab::sim
