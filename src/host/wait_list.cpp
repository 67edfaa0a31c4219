#include "host/wait_list.h"

namespace estab::host {

void WaitList::push(Wait& wait) {
  wait.previous_ = last_;
  wait.next_ = nullptr;
  (last_ ? last_->next_ : first_) = &wait;
  last_ = &wait;
  ++size_;
}

void WaitList::remove(Wait& wait) {
  (wait.previous_ ? wait.previous_->next_ : first_) = wait.next_;
  (wait.next_ ? wait.next_->previous_ : last_) = wait.previous_;
  wait.previous_ = wait.next_ = nullptr;
  --size_;
}

}  // namespace estab::host
