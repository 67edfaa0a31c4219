// Operation<R>: something that may take a while, as every call of the coroutine face that waits
// returns one. Nothing happens until it is awaited:
//
//   auto n = co_await stream.read(buffer);                   // Result<std::size_t>
//   auto m = co_await stream.read(buffer).within(5s);        // Error::timed_out after 5 s
//
// An operation lives in the frame of the coroutine that awaits it; waiting allocates nothing.
// Destroying the frame (with its Task, or with the Host) withdraws the operation. An exception
// (std::bad_alloc: the library throws no other) comes out of the co_await.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <expected>
#include <optional>
#include <utility>

#include "estab/error.h"
#include "estab/task.h"
#include "estab/time.h"

namespace estab {

namespace host {

class Loop;

/// Operations and tasks that one coroutine awaits together (when.h).
class Group;

/// The part of an operation that the loop knows: where it waits, until when, and whom to tell.
class Wait {
 public:
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// Tries at once. True: the result is there and there is nothing to wait for.
  bool start();
  bool done() const { return stage_ == Stage::done; }
  /// Ends the operation with an error, if it still waits.
  void cancel(Error error);
  /// Ends it with an error before it has begun.
  void refuse(Error error);
  /// Waits no longer; nobody is told.
  void abandon();
  /// What an attempt threw; the result is then no result.
  const std::exception_ptr& exception() const { return exception_; }

  /// Null: an operation on nothing, which fails with Error::no_such_id.
  Loop* loop() const { return loop_; }

  /// Whom to resume once it is done.
  void set_waiter(const Waiter& waiter) { waiter_ = waiter; }
  /// Whom to tell instead, if it is part of a group.
  void set_group(Group& group, std::uint32_t number) {
    group_ = &group;
    number_ = number;
  }

 protected:
  explicit Wait(Loop* loop) : loop_(loop) {}
  ~Wait();

  /// Does the thing if it can be done now. True: the result is there.
  virtual bool attempt(Instant now) = 0;
  /// Makes `error` the result.
  virtual void fail(Error error) = 0;
  /// Where this operation waits to be found by the event that concerns it; one operation a place.
  /// Null: only time wakes it.
  virtual Wait** place() { return nullptr; }
  /// The limit of within() has passed: sets the result.
  virtual void expire() { fail(Error::timed_out); }
  /// Waits no longer: neither for an event nor for a time.
  void withdraw();

  Loop* loop_;
  std::optional<Duration> limit_;

 private:
  friend class Loop;
  friend class WaitList;
  friend class TimerHeap;
  enum class Stage : std::uint8_t { idle, waiting, done };
  enum class Turn : std::uint8_t { none, attempt, give_up };
  static constexpr std::size_t kNotInHeap = static_cast<std::size_t>(-1);

  /// Its turn in the loop: tries, and tells whoever waits if that ended it.
  void take_turn(Instant now);
  bool try_again(Instant now);
  void end() {
    withdraw();
    stage_ = Stage::done;
  }

  Waiter waiter_;
  Group* group_ = nullptr;
  std::exception_ptr exception_;
  Wait** place_ = nullptr;
  Wait* next_ = nullptr;  // among those whose turn it is
  Wait* previous_ = nullptr;
  Instant deadline_ = kNever;
  std::size_t heap_index_ = kNotInHeap;
  std::uint32_t number_ = 0;  // in its group
  Stage stage_ = Stage::idle;
  Turn turn_ = Turn::none;
};

/// The result of an operation that is done, or what it threw.
template <class O>
auto result_of(O& operation) {
  if (operation.exception()) std::rethrow_exception(operation.exception());
  return operation.take();
}

/// What stands between a co_await and the operation in it.
template <class O>
class Awaiter {
 public:
  explicit Awaiter(O& operation) : operation_(operation) {}
  bool await_ready() { return operation_.start(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiter) {
    operation_.set_waiter(Waiter(waiter));
  }
  auto await_resume() { return result_of(operation_); }

 private:
  O& operation_;
};

/// Starts the operation and runs the loop until it is done. When stop() is called meanwhile it is
/// ended with Error::cancelled; from within a coroutine of the loop it is refused with
/// Error::invalid_argument.
void run_until_done(Wait& wait);
/// Sends what the calls made so far gave rise to, without waiting for anything.
void flush(Loop* loop);

}  // namespace host

/// An operation whose result is an R, a Result of something.
template <class R>
class [[nodiscard]] Operation : public host::Wait {
 public:
  /// Gives up after `limit`. The result is then Error::timed_out: nothing was lost, and the same
  /// operation may be tried again (Host::connect: Error::connect_timed_out, and it was aborted).
  Operation&& within(Duration limit) && {
    limit_ = limit;
    return std::move(*this);
  }
  host::Awaiter<Operation> operator co_await() && { return host::Awaiter<Operation>(*this); }
  /// The result, once done().
  R take() { return std::move(result_); }

 protected:
  using Wait::Wait;
  ~Operation() = default;
  void fail(Error error) override { result_ = std::unexpected(error); }

  R result_{};
};

/// Awaits an operation without a coroutine: runs the Host's loop until it is done. When stop() is
/// called meanwhile, the result is Error::cancelled. From within a coroutine or a posted call of
/// that Host, where it would have to wait for itself: Error::invalid_argument.
template <class R>
R block_on(Operation<R>&& operation) {
  host::run_until_done(operation);
  return host::result_of(operation);
}

}  // namespace estab
