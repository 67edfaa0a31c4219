#include "model/segments.h"

#include "base/byte_order.h"
#include "base/ensure.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::model {

Segment segment_of(Octets frame) {
  const auto packet = wire::parse_ip(frame);
  base::ensure(packet.has_value());
  const auto segment = wire::parse_tcp(packet->payload);
  base::ensure(segment.has_value());
  return *segment;
}

void set_numbers(std::vector<std::uint8_t>& frame, SeqNum seq, SeqNum ack) {
  const auto packet = wire::parse_ip(frame);
  base::ensure(packet.has_value());
  std::uint8_t* tcp = frame.data() + packet->header_octets.size();
  base::store_be32(tcp + 4, seq.value());
  base::store_be32(tcp + 8, ack.value());
  base::store_be16(tcp + wire::kTcpChecksumOffset, 0);
  const MutableOctets whole = MutableOctets(frame).subspan(packet->header_octets.size());
  wire::finish_tcp_checksum(whole, packet->header.source, packet->header.destination);
}

std::uint32_t SegmentTable::intern(Octets frame) {
  const std::string_view key = as_text(frame);
  if (const auto found = index_.find(key); found != index_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(frames_.size());
  frames_.emplace_back(key);
  index_.emplace(frames_.back(), number);
  return number;
}

}  // namespace estab::model
