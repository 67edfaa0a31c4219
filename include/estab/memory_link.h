// MemoryLink: a wire between two stacks, in memory. It can lose, duplicate, reorder, corrupt and
// delay frames, has a rate and a queue, and draws every chance from a seed: same seed, same calls,
// same frames. With nothing to impair, a frame goes from stack to stack at once with one copy.
//
// A link is a value: a copy has the same frames in flight and the same luck ahead.
//
//   MemoryLink link({.seed = 7, .both_ways = {.loss = 0.01, .delay = 30ms}});
//   link.pump(now, {client, client_interface}, {server, server_interface});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "estab/frame.h"
#include "estab/frame_tap.h"
#include "estab/id.h"
#include "estab/stack.h"
#include "estab/time.h"

namespace estab {

/// What a link does to the frames of one direction. Chances are per frame, 0 to 1.
struct Impairments {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;  ///< the frame is held back for `reorder_delay` more, and others overtake it
  double corrupt = 0;  ///< one bit or one octet is changed
  Duration reorder_delay = std::chrono::milliseconds(2);
  Duration delay{0};
  Duration jitter{0};  ///< up to this much more delay, drawn anew for each frame; keeps the order
  std::uint64_t rate_bits_per_second = 0;  ///< 0: as fast as can be
  /// Octets that may wait for their turn at that rate; a frame that finds no room is lost. 0: any.
  std::size_t queue_octets = 0;

  /// Frames pass at once and unharmed.
  bool none() const {
    return loss <= 0 && duplicate <= 0 && reorder <= 0 && corrupt <= 0 && delay <= Duration{0} &&
           jitter <= Duration{0} && rate_bits_per_second == 0;
  }
  friend bool operator==(const Impairments&, const Impairments&) = default;
};

/// One of the two ends of a link.
enum class Side : std::uint8_t { a, b };
constexpr Side other(Side side) {
  return side == Side::a ? Side::b : Side::a;
}

/// What a filter decides for a frame.
enum class FrameFate : std::uint8_t {
  by_chance,  ///< as the impairments have it
  deliver,    ///< unharmed, after the usual delay
  lose,
  duplicate,
  reorder,
  corrupt,
};

/// Looks at each frame as its sender gives it to the link. Copied with the link.
using FrameFilter = std::function<FrameFate(Instant, Side from, const TransmitFrame&)>;

/// What happened to the frames of one direction.
struct LinkCounters {
  std::uint64_t frames = 0, octets = 0;  ///< sent into the link
  std::uint64_t super_segments = 0;      ///< of these
  std::uint64_t delivered = 0;           ///< duplicates included
  std::uint64_t lost = 0;                ///< by chance or filter
  std::uint64_t overflowed = 0;          ///< lost, as the queue was full
  std::uint64_t duplicated = 0, reordered = 0, corrupted = 0;
  friend bool operator==(const LinkCounters&, const LinkCounters&) = default;
};

/// A stack and the interface with which it is on the link.
struct LinkEnd {
  Stack& stack;
  InterfaceId interface;
};

struct MemoryLinkConfig {
  std::uint64_t seed = 0;
  Impairments both_ways{};
  std::optional<Impairments> from_a{}, from_b{};  ///< instead of both_ways
};

class MemoryLink {
 public:
  explicit MemoryLink(const MemoryLinkConfig& config = {});
  MemoryLink(const MemoryLink& from);  ///< without its taps
  MemoryLink& operator=(const MemoryLink& from);
  MemoryLink(MemoryLink&&) noexcept;
  MemoryLink& operator=(MemoryLink&&) noexcept;
  ~MemoryLink();

  /// Takes a burst of frames from each stack and delivers what is due. True if any frame moved;
  /// call again until it is false. The stacks must have no other interface that sends: a frame for
  /// one is lost (for more interfaces see send and deliver).
  bool pump(Instant now, LinkEnd a, LinkEnd b);

  /// The two halves of pump: one frame into the link, and those due out of it to one side.
  void send(Instant now, Side from, const TransmitFrame& frame, LinkEnd to);
  bool deliver(Instant now, Side side, LinkEnd to);

  /// When the next frame in flight arrives; kNever if none is.
  Instant next_deadline() const;
  std::size_t frames_in_flight() const;
  const LinkCounters& counters(Side from) const;

  void set_impairments(Side from, const Impairments& impairments);
  void set_filter(FrameFilter filter);  ///< empty: none
  /// Shows the tap what `side` sends (even if it is lost then) and what reaches it. Null detaches.
  void set_tap(Side side, FrameTap* tap);

  /// Of all that decides what comes next: frames in flight, impairments, chance. Not of taps,
  /// filter and counters.
  friend bool operator==(const MemoryLink& x, const MemoryLink& y) { return x.equals(y); }

 private:
  bool equals(const MemoryLink& other) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab
