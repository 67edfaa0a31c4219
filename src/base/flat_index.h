// FlatIndex: from a 64-bit hash to a 32-bit number, for keys that live elsewhere (in a Slab,
// mostly). Law: open addressing with linear probing; an entry is 8 octets, 32 bits of its hash and
// its value; those 32 bits alone decide where it belongs, so growing never asks for the key again.
// Erasing shifts later entries back, so there are no tombstones and lookups do not slow down with
// age. Beside the entries stands one octet for each, its mark: a search looks at eight marks at a
// time, which stay in the nearer caches when the entries no longer do, and at an entry only where
// seven more bits of the hash agree. So a key that is not there, as of each new connection, costs
// one load and no branch that is hard to foretell. The hash should be keyed with a secret where a
// peer chooses the keys.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/byte_order.h"
#include "base/ensure.h"

namespace estab::base {

class FlatIndex {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Octets of storage owned, beyond the object itself.
  std::size_t memory() const { return slots_.capacity() * sizeof(Slot) + marks_.capacity(); }

  /// The value with this hash for which eq(value) holds.
  template <class Eq>
  std::optional<std::uint32_t> find(std::uint64_t hash, Eq&& eq) const {
    const std::uint32_t* found = find_place(hash, std::forward<Eq>(eq));
    return found ? std::optional(*found) : std::nullopt;
  }
  /// The same where it lies, or null. It moves with the next change of the index.
  template <class Eq>
  const std::uint32_t* find_place(std::uint64_t hash, Eq&& eq) const {
    if (slots_.empty()) return nullptr;
    const std::uint32_t tag = tag_of(hash);
    const Found found =
        search(tag, [&](const Slot& slot) { return slot.tag == tag && eq(slot.value); });
    return found.is_there ? &slots_[found.at].value : nullptr;
  }

  /// The next insert needs no memory, and so cannot fail.
  void make_room() {
    if ((size() + 1) * 10 > slots_.size() * 7) grow();
  }

  /// Adds an entry. The caller has found that the key is not there.
  void insert(std::uint64_t hash, std::uint32_t value) {
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
    const std::size_t at = locate({tag_of(hash), old_value});
    if (at == kNowhere) return false;
    slots_[at].value = new_value;
    return true;
  }

  /// Calls f(value) for each entry, in no order that means anything. f must not change the index.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t at = 0; at < slots_.size(); ++at)
      if (marks_[at] != kEmpty) f(slots_[at].value);
  }

  /// The most slots that finding an entry looks at. Walks through all of them: for measuring.
  std::size_t longest_search() const {
    std::size_t longest = 0;
    for (std::size_t at = 0; at < slots_.size(); ++at) {
      if (marks_[at] == kEmpty) continue;
      longest = std::max(longest, ((at - home(slots_[at].tag)) & mask_) + 1);
    }
    return longest;
  }

  /// Forgets every entry and gives the storage back.
  void clear() {
    slots_ = std::vector<Slot>();
    marks_ = std::vector<std::uint8_t>();
    size_ = 0;
  }

