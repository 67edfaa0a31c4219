// Law: without impairments a frame is copied once, from the sender's storage into a block of the
// receiver's pool, and nothing is allocated. Everything else goes through the Flight.
#include "estab/memory_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "device/lane.h"
#include "device/tapping.h"

namespace estab {
namespace {

using device::Fate;
using device::FlyingFrame;
using device::Lane;

/// Frames taken from one stack before the other has its turn: enough for bursts to pay off,
/// few enough for their octets to stay in the nearer caches.
constexpr int kBurst = 64;

std::optional<PartialChecksum> partial_checksum_of(const TransmitFrame& frame) {
  if (!frame.checksum_partial) return std::nullopt;
  return PartialChecksum{.start = frame.transport_offset, .offset = frame.checksum_offset};
}

/// Delivers a frame that lies in a block of the receiver's pool.
void hand_in(Instant now, LinkEnd to, Block& block, const ReceivedFrame& frame) {
  to.stack.handle_frame(now, to.interface, frame);
  if (block) to.stack.give_block(std::move(block));
}

}  // namespace

struct MemoryLink::Impl {
  explicit Impl(const MemoryLinkConfig& config);
  Impl(const Impl& from) : lanes(from.lanes), filter(from.filter) {}
  Impl& operator=(const Impl&) = delete;

  void send(Instant now, Side from, const TransmitFrame& frame, LinkEnd to);
  bool deliver(Instant now, Side side, LinkEnd to) {
    return lane(other(side)).next_arrival() <= now && hand_over(now, side, to);
  }
  bool hand_over(Instant now, Side side, LinkEnd to);
  bool carry(Instant now, Side from, LinkEnd source, LinkEnd destination);
  void pass(Instant now, Side from, const TransmitFrame& frame, LinkEnd to);
  void impair(Instant now, Side from, const TransmitFrame& frame);
  Fate fate_of(Instant now, Side from, const TransmitFrame& frame);
  Lane& lane(Side from) { return lanes[static_cast<std::size_t>(from)]; }
  FrameTap* tap(Side side) const { return taps[static_cast<std::size_t>(side)]; }

