// TimerWheel: deadlines, hierarchically. Law: an entry never fires before its exact deadline and
// never after the first advance() at or past it; nothing is ever sorted. Arming, cancelling and
// passing over empty time cost the same whatever the number of entries.
//
// A tick is 2^14 ns. A slot of level 0 is one tick wide, of level n 64^n ticks; nine levels reach
// past the end of time. An entry lies at the highest level at which its tick and the current one
// differ, and moves down when the current tick enters its slot. So whatever lies at a level is due
// before everything at the levels above, and the slots of a level come in order of their number.
//
// Entries are re-armed lazily: a deadline that moves later (the RTO's does with every ACK) leaves
// the entry where it is. It then fires early, and the owner, finding nothing due, arms again. That
// makes the common case a comparison.
//
//   handle = wheel.arm(handle, key, deadline);                // TimerWheel::kNone to begin with
//   wheel.advance(now, [&](std::uint64_t key) { ... });       // the handle of key is kNone again
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "estab/time.h"

namespace estab::base {

class TimerWheel {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// Makes sure that `key` fires at `deadline` or before. Gives the entry's handle. kNever cancels.
  [[nodiscard]] std::uint32_t arm(std::uint32_t handle, std::uint64_t key, Instant deadline);

  /// Up to `entries` of them need no more memory, and so arming them cannot fail.
  void make_room(std::size_t entries) {
    if (entries > nodes_.capacity()) nodes_.reserve(std::max(entries, 2 * nodes_.capacity()));
  }

  /// Takes the entry out, if there is one, and sets the handle to kNone.
  void cancel(std::uint32_t& handle);

  /// Takes out each entry due at `now`, by slot and in a slot by order of arming, and calls
  /// fire(key) for it. Its handle is dead by then. fire may arm and cancel; what it arms waits for
  /// the next advance(), even if it is due already.
  template <class F>
  void advance(Instant now, F&& fire) {
    collect_due(now);
    while (lists_[kDue] != kNone) fire(take_due());
  }

  /// A time not after the earliest deadline, kNever if there is none. Exact, unless very many
  /// entries lie in the same far slot; then it is the start of that slot, after the last advance().
  Instant next() const;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Octets of storage owned, beyond the object itself.
  std::size_t memory() const { return nodes_.capacity() * sizeof(Node); }

  /// The same entries under the same handles, to fire in the same order.
  friend bool operator==(const TimerWheel& a, const TimerWheel& b) {
    return a.size_ == b.size_ && a.now_ == b.now_ && a.free_ == b.free_ && a.lists_ == b.lists_ &&
           a.nodes_ == b.nodes_;
  }

 private:
  static constexpr int kTickBits = 14;
  static constexpr int kSlotBits = 6;
  static constexpr std::uint32_t kSlots = 1U << kSlotBits;
  static constexpr std::uint32_t kLevels = (64 - kTickBits + kSlotBits - 1) / kSlotBits;
  static constexpr std::uint32_t kDue = kLevels * kSlots;  // the list of what advance() will fire
  static constexpr std::uint32_t kFree = kDue + 1;         // a node on the free list
  static constexpr std::uint32_t kUnknown = kFree + 1;     // next() has to look again

  struct Node {
    std::uint64_t key = 0;
    Instant deadline{};
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    std::uint32_t list = kFree;
    bool operator==(const Node&) const = default;
  };

  static std::uint64_t tick_of(Instant time);
  static Instant start_of(std::uint64_t tick);

  std::uint32_t take_node();
  void free_node(std::uint32_t node);
  std::uint32_t list_for(Instant deadline) const;
  void append(std::uint32_t list, std::uint32_t node);
  void remove(std::uint32_t node);

  void collect_due(Instant now);
  void collect_from(std::uint32_t list, Instant now);
  void spread(std::uint32_t list);
  std::uint64_t take_due();

  std::uint32_t earliest_list() const;
  std::uint64_t first_tick(std::uint32_t list) const;
  void find_next() const;

  std::vector<Node> nodes_;
  // Each list is a ring of nodes; what stands here is its last node.
  std::array<std::uint32_t, kDue + 1> lists_ = filled_with_none();
  std::array<std::uint64_t, kLevels> occupied_{};  // a bit for each slot that has entries
  std::uint32_t levels_ = 0;                       // a bit for each level that has entries
  std::uint32_t size_ = 0;
  std::uint32_t free_ = kNone;
  std::uint64_t now_ = 0;  // the current tick

  // What next() found, and the list it read that from. It holds for as long as no entry leaves that
  // list: remove() sees to it.
  mutable Instant next_ = kNever;
  mutable std::uint32_t next_list_ = kFree;  // kFree: from none, for the wheel is empty

  static constexpr std::array<std::uint32_t, kDue + 1> filled_with_none() {
    std::array<std::uint32_t, kDue + 1> lists{};
    lists.fill(kNone);
    return lists;
  }
};

}  // namespace estab::base
