// The operations whose turn it is in this round of the loop, in the order they were called. An
// operation is in the list at most once and takes itself out when it is destroyed.
#pragma once

#include <cstddef>

#include "estab/operation.h"

namespace estab::host {

class WaitList {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void push(Wait& wait);
  /// The one that has been in the list longest. Only if not empty().
  Wait& front() const { return *first_; }
  void remove(Wait& wait);

 private:
  Wait* first_ = nullptr;
  Wait* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace estab::host
