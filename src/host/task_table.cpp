#include "host/task_table.h"

#include <algorithm>
#include <utility>

#include "host/loop.h"

namespace estab::host {

namespace {

template <class T>
void make_room(std::vector<T>& list, std::size_t size) {
  if (list.capacity() < size) list.reserve(std::max(size, 2 * list.capacity()));
}

}  // namespace

// ---- the life of a task

// All the memory that a task will need here is asked for now: its end must not fail.
TaskId TaskTable::add(TaskFrame frame, TaskKind kind, std::unique_ptr<TaskOutcome> outcome) {
  if (!frame.promise()) return {};
  for (auto* list : {&free_, &leaving_}) make_room(*list, entries_.size() + 1);
  make_room(new_, new_.size() + 1);
  if (free_.empty()) {
    entries_.emplace_back();
    free_.push_back(static_cast<std::uint32_t>(entries_.size() - 1));
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Entry& entry = entries_[number];
  frame.promise()->set_owner(*this, number);
  entry.frame = std::move(frame);
  entry.outcome = std::move(outcome);
  entry.kind = kind;
  entry.stage = Stage::added;
  entry.held = true;
  const TaskId task{number, entry.generation};
  new_.push_back(task);
  ++size_;
  if (kind == TaskKind::foreground) ++foreground_;
  return task;
}

std::size_t TaskTable::start_new() {
  // One that is started may add others: they are for the next call.
  const std::size_t count = new_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Entry* const entry = find(new_[i]);
    if (!entry || entry->stage != Stage::added) continue;  // cancelled before it began
    entry->stage = Stage::started;
    resume({entry->frame.handle(), entry->frame.promise()});
  }
  new_.erase(new_.begin(), new_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

void TaskTable::on_task_done(TaskPromise& promise) {
  leave(promise.number());
}

void TaskTable::leave(std::uint32_t number) {
  Entry& entry = entries_[number];
  if (entry.stage == Stage::leaving) return;
  entry.stage = Stage::leaving;
  leaving_.push_back(number);
}

void TaskTable::reap() {
  for (std::size_t i = 0; i < leaving_.size(); ++i) end(leaving_[i]);
  leaving_.clear();
}

void TaskTable::end(std::uint32_t number) {
  Entry& entry = entries_[number];
  --size_;
  if (entry.kind == TaskKind::foreground) --foreground_;
  entry.cancelled = !entry.frame.handle().done();
  if (!entry.cancelled) keep_outcome(entry, *entry.frame.promise());
  entry.stage = Stage::dying;
  entry.frame.reset();  // what it owned may add tasks, cancel others, and drop handles, its own too
  entry.stage = Stage::over;
  if (!entry.held) return forget(number);
  if (entry.joiner) loop_.wake(*entry.joiner);
}

void TaskTable::keep_outcome(Entry& entry, TaskPromise& promise) {
  entry.exception = promise.exception();
  if (entry.exception || !entry.outcome || !entry.held) return;
  try {
    entry.outcome->collect(promise);
  } catch (...) {
    entry.exception = std::current_exception();
  }
}

// An exception that nobody has asked for leaves run().
void TaskTable::forget(std::uint32_t number) {
  Entry& entry = entries_[number];
  if (entry.exception) failures_.note(entry.exception);
  const std::uint32_t generation = entry.generation + 1;
  entry = Entry{};
  entry.generation = generation;
  free_.push_back(number);
}

void TaskTable::clear() {
  new_.clear();
  leaving_.clear();
  for (bool found = true; std::exchange(found, false);)  // what is destroyed may add tasks
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].frame.promise()) continue;
      found = true;
      entries_[i].stage = Stage::dying;
      entries_[i].frame.reset();
    }
  entries_.clear();
  free_.clear();
  new_.clear();
  size_ = foreground_ = 0;
}

// ---- for handles

const TaskTable::Entry* TaskTable::find(TaskId task) const {
  if (task.index >= entries_.size()) return nullptr;
  const Entry& entry = entries_[task.index];
  return entry.generation == task.generation ? &entry : nullptr;
}

bool TaskTable::is_over(TaskId task) const {
  const Entry* const entry = find(task);
  return !entry || entry->stage == Stage::over;
}

TaskEnd TaskTable::take_end(TaskId task) {
  Entry* const entry = find(task);
  if (!entry) return {};
  if (entry->stage != Stage::over) return {.kind = TaskEnd::Kind::runs_still};
  TaskEnd end{TaskEnd::Kind::returned, std::move(entry->outcome),
              std::exchange(entry->exception, nullptr)};
  if (end.exception) end.kind = TaskEnd::Kind::threw;
  if (entry->cancelled) end.kind = TaskEnd::Kind::cancelled;
  forget(task.index);
  return end;
}

void TaskTable::cancel(TaskId task) {
  Entry* const entry = find(task);
  if (!entry || entry->stage == Stage::dying || entry->stage == Stage::over) return;
  if (entry->stage == Stage::leaving) return;
  if (is_running(*entry->frame.promise())) return leave(task.index);
  end(task.index);
}

void TaskTable::detach(TaskId task) {
  Entry* const entry = find(task);
  if (!entry) return;
  entry->held = false;
  if (entry->joiner) entry->joiner->cancel(Error::no_such_id);
  if (entry->stage == Stage::over) forget(task.index);
}

Wait** TaskTable::joiner(TaskId task) {
  Entry* const entry = find(task);
  return entry ? &entry->joiner : nullptr;
}

// ---- the same, for public headers that do not know the loop

TaskEnd take_end(Loop& loop, TaskId task) {
  return loop.tasks().take_end(task);
}
bool is_over(const Loop& loop, TaskId task) {
  return loop.tasks().is_over(task);
}
void cancel(Loop& loop, TaskId task) {
  loop.tasks().cancel(task);
}
void detach(Loop& loop, TaskId task) {
  loop.tasks().detach(task);
}
Wait** joiner_of(Loop& loop, TaskId task) {
  return loop.tasks().joiner(task);
}

}  // namespace estab::host
