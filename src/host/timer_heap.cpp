#include "host/timer_heap.h"

namespace estab::host {

Instant TimerHeap::next_deadline() const {
  return heap_.empty() ? kNever : heap_.front()->deadline_;
}

void TimerHeap::add(Wait& wait, Instant deadline) {
  wait.deadline_ = deadline;
  heap_.push_back(nullptr);
  put(heap_.size() - 1, wait);
  sift_up(heap_.size() - 1);
}

void TimerHeap::remove(Wait& wait) {
  const std::size_t index = wait.heap_index_;
  if (index == Wait::kNotInHeap) return;
  wait.heap_index_ = Wait::kNotInHeap;
  Wait& last = *heap_.back();
  heap_.pop_back();
  if (&last == &wait) return;
  put(index, last);
  sift_up(index);
  sift_down(last.heap_index_);
}

Wait* TimerHeap::pop_due(Instant now) {
  if (heap_.empty() || heap_.front()->deadline_ > now) return nullptr;
  Wait* const due = heap_.front();
  remove(*due);
  return due;
}

void TimerHeap::put(std::size_t index, Wait& wait) {
  heap_[index] = &wait;
  wait.heap_index_ = index;
}

void TimerHeap::sift_up(std::size_t index) {
  Wait& wait = *heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->deadline_ <= wait.deadline_) break;
    put(index, *heap_[parent]);
    index = parent;
  }
  put(index, wait);
}

void TimerHeap::sift_down(std::size_t index) {
  Wait& wait = *heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
    if (heap_[child]->deadline_ >= wait.deadline_) break;
    put(index, *heap_[child]);
    index = child;
  }
  put(index, wait);
}

}  // namespace estab::host
