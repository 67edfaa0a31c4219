#include "host/signals.h"

#include <sys/signalfd.h>

namespace estab::host {

Signals::Signals() {
  sigemptyset(&watched_);
  sigemptyset(&blocked_here_);
}

Signals::~Signals() {
  if (descriptor_) pthread_sigmask(SIG_UNBLOCK, &blocked_here_, nullptr);
}

bool Signals::watch(int number) {
  if (sigismember(&watched_, number) == 1) return true;
  sigset_t wanted = watched_;
  if (sigaddset(&wanted, number) != 0) return false;
  const int descriptor = signalfd(descriptor_.number(), &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) return false;
  if (!descriptor_) descriptor_ = OwnedDescriptor(descriptor);
  watched_ = wanted;

  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &one, &before);
  if (sigismember(&before, number) == 0) sigaddset(&blocked_here_, number);
  return true;
}

bool Signals::take(int number) {
  Seat& seat = seats_[static_cast<std::size_t>(number)];
  if (seat.pending == 0) return false;
  --seat.pending;
  return true;
}

int Signals::read_one() {
  signalfd_siginfo info{};
  if (read(descriptor_.number(), &info, sizeof info) != sizeof info) return 0;
  return is_number(static_cast<int>(info.ssi_signo)) ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace estab::host