  std::array<Lane, 2> lanes;
  TransmitFrame scratch;  // too large to be cleared for each burst; of no meaning between them
  FrameFilter filter{};
  std::array<FrameTap*, 2> taps{};
};

MemoryLink::Impl::Impl(const MemoryLinkConfig& config)
    : lanes{Lane(config.from_a.value_or(config.both_ways), config.seed * 2),
            Lane(config.from_b.value_or(config.both_ways), config.seed * 2 + 1)} {}

/// The fast path.
void MemoryLink::Impl::pass(Instant now, Side from, const TransmitFrame& frame, LinkEnd to) {
  const std::size_t size = frame.size();
  Block block = to.stack.take_block(size);
  frame.copy_to(block.data());
  const Octets octets{block.data(), size};
  if (FrameTap* watcher = tap(other(from)))
    device::show_received(*watcher, now, octets, frame.gso_size, partial_checksum_of(frame));
  ++lane(from).counters.delivered;
  hand_in(now, to, block,
          {.octets = octets,
           .checksum_verified = frame.checksum_partial,
           .gso_size = frame.gso_size,
           .owner = &block});
}

Fate MemoryLink::Impl::fate_of(Instant now, Side from, const TransmitFrame& frame) {
  const FrameFate decided = filter ? filter(now, from, frame) : FrameFate::by_chance;
  switch (decided) {
    case FrameFate::by_chance:
      return lane(from).draw();
    case FrameFate::deliver:
      return {};
    case FrameFate::lose:
      return {.lost = true};
    case FrameFate::duplicate:
      return {.duplicated = true};
    case FrameFate::reorder:
      return {.reordered = true};
    case FrameFate::corrupt:
      return {.corrupted = true};
  }
  return {};
}

[[gnu::cold]] void MemoryLink::Impl::impair(Instant now, Side from, const TransmitFrame& frame) {
  const Fate fate = fate_of(now, from, frame);
  FlyingFrame flying;
  flying.octets.resize(frame.size());
  frame.copy_to(flying.octets.data());
  flying.gso_size = frame.gso_size;
  flying.partial_checksum = partial_checksum_of(frame);
  lane(from).enter(now, std::move(flying), fate);
}

void MemoryLink::Impl::send(Instant now, Side from, const TransmitFrame& frame, LinkEnd to) {
  Lane& way = lane(from);
  ++way.counters.frames;
  way.counters.octets += frame.size();
  way.counters.super_segments += frame.gso_size != 0;
  if (FrameTap* watcher = tap(from)) device::show_sent(*watcher, now, frame);
  if (!filter && way.is_straight())
    pass(now, from, frame, to);
  else
    impair(now, from, frame);
}

/// The path through the Flight: what has arrived by now.
bool MemoryLink::Impl::hand_over(Instant now, Side side, LinkEnd to) {
  while (const auto frame = lane(other(side)).take_arrived(now)) {
    if (FrameTap* watcher = tap(side))
      device::show_received(*watcher, now, frame->octets, frame->gso_size, frame->partial_checksum);
    Block block = to.stack.take_block(frame->octets.size());
    std::ranges::copy(frame->octets, block.data());
    hand_in(now, to, block,
            {.octets = {block.data(), frame->octets.size()},
             .checksum_verified = frame->partial_checksum.has_value(),
             .gso_size = frame->gso_size,
             .owner = &block});
  }
  return true;
}

/// Takes a burst from one stack.
bool MemoryLink::Impl::carry(Instant now, Side from, LinkEnd source, LinkEnd destination) {
  for (int i = 0; i < kBurst; ++i) {
    if (!source.stack.poll_transmit(now, scratch)) return i > 0;
    if (scratch.interface == source.interface)
      send(now, from, scratch, destination);
    else
      ++lane(from).counters.lost;
  }
  return true;
}

MemoryLink::MemoryLink(const MemoryLinkConfig& config) : impl_(std::make_unique<Impl>(config)) {}
MemoryLink::MemoryLink(const MemoryLink& from) : impl_(std::make_unique<Impl>(*from.impl_)) {}
MemoryLink& MemoryLink::operator=(const MemoryLink& from) {
  impl_ = std::make_unique<Impl>(*from.impl_);
  return *this;
}
MemoryLink::MemoryLink(MemoryLink&&) noexcept = default;
MemoryLink& MemoryLink::operator=(MemoryLink&&) noexcept = default;
MemoryLink::~MemoryLink() = default;

bool MemoryLink::pump(Instant now, LinkEnd a, LinkEnd b) {
  bool moved = impl_->carry(now, Side::a, a, b);
  moved |= impl_->carry(now, Side::b, b, a);
  moved |= impl_->deliver(now, Side::a, a);
  moved |= impl_->deliver(now, Side::b, b);
  return moved;
}

void MemoryLink::send(Instant now, Side from, const TransmitFrame& frame, LinkEnd to) {
  impl_->send(now, from, frame, to);
}

bool MemoryLink::deliver(Instant now, Side side, LinkEnd to) {
  return impl_->deliver(now, side, to);
}

Instant MemoryLink::next_deadline() const {
  return std::min(impl_->lanes[0].next_arrival(), impl_->lanes[1].next_arrival());
}

std::size_t MemoryLink::frames_in_flight() const {
  return impl_->lanes[0].frames_in_flight() + impl_->lanes[1].frames_in_flight();
}

const LinkCounters& MemoryLink::counters(Side from) const {
  return impl_->lane(from).counters;
}

void MemoryLink::set_impairments(Side from, const Impairments& impairments) {
  impl_->lane(from).impair_by(impairments);
}

void MemoryLink::set_filter(FrameFilter filter) {
  impl_->filter = std::move(filter);
}

void MemoryLink::set_tap(Side side, FrameTap* tap) {
  impl_->taps[static_cast<std::size_t>(side)] = tap;
}

bool MemoryLink::equals(const MemoryLink& other) const {
  return impl_->lanes == other.impl_->lanes;
}

}  // namespace estab
