// The life of an operation: started, woken, ended, resumed.
#include "estab/when.h"

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
  if (waiter_ || group_) loop_->wake(*this);
}

void Wait::refuse(Error error) {
  stage_ = Stage::done;
  fail(error);
}

void Wait::abandon() {
  withdraw();
  if (stage_ == Stage::waiting) stage_ = Stage::idle;
}

void Wait::take_turn(Instant now) {
  const Turn turn = turn_;
  loop_->end_turn(*this);
  if (stage_ == Stage::waiting) {
    const bool got = try_again(now);
    if (!got && turn != Turn::give_up) return;
    end();
    if (!got) expire();
  }
  // Who is resumed may destroy this.
  if (!group_) {
    if (waiter_) resume(waiter_);
  } else if (group_->on_member_done(number_)) {
    resume(Waiter(group_->waiter()));
  }
}

// What it throws is the business of who awaits it, and of nobody else.
bool Wait::try_again(Instant now) {
  try {
    return attempt(now);
  } catch (...) {
    exception_ = std::current_exception();
    return true;
  }
}

void run_until_done(Wait& wait) {
  Loop* const loop = wait.loop();
  if (loop && loop->is_in_round()) return wait.refuse(Error::invalid_argument);
  if (wait.start()) return;
  if (!loop->run_until_true([&wait] { return wait.done(); })) wait.cancel(Error::cancelled);
}

void flush(Loop* loop) {
  if (loop) loop->flush();
}

}  // namespace estab::host
