// Where entries lie and how they move; the law stands in the header.
#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "base/ensure.h"

namespace estab::base {
namespace {

// next() looks through at most so many entries of a far slot before it is content with its start.
constexpr int kPatience = 16;

}  // namespace

// Ticks count from the least Instant there is, so that they are unsigned and keep the order.
std::uint64_t TimerWheel::tick_of(Instant time) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  return (static_cast<std::uint64_t>(time.time_since_epoch().count()) ^ kSign) >> kTickBits;
}

Instant TimerWheel::start_of(std::uint64_t tick) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  return Instant(Duration(static_cast<std::int64_t>(tick << kTickBits ^ kSign)));
}

std::uint32_t TimerWheel::arm(std::uint32_t handle, std::uint64_t key, Instant deadline) {
  if (deadline == kNever) {
    cancel(handle);
    return kNone;
  }
  if (handle == kNone) {
    handle = take_node();
  } else {
    ensure(handle < nodes_.size() && nodes_[handle].list != kFree);
    if (nodes_[handle].deadline <= deadline) return handle;
    if (nodes_[handle].list == kDue) return handle;  // fires within this advance() as it is
    remove(handle);
  }
  nodes_[handle].key = key;
  nodes_[handle].deadline = deadline;
  append(list_for(deadline), handle);
  if (deadline < next_ && next_list_ != kUnknown) {
    next_ = deadline;
    next_list_ = nodes_[handle].list;
  }
  return handle;
}

void TimerWheel::cancel(std::uint32_t& handle) {
  if (handle == kNone) return;
  ensure(handle < nodes_.size() && nodes_[handle].list != kFree);
  remove(handle);
  free_node(handle);
  handle = kNone;
}

Instant TimerWheel::next() const {
  if (next_list_ == kUnknown) find_next();
  return next_;
}

std::uint32_t TimerWheel::take_node() {
  std::uint32_t node = free_;
  if (node == kNone) {
    ensure(nodes_.size() < kNone);
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_ = nodes_[node].next;
  }
  ++size_;
  return node;
}

// Leaves nothing of the entry behind: equal wheels are to compare equal whatever they once held.
void TimerWheel::free_node(std::uint32_t node) {
  nodes_[node] = Node{.next = free_};
  free_ = node;
  --size_;
}

// What is due already waits in the current slot, where advance() looks first.
std::uint32_t TimerWheel::list_for(Instant deadline) const {
  const std::uint64_t tick = std::max(tick_of(deadline), now_);
  const std::uint64_t differ = tick ^ now_;
  const auto highest = static_cast<std::uint32_t>(std::bit_width(differ | 1)) - 1;
  const std::uint32_t level = highest / kSlotBits;
  const std::uint64_t slot = tick >> (level * kSlotBits) & (kSlots - 1);
  return level * kSlots + static_cast<std::uint32_t>(slot);
}

void TimerWheel::append(std::uint32_t list, std::uint32_t node) {
  Node& added = nodes_[node];
  const std::uint32_t last = lists_[list];
  added.list = list;
  added.previous = last == kNone ? node : last;
  added.next = last == kNone ? node : nodes_[last].next;
  nodes_[added.previous].next = node;
  nodes_[added.next].previous = node;
  lists_[list] = node;
  if (list == kDue) return;
  occupied_[list / kSlots] |= std::uint64_t{1} << list % kSlots;
  levels_ |= 1U << list / kSlots;
}

void TimerWheel::remove(std::uint32_t node) {
  const auto [key, deadline, previous, next, list] = nodes_[node];
  if (list == next_list_) next_list_ = kUnknown;
  nodes_[previous].next = next;
  nodes_[next].previous = previous;
  if (lists_[list] != node) return;
  lists_[list] = previous == node ? kNone : previous;
  if (lists_[list] != kNone || list == kDue) return;
  occupied_[list / kSlots] &= ~(std::uint64_t{1} << list % kSlots);
  if (occupied_[list / kSlots] == 0) levels_ &= ~(1U << list / kSlots);
}

// Everything due goes to one list before anything fires, so that what is armed meanwhile cannot
// make the advance endless.
void TimerWheel::collect_due(Instant now) {
  const std::uint64_t target = std::max(tick_of(now), now_);
  while (levels_ != 0) {
    const std::uint32_t list = earliest_list();
    const std::uint64_t tick = first_tick(list);
    if (tick > target) break;
    now_ = std::max(now_, tick);
    if (list < kSlots) {
      collect_from(list, now);
      if (tick == target) break;
    } else {
      spread(list);
    }
  }
  now_ = std::max(now_, target);
}

// From a slot of level 0.
void TimerWheel::collect_from(std::uint32_t list, Instant now) {
  const std::uint32_t last = lists_[list];
  std::uint32_t node = nodes_[last].next;
  while (true) {
    const std::uint32_t following = nodes_[node].next;
    if (nodes_[node].deadline <= now) {
      remove(node);
      append(kDue, node);
    }
    if (node == last) return;
    node = following;
  }
}

// The current tick has just entered this slot: its entries belong to lower levels now.
void TimerWheel::spread(std::uint32_t list) {
  while (lists_[list] != kNone) {
    const std::uint32_t node = nodes_[lists_[list]].next;
    remove(node);
    append(list_for(nodes_[node].deadline), node);
  }
}

std::uint64_t TimerWheel::take_due() {
  const std::uint32_t node = nodes_[lists_[kDue]].next;
  const std::uint64_t key = nodes_[node].key;
  remove(node);
  free_node(node);
  return key;
}

// Of a wheel that is not empty. Due entries first: next() may be asked between two of them.
std::uint32_t TimerWheel::earliest_list() const {
  if (levels_ == 0) return kDue;
  const auto level = static_cast<std::uint32_t>(std::countr_zero(levels_));
  return level * kSlots + static_cast<std::uint32_t>(std::countr_zero(occupied_[level]));
}

std::uint64_t TimerWheel::first_tick(std::uint32_t list) const {
  const std::uint32_t bits = list / kSlots * kSlotBits;
  const std::uint64_t above = now_ >> bits & ~std::uint64_t{kSlots - 1};
  return (above | list % kSlots) << bits;
}

void TimerWheel::find_next() const {
  next_ = kNever;
  next_list_ = kFree;
  if (size_ == 0) return;
  next_list_ = lists_[kDue] != kNone ? kDue : earliest_list();
  const bool far = next_list_ >= kSlots && next_list_ != kDue;
  int looked_at = 0;
  std::uint32_t node = lists_[next_list_];
  do {
    if (far && ++looked_at > kPatience) {
      next_ = start_of(first_tick(next_list_));
      return;
    }
    next_ = std::min(next_, nodes_[node].deadline);
    node = nodes_[node].next;
  } while (node != lists_[next_list_]);
}

}  // namespace estab::base
