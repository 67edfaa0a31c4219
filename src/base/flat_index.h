// FlatIndex: from a 64-bit hash to a 32-bit number, for keys that live elsewhere (in a Slab,
// mostly). Law: open addressing with linear probing; an entry is 8 octets, 32 bits of its hash and
// its value; those 32 bits alone decide where it belongs, so growing never asks for the key again.
// Erasing shifts later entries back, so there are no tombstones and lookups do not slow down with
// age. The hash should be keyed with a secret where a peer chooses the keys.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ensure.h"

namespace estab::base {

class FlatIndex {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Octets of storage owned, beyond the object itself.
  std::size_t memory() const { return slots_.capacity() * sizeof(Slot); }

  /// The value with this hash for which eq(value) holds.
  template <class Eq>
  std::optional<std::uint32_t> find(std::uint64_t hash, Eq&& eq) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = home(tag);; at = next(at)) {
      const Slot& slot = slots_[at];
      if (slot.value == kEmpty) return std::nullopt;
      if (slot.tag == tag && eq(slot.value)) return slot.value;
    }
  }

  /// The next insert needs no memory, and so cannot fail.
  void make_room() {
    if ((size() + 1) * 10 > slots_.size() * 7) grow();
  }

  /// Adds an entry. The caller has found that the key is not there; the value is not 0xffffffff.
  void insert(std::uint64_t hash, std::uint32_t value) {
    ensure(value != kEmpty);
    make_room();
    place({tag_of(hash), value});
    ++size_;
  }

  /// False if there is no such entry.
  bool erase(std::uint64_t hash, std::uint32_t value) {
    const std::size_t at = locate({tag_of(hash), value});
    if (at == kNowhere) return false;
    close_gap(at);
    --size_;
    return true;
  }

  /// Changes the value of an entry; false if there is no such entry.
  bool replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) {
    ensure(new_value != kEmpty);
    const std::size_t at = locate({tag_of(hash), old_value});
    if (at == kNowhere) return false;
    slots_[at].value = new_value;
    return true;
  }

  /// Calls f(value) for each entry, in no order that means anything. f must not change the index.
  template <class F>
  void for_each(F&& f) const {
    for (const Slot& slot : slots_)
      if (slot.value != kEmpty) f(slot.value);
  }

  /// The most slots that finding an entry looks at. Walks through all of them: for measuring.
  std::size_t longest_search() const {
    std::size_t longest = 0;
    for (std::size_t at = 0; at < slots_.size(); ++at) {
      if (slots_[at].value == kEmpty) continue;
      longest = std::max(longest, ((at - home(slots_[at].tag)) & (slots_.size() - 1)) + 1);
    }
    return longest;
  }

  /// Forgets every entry and gives the storage back.
  void clear() {
    slots_ = std::vector<Slot>();
    size_ = 0;
  }

  /// Equal entries, wherever they lie: what was inserted and erased before makes no difference.
  friend bool operator==(const FlatIndex& a, const FlatIndex& b) {
    if (a.size_ != b.size_) return false;
    for (const Slot& slot : a.slots_)
      if (slot.value != kEmpty && b.locate(slot) == kNowhere) return false;
    return true;
  }

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffff;
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  static constexpr std::size_t kFirstSlots = 8;
  static constexpr std::size_t kMaxSlots = std::size_t{1} << 28;

  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t value = kEmpty;
    bool operator==(const Slot&) const = default;
  };

  // Every bit of the hash reaches the top bits, which choose the position.
  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash * 0x9e3779b97f4a7c15 >> 32);
  }
  std::size_t home(std::uint32_t tag) const { return tag >> shift_; }
  std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  void place(Slot entry) {
    std::size_t at = home(entry.tag);
    while (slots_[at].value != kEmpty) {
      ensure(slots_[at] != entry);
      at = next(at);
    }
    slots_[at] = entry;
  }

  std::size_t locate(Slot entry) const {
    if (slots_.empty()) return kNowhere;
    for (std::size_t at = home(entry.tag); slots_[at].value != kEmpty; at = next(at))
      if (slots_[at] == entry) return at;
    return kNowhere;
  }

  // Moves each later entry of the run into the gap unless it would then lie before its home.
  void close_gap(std::size_t gap) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = next(gap); slots_[at].value != kEmpty; at = next(at)) {
      const std::size_t from_home = (at - home(slots_[at].tag)) & mask;
      const std::size_t from_gap = (at - gap) & mask;
      if (from_home < from_gap) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = Slot{};
  }

  void grow() {
    const std::size_t count = slots_.empty() ? kFirstSlots : slots_.size() * 2;
    ensure(count <= kMaxSlots);
    std::vector<Slot> old(count);  // whole, if this throws
    old.swap(slots_);
    shift_ = static_cast<std::uint32_t>(32 - std::countr_zero(count));
    for (const Slot& slot : old)
      if (slot.value != kEmpty) place(slot);
  }

  std::vector<Slot> slots_;
  std::uint32_t size_ = 0;
  std::uint32_t shift_ = 0;  // a tag's top bits, down to here, are its position
};

}  // namespace estab::base
