// Who of a group has to be over before its waiter goes on.
#include "estab/when.h"

namespace estab::host {

bool Group::start(const Waiter& waiter) {
  waiter_ = waiter;
  starting_ = true;
  for (std::uint32_t number = 0; number < members_ && !over_; ++number) start_member(number);
  starting_ = false;
  return !over_;
}

bool Group::on_member_done(std::uint32_t number) {
  if (over_) return false;
  --left_;
  if (ends_ == Ends::with_all && left_ > 0 && !has_thrown(number)) return false;
  over_ = true;
  ended_by_ = number;
  abandon_all();
  return !starting_;  // else start() tells
}

void Group::on_task_done(TaskPromise& promise) {
  if (on_member_done(promise.number())) hand_over(waiter_);
}

}  // namespace estab::host
