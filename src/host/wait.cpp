// The life of an operation: started, woken, ended, resumed.
#include "host/loop.h"

namespace estab::host {

Wait::~Wait() {
  withdraw();
}

bool Wait::start() {
  stage_ = Stage::done;
  if (!loop_) {
    fail(Error::no_such_id);
    return true;
  }
  if (Wait** const seat = place(); seat && *seat) {
    fail(Error::invalid_argument);
    return true;
  }
  const Instant now = loop_->now();
  if (attempt(now)) return true;
  place_ = place();
  if (place_) *place_ = this;
  if (limit_) loop_->give_up_at(*this, now + *limit_);
  stage_ = Stage::waiting;
  return false;
}

void Wait::withdraw() {
  if (!loop_) return;
  if (place_ && *place_ == this) *place_ = nullptr;
  place_ = nullptr;
  loop_->forget(*this);
}

void Wait::cancel(Error error) {
  if (stage_ != Stage::waiting) return;
  end();
  fail(error);
  // Not resumed from here: the caller is another coroutine in the midst of something.
  if (waiter_) loop_->wake(*this);
}

void Wait::take_turn(Instant now) {
  const Turn turn = turn_;
  loop_->end_turn(*this);
  if (stage_ == Stage::waiting) {
    const bool got = attempt(now);
    if (!got && turn != Turn::give_up) return;
    end();
    if (!got) expire();
  }
  if (waiter_) resume(waiter_);  // which may destroy this
}

bool run_until_done(Wait& wait) {
  return wait.loop()->run_until([&wait] { return wait.done(); });
}

void flush(Loop* loop) {
  if (loop) loop->flush();
}

}  // namespace estab::host
