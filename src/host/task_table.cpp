#include "host/task_table.h"

#include <algorithm>
#include <utility>

namespace estab::host {

namespace {

template <class T>
void make_room(std::vector<T>& list, std::size_t size) {
  if (list.capacity() < size) list.reserve(std::max(size, 2 * list.capacity()));
}

}  // namespace

// All the memory that a task will need here is asked for now: its end must not fail.
void TaskTable::add(TaskFrame frame, TaskKind kind) {
  if (!frame.promise()) return;
  make_room(entries_, entries_.size() + 1);
  for (auto* list : {&free_, &done_}) make_room(*list, entries_.size() + 1);
  make_room(new_, new_.size() + 1);
  make_room(exceptions_, exceptions_.size() + size_ + 1);
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  frame.promise()->set_owner(*this, number);
  entries_[number] = {std::move(frame), kind};
  new_.push_back(number);
  ++size_;
  if (kind == TaskKind::foreground) ++foreground_;
}

std::size_t TaskTable::start_new() {
  // One that is started may add others: they are for the next call.
  const std::size_t count = new_.size();
  for (std::size_t i = 0; i < count; ++i) resume(entries_[new_[i]].frame.handle());
  new_.erase(new_.begin(), new_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

void TaskTable::reap() {
  for (std::size_t i = 0; i < done_.size(); ++i) {
    const std::uint32_t number = done_[i];
    Entry entry = std::exchange(entries_[number], {});
    free_.push_back(number);
    --size_;
    if (entry.kind == TaskKind::foreground) --foreground_;
    if (entry.frame.promise()->exception())
      exceptions_.push_back(entry.frame.promise()->exception());
  }  // what the frame owned is destroyed here, and may add tasks
  done_.clear();
}

std::exception_ptr TaskTable::take_exception() {
  if (exceptions_.empty()) return nullptr;
  const std::exception_ptr first = exceptions_.front();
  exceptions_.erase(exceptions_.begin());
  return first;
}

void TaskTable::clear() {
  new_.clear();
  done_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry entry = std::exchange(entries_[i], {});
  }
  entries_.clear();
  free_.clear();
  size_ = foreground_ = 0;
}

}  // namespace estab::host
