// The operations that wait for a time, the earliest on top. Each knows its place in the heap, so
// that one which is over early leaves in O(log n).
#pragma once

#include <cstddef>
#include <vector>

#include "estab/operation.h"
#include "estab/time.h"

namespace estab::host {

class TimerHeap {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  Instant next_deadline() const;
  void add(Wait& wait, Instant deadline);
  /// Takes the operation out, if it is in.
  void remove(Wait& wait);
  /// Takes out and returns one whose deadline is not after `now`; null if there is none.
  Wait* pop_due(Instant now);

 private:
  void put(std::size_t index, Wait& wait);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::vector<Wait*> heap_;
};

}  // namespace estab::host
