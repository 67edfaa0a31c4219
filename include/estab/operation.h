// Operation<R>: something that may take a while, as every call of the coroutine face that waits
// returns one. Nothing happens until it is awaited:
//
//   auto n = co_await stream.read(buffer);                   // Result<std::size_t>
//   auto m = co_await stream.read(buffer).within(5s);        // Error::would_block after 5 s
//
// An operation lives in the frame of the coroutine that awaits it; waiting allocates nothing.
// Destroying the frame (with its Task, or with the Host) withdraws the operation.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

#include "estab/error.h"
#include "estab/time.h"

namespace estab {

namespace host {

class Loop;

/// The part of an operation that the loop knows: where it waits, until when, and whom to resume.
class Wait {
 public:
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// Tries at once. True: the result is there and there is nothing to wait for.
  bool start();
  bool done() const { return stage_ == Stage::done; }
  /// Ends the operation with an error, if it still waits.
  void cancel(Error error);

  /// Null: an operation on nothing, which fails with Error::no_such_id.
  Loop* loop() const { return loop_; }

  /// Whom to resume once it is done.
  void set_waiter(std::coroutine_handle<> waiter) { waiter_ = waiter; }

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
  virtual void expire() { fail(Error::would_block); }
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

  /// Its turn in the loop: tries, and resumes the waiter if that ended it.
  void take_turn(Instant now);
  void end() {
    withdraw();
    stage_ = Stage::done;
  }

  std::coroutine_handle<> waiter_;
  Wait** place_ = nullptr;
  Wait* next_ = nullptr;  // among those whose turn it is
  Wait* previous_ = nullptr;
  Instant deadline_ = kNever;
  std::size_t heap_index_ = kNotInHeap;
  Stage stage_ = Stage::idle;
  Turn turn_ = Turn::none;
};

/// What stands between a co_await and the operation in it.
template <class O>
class Awaiter {
 public:
  explicit Awaiter(O& operation) : operation_(operation) {}
  bool await_ready() { return operation_.start(); }
  void await_suspend(std::coroutine_handle<> waiter) { operation_.set_waiter(waiter); }
  auto await_resume() { return operation_.take(); }

 private:
  O& operation_;
};

/// Runs the loop until the operation is done. False: stop() was called first.
bool run_until_done(Wait& wait);
/// Sends what the calls made so far gave rise to, without waiting for anything.
void flush(Loop* loop);

}  // namespace host

/// An operation whose result is an R, a Result of something.
template <class R>
class [[nodiscard]] Operation : public host::Wait {
 public:
  /// Gives up after `limit`. The result is then Error::would_block: nothing was lost, and the same
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
/// called meanwhile, the result is Error::would_block. Not from within a coroutine of that Host.
template <class R>
R block_on(Operation<R>&& operation) {
  if (!operation.start() && !host::run_until_done(operation)) operation.cancel(Error::would_block);
  return operation.take();
}

}  // namespace estab
