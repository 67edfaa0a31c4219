// TaskHandle<T>: a task that a Host runs on its own, in the hands of whoever spawned it.
//
//   estab::TaskHandle<Page> page = host.spawn(fetch(host, url));
//   ...
//   if (tired) page.cancel();
//   estab::Result<Page> got = co_await page.join();
//
// Dropping the handle lets the task run on by itself (it is detached); an exception that nobody has
// joined for then leaves Host::run(). The Host must outlive the handle. Of its Host's thread.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "estab/error.h"
#include "estab/id.h"
#include "estab/operation.h"
#include "estab/task.h"

namespace estab {

using TaskId = Id<struct TaskTag>;  ///< a task that was spawned

namespace host {

/// What became of a task.
struct TaskEnd {
  enum class Kind : std::uint8_t { runs_still, returned, threw, cancelled, unknown };
  Kind kind = Kind::unknown;
  std::unique_ptr<TaskOutcome> outcome{};
  std::exception_ptr exception{};
};

/// Takes it from the loop, once.
TaskEnd take_end(Loop& loop, TaskId task);
bool is_over(const Loop& loop, TaskId task);
void cancel(Loop& loop, TaskId task);
void detach(Loop& loop, TaskId task);
Wait** joiner_of(Loop& loop, TaskId task);

/// As the result of a join.
template <class T>
Result<T> result_of_task(TaskEnd end) {
  switch (end.kind) {
    case TaskEnd::Kind::runs_still:
      return std::unexpected(Error::would_block);
    case TaskEnd::Kind::cancelled:
      return std::unexpected(Error::cancelled);
    case TaskEnd::Kind::unknown:
      return std::unexpected(Error::no_such_id);
    case TaskEnd::Kind::threw:
      std::rethrow_exception(end.exception);
    case TaskEnd::Kind::returned:
      break;
  }
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return static_cast<TaskOutcomeOf<T>&>(*end.outcome).take();
}

}  // namespace host

template <class T>
class JoinOperation final : public Operation<Result<T>> {
 public:
  JoinOperation(host::Loop* loop, TaskId task) : Operation<Result<T>>(loop), task_(task) {}

 private:
  bool attempt(Instant) override {
    if (!host::is_over(*this->loop_, task_)) return false;
    this->result_ = host::result_of_task<T>(host::take_end(*this->loop_, task_));
    return true;
  }
  host::Wait** place() override { return host::joiner_of(*this->loop_, task_); }
  TaskId task_;
};

template <class T = void>
class TaskHandle {
 public:
  /// Names no task: every call gives Error::no_such_id.
  TaskHandle() = default;
  TaskHandle(host::Loop& loop, TaskId task) : loop_(&loop), task_(task) {}
  TaskHandle(TaskHandle&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), task_(std::exchange(other.task_, {})) {}
  TaskHandle& operator=(TaskHandle&& other) noexcept {
    if (this == &other) return *this;
    detach();
    loop_ = std::exchange(other.loop_, nullptr);
    task_ = std::exchange(other.task_, {});
    return *this;
  }
  /// detach().
  ~TaskHandle() { detach(); }

  explicit operator bool() const { return loop_ && task_; }
  /// True once the task has returned, thrown, or been cancelled.
  bool done() const { return !loop_ || host::is_over(*loop_, task_); }

  /// Waits until the task is over, and gives what it returned or throws what it threw: to the first
  /// who asks; after that Error::no_such_id. Error::cancelled after cancel(). One coroutine at a
  /// time; a join that is given up (within) leaves the task alone.
  JoinOperation<T> join() { return {loop_, task_}; }
  /// The same at once, for a task that is done(); Error::would_block before.
  Result<T> result() {
    if (!loop_) return std::unexpected(Error::no_such_id);
    return host::result_of_task<T>(host::take_end(*loop_, task_));
  }
  /// Destroys the task where it waits, and so closes what it holds, before this returns. A task
  /// that is running (it cancels itself, or a part of it does) is destroyed as soon as it waits
  /// next, unless it ends before. Nothing to one that is over.
  void cancel() {
    if (loop_) host::cancel(*loop_, task_);
  }
  /// Lets go of the task, which runs on.
  void detach() {
    if (loop_) host::detach(*loop_, task_);
    loop_ = nullptr;
    task_ = {};
  }

 private:
  host::Loop* loop_ = nullptr;
  TaskId task_;
};

}  // namespace estab
