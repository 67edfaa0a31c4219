// Task<T>: a coroutine that somebody awaits, or that a Host runs.
//
//   estab::Task<std::size_t> count(estab::TcpStream& stream);     // a coroutine
//   std::size_t n = co_await count(stream);                       // inside another one
//   host.spawn(serve(host));                                      // on its own
//   auto [a, b] = co_await estab::when_all(left(), right());      // side by side: when.h
//
// A Task is lazy: it runs when it is first awaited or spawned. It owns its frame: destroying a Task
// that is suspended destroys it and everything it awaits, innermost first, in constant stack depth.
// Control passes from coroutine to coroutine without recursion, at every optimisation level and
// under sanitizers, so a chain of any depth is safe. An exception that leaves the coroutine is
// thrown again at the co_await; the library itself throws none.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace estab {

template <class T>
class Task;

namespace host {

class TaskPromise;

/// A coroutine that waits, and the tree of tasks it is part of: that of the task which a Host runs
/// or which was awaited by none of ours.
struct Waiter {
  std::coroutine_handle<> handle{};
  const TaskPromise* root = nullptr;

  Waiter() = default;
  Waiter(std::coroutine_handle<> coroutine, const TaskPromise* tree)
      : handle(coroutine), root(tree) {}
  template <class Promise>
  explicit Waiter(std::coroutine_handle<Promise> coroutine);
  explicit operator bool() const { return static_cast<bool>(handle); }
};

/// Resumes `next`, and then whatever each coroutine hands over to, until one hands over to nobody.
void resume(const Waiter& next);
/// Makes `next` run as soon as the coroutine now running has returned to resume().
void hand_over(const Waiter& next);
/// Whether a coroutine of that tree is running now, further up on this thread's stack.
bool is_running(const TaskPromise& root);

/// Who is told that a task is over which nobody awaits. The frame is to be destroyed afterwards,
/// not within.
class TaskOwner {
 public:
  virtual void on_task_done(TaskPromise& promise) = 0;

 protected:
  ~TaskOwner() = default;
};

/// The frame of a Task, owned.
class TaskFrame {
 public:
  TaskFrame() = default;
  TaskFrame(std::coroutine_handle<> handle, TaskPromise& promise)
      : handle_(handle), promise_(&promise) {}
  TaskFrame(TaskFrame&& other) noexcept
      : handle_(std::exchange(other.handle_, {})),
        promise_(std::exchange(other.promise_, nullptr)) {}
  TaskFrame& operator=(TaskFrame&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(promise_, other.promise_);
    return *this;
  }
  ~TaskFrame() { reset(); }

  /// Destroys the frame and those of the tasks it waits for, innermost first.
  void reset();
  std::coroutine_handle<> handle() const { return handle_; }
  TaskPromise* promise() const { return promise_; }

 private:
  std::coroutine_handle<> handle_;
  TaskPromise* promise_ = nullptr;
};

/// What the promises of all tasks have in common: who awaits this one, and whom it awaits.
class TaskPromise {
 public:
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      self.promise().finish();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  std::exception_ptr exception() const { return exception_; }
  /// For a task that nobody awaits: `owner` is told when it is over. `root`: of the tree it is part
  /// of; null if it is one itself.
  void set_owner(TaskOwner& owner, std::uint32_t number, const TaskPromise* root = nullptr) {
    owner_ = &owner;
    number_ = number;
    root_ = root ? root : this;
  }
  std::uint32_t number() const { return number_; }
  const TaskPromise* root() const { return root_; }

 private:
  template <class T>
  friend class estab::Task;
  friend class TaskFrame;

  void finish() noexcept;
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

  Waiter awaited_by_;
  const TaskPromise* root_ = nullptr;
  TaskPromise* parent_ = nullptr;  // the promise of awaited_by_, if that is a task
  TaskFrame* child_ = nullptr;     // the task this one waits for
  TaskOwner* owner_ = nullptr;
  std::uint32_t number_ = 0;
  std::exception_ptr exception_;
};

template <class T>
class TaskResult : public TaskPromise {
 public:
  template <class U = T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class TaskResult<void> : public TaskPromise {
 public:
  void return_void() const {}
  void take() const {}
};

template <class Promise>
Waiter::Waiter(std::coroutine_handle<Promise> coroutine) : handle(coroutine) {
  if constexpr (std::is_base_of_v<TaskPromise, Promise>) root = coroutine.promise().root();
}

/// What a task that is over has left for whoever asks for it later.
class TaskOutcome {
 public:
  virtual ~TaskOutcome() = default;
  /// Takes the result out of the promise.
  virtual void collect(TaskPromise& promise) = 0;
};

template <class T>
class TaskOutcomeOf final : public TaskOutcome {
 public:
  void collect(TaskPromise& promise) override {
    value_.emplace(static_cast<TaskResult<T>&>(promise).take());
  }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

}  // namespace host

template <class T = void>
class [[nodiscard]] Task {
 public:
  static_assert(!std::is_reference_v<T>, "a Task returns a value or a pointer");

  struct promise_type final : host::TaskResult<T> {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this), *this);
    }
  };

  /// An empty task: not to be awaited.
  Task() = default;

  /// True if there is a coroutine in it (finished or not).
  explicit operator bool() const { return frame_.promise() != nullptr; }
  bool done() const { return frame_.handle() && frame_.handle().done(); }
  /// What a task that is done() threw; null if nothing.
  std::exception_ptr exception() const { return frame_.promise()->exception(); }

  class Awaiter {
   public:
    explicit Awaiter(Task& task) : task_(task) {}
    bool await_ready() const { return task_.done(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) {
      host::TaskPromise& promise = *task_.frame_.promise();
      promise.awaited_by_ = host::Waiter(waiter);
      promise.root_ = promise.awaited_by_.root;
      if constexpr (std::is_base_of_v<host::TaskPromise, Promise>) {
        promise.parent_ = &waiter.promise();
        promise.parent_->child_ = &task_.frame_;
      }
      host::hand_over({task_.frame_.handle(), promise.root_});
    }
    T await_resume() {
      auto& promise = static_cast<promise_type&>(*task_.frame_.promise());
      promise.rethrow();
      return promise.take();
    }

   private:
    Task& task_;
  };
  Awaiter operator co_await() && { return Awaiter(*this); }

  /// The frame, for one who runs it (Host::spawn takes it over).
  host::TaskFrame& frame() { return frame_; }
  /// The result of a task that is done; throws what the coroutine threw.
  T take() && { return Awaiter(*this).await_resume(); }

 private:
  Task(std::coroutine_handle<> handle, host::TaskPromise& promise) : frame_(handle, promise) {}
  host::TaskFrame frame_;
};

}  // namespace estab
