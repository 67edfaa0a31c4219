#include "model/segments.h"

#include <array>

#include "base/byte_order.h"
#include "base/ensure.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::model {

namespace {

/// What the two clocks show, or how far they move.
struct Ticks {
  std::uint32_t numbers, timestamps;
};

Ticks ticks_of(Duration time) {
  return {static_cast<std::uint32_t>(time / std::chrono::microseconds(4)),
          static_cast<std::uint32_t>(time / std::chrono::milliseconds(1))};
}

void finish(std::vector<std::uint8_t>& frame, const wire::IpPacket& packet) {
  const MutableOctets tcp = MutableOctets(frame).subspan(packet.header_octets.size());
  wire::finish_tcp_checksum(tcp, packet.header.source, packet.header.destination);
}

/// Adds so much to every number a clock made.
void move(Frame& frame, Ticks by) {
  const auto packet = wire::parse_ip(frame.octets);
  base::ensure(packet.has_value());
  auto segment = wire::parse_tcp(packet->payload);
  base::ensure(segment.has_value());
  if (frame.sequence == SequenceNumber::of_a_space) segment->seq = segment->seq + by.numbers;
  if (segment->flags.ack()) segment->ack = segment->ack + by.numbers;
  if (auto& timestamps = segment->options.timestamps) {
    timestamps->value += by.timestamps;
    if (segment->flags.ack()) timestamps->echo += by.timestamps;
  }
  SackBlocks sack;
  for (const SackBlock& block : segment->options.sack)
    (void)sack.add({block.left + by.numbers, block.right + by.numbers});
  segment->options.sack = sack;
  std::array<std::uint8_t, wire::kMaxTcpHeaderLength> header;
  const std::size_t length = wire::emit_tcp(*segment, header.data());
  base::ensure(length + segment->payload.size() == packet->payload.size());
  std::copy_n(header.begin(), length, frame.octets.data() + packet->header_octets.size());
  finish(frame.octets, *packet);
}

Ticks back(Ticks ticks) {
  return {0 - ticks.numbers, 0 - ticks.timestamps};
}

}  // namespace

std::uint32_t number_clock(Instant now) {
  return ticks_of(now.time_since_epoch()).numbers;
}

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
  finish(frame, *packet);
}

std::uint32_t SegmentTable::intern(Frame frame, Instant now) {
  move(frame, back(ticks_of(now.time_since_epoch())));
  return intern_moved(frame, 0);
}

std::uint32_t SegmentTable::intern_moved(const Frame& frame, std::uint32_t age_ms) {
  std::string key(as_text(frame.octets));
  key += static_cast<char>(frame.sequence);
  key += std::to_string(age_ms);
  if (const auto found = index_.find(key); found != index_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(kept_.size());
  const TcpFlags flags = segment_of(frame.octets).flags;
  kept_.push_back({std::move(key), frame.octets.size(), flags.syn() && !flags.ack(), age_ms});
  index_.emplace(kept_.back().key, number);
  return number;
}

Frame SegmentTable::frame(std::uint32_t number) const {
  const Kept& kept = kept_[number];
  const Octets octets = as_octets(kept.key).first(kept.length);
  return {{octets.begin(), octets.end()}, static_cast<SequenceNumber>(kept.key[kept.length])};
}

std::vector<std::uint8_t> SegmentTable::octets(std::uint32_t number, Instant now) const {
  Frame made = frame(number);
  move(made, ticks_of(now.time_since_epoch()));
  return std::move(made.octets);
}

std::optional<std::uint32_t> SegmentTable::after(std::uint32_t number, std::uint32_t ms) {
  const std::uint64_t key = std::uint64_t{number + 1} << 32 | ms;
  if (const std::uint32_t* found = after_.find(key))
    return *found == kDead ? std::nullopt : std::optional(*found);
  const bool mortal = lifetime_ != kForever;
  const std::uint32_t age_ms = mortal ? kept_[number].age_ms + ms : 0;
  std::uint32_t later = kDead;
  if (std::chrono::milliseconds(age_ms) <= lifetime_) {
    Frame moved = frame(number);
    move(moved, back(ticks_of(std::chrono::milliseconds(ms))));
    later = intern_moved(moved, age_ms);
  }
  after_.insert(key, later);
  return later == kDead ? std::nullopt : std::optional(later);
}

}  // namespace estab::model