  /// Equal entries, wherever they lie: what was inserted and erased before makes no difference.
  friend bool operator==(const FlatIndex& a, const FlatIndex& b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t at = 0; at < a.slots_.size(); ++at)
      if (a.marks_[at] != kEmpty && b.locate(a.slots_[at]) == kNowhere) return false;
    return true;
  }

 private:
  static constexpr std::uint8_t kEmpty = 0;  // no mark: the top bit of every other one is set
  static constexpr std::size_t kWindow = 8;
  static constexpr std::size_t kMirrored = kWindow - 1;
  static constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = kOnes << 7;
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  static constexpr std::size_t kFirstSlots = 8;
  static constexpr std::size_t kMaxSlots = std::size_t{1} << 28;

  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t value = 0;
    bool operator==(const Slot&) const = default;
  };

  // Every bit of the hash reaches the top bits, which choose the position.
  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash * 0x9e3779b97f4a7c15 >> 32);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & mask_; }
  std::size_t home(std::uint32_t tag) const { return tag >> shift_; }
  static std::uint8_t mark_of(std::uint32_t tag) { return static_cast<std::uint8_t>(0x80 | tag); }

  // The first seven stand behind the last once more: eight can be loaded from any place.
  void set_mark(std::size_t at, std::uint8_t mark) {
    marks_[at] = mark;
    if (at < kMirrored) marks_[slots_.size() + at] = mark;
  }
  // The top bit of each octet that is `mark`; after the first one maybe of others too.
  static std::uint64_t equal_in(std::uint64_t marks, std::uint8_t mark) {
    const std::uint64_t differ = marks ^ kOnes * mark;
    return (differ - kOnes) & ~differ & kTops;
  }
  std::size_t place_of(std::size_t at, std::uint64_t tops) const {
    return (at + static_cast<std::size_t>(std::countr_zero(tops)) / 8) & mask_;
  }

  struct Found {
    bool is_there;
    std::size_t at;  // if it is not, where it would be put
  };
  // The entry with this tag's mark for which is_it(slot) holds. The one at home is wanted soon in
  // any case, if only to be written.
  template <class IsIt>
  Found search(std::uint32_t tag, IsIt&& is_it) const {
    const std::uint8_t mark = mark_of(tag);
    std::size_t at = home(tag);
    __builtin_prefetch(&slots_[at]);
    while (true) {
      const std::uint64_t marks = load_le64(&marks_[at]);
      for (std::uint64_t left = equal_in(marks, mark); left != 0; left &= left - 1) {
        const std::size_t place = place_of(at, left);
        if (is_it(slots_[place])) return {true, place};
      }
      const std::uint64_t empty = ~marks & kTops;
      if (empty != 0) return {false, place_of(at, empty)};
      at = (at + kWindow) & mask_;
    }
  }
  Found search(const Slot& entry) const {
    return search(entry.tag, [&](const Slot& slot) { return slot == entry; });
  }

  void place(Slot entry) {
    const Found found = search(entry);
    ensure(!found.is_there);
    slots_[found.at] = entry;
    set_mark(found.at, mark_of(entry.tag));
  }

  std::size_t locate(Slot entry) const {
    if (slots_.empty()) return kNowhere;
    const Found found = search(entry);
    return found.is_there ? found.at : kNowhere;
  }

  // Moves each later entry of the run into the gap unless it would then lie before its home.
  void close_gap(std::size_t gap) {
    for (std::size_t at = next(gap); marks_[at] != kEmpty; at = next(at)) {
      const std::size_t from_home = (at - home(slots_[at].tag)) & mask_;
      const std::size_t from_gap = (at - gap) & mask_;
      if (from_home < from_gap) continue;
      slots_[gap] = slots_[at];
      set_mark(gap, marks_[at]);
      gap = at;
    }
    set_mark(gap, kEmpty);
  }

  void grow() {
    const std::size_t count = slots_.empty() ? kFirstSlots : slots_.size() * 2;
    ensure(count <= kMaxSlots);
    std::vector<Slot> old(count);  // whole, if this throws
    std::vector<std::uint8_t> old_marks(count + kMirrored, kEmpty);
    old.swap(slots_);
    old_marks.swap(marks_);
    mask_ = static_cast<std::uint32_t>(count - 1);
    shift_ = static_cast<std::uint32_t>(32 - std::countr_zero(count));
    for (std::size_t at = 0; at < old.size(); ++at)
      if (old_marks[at] != kEmpty) place(old[at]);
  }

  std::vector<Slot> slots_;
  std::vector<std::uint8_t> marks_;  // of the slots, one each, and the first ones again
  std::uint32_t size_ = 0;
  std::uint32_t mask_ = 0;   // wraps a position
  std::uint32_t shift_ = 0;  // a tag's top bits, down to here, are its position
};

}  // namespace estab::base
