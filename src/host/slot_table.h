// What the host keeps for each handle of the stack: who waits for what. Found by the handle's index
// in O(1); the generation tells a slot's owner from one that had the index before. Slots never
// move.
#pragma once

#include <cstdint>
#include <deque>

#include "estab/error.h"
#include "estab/id.h"

namespace estab::host {

template <class Slot, class Id>
class SlotTable {
 public:
  /// Null if the handle is older than the slot's owner, or names nothing.
  Slot* enter(Id id) {
    if (!id) return nullptr;
    while (entries_.size() <= id.index) entries_.emplace_back();
    Entry& entry = entries_[id.index];
    if (entry.generation == id.generation && entry.used) return &entry.slot;
    if (entry.used && static_cast<std::int32_t>(id.generation - entry.generation) < 0)
      return nullptr;
    entry.slot.cancel(Error::connection_aborted);
    entry = {Slot{}, id.generation, true};
    return &entry.slot;
  }

  /// Null if nothing is known of the handle.
  Slot* find(Id id) {
    if (!id || id.index >= entries_.size()) return nullptr;
    Entry& entry = entries_[id.index];
    return entry.used && entry.generation == id.generation ? &entry.slot : nullptr;
  }

  /// The handle has been given back: who waits is told, and the slot forgets.
  void release(Id id) {
    Slot* const slot = find(id);
    if (!slot) return;
    slot->cancel(Error::connection_aborted);
    *slot = Slot{};
  }

  /// The same, and nothing is known of the handle any more.
  void forget(Id id) {
    release(id);
    if (find(id)) entries_[id.index].used = false;
  }

 private:
  struct Entry {
    Slot slot{};
    std::uint32_t generation = 0;
    bool used = false;
  };
  std::deque<Entry> entries_;
};

}  // namespace estab::host
