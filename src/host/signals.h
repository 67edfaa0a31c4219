// Signals as something to wait for. A signal that is watched is blocked for the thread, so that it
// is read from a signalfd instead of being acted on; the destructor undoes what it blocked.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>

#include "estab/operation.h"

#include "host/descriptor.h"

namespace estab::host {

class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  static constexpr int kLast = 64;
  static bool is_number(int number) { return number > 0 && number <= kLast; }

  /// Watches a signal from now on. False if the system refuses.
  bool watch(int number);
  /// -1 until something is watched.
  int descriptor() const { return descriptor_.number(); }
  /// One signal of this number that has come and was not taken.
  bool take(int number);
  Wait** place(int number) { return &seats_[static_cast<std::size_t>(number)].waiter; }
  /// Reads what has come, and wakes those who wait for it.
  template <class Wake>
  void receive(Wake wake) {
    while (const int number = read_one()) {
      Seat& seat = seats_[static_cast<std::size_t>(number)];
      ++seat.pending;
      if (seat.waiter) wake(*seat.waiter);
    }
  }

 private:
  struct Seat {
    Wait* waiter = nullptr;
    std::uint32_t pending = 0;
  };
  /// Zero: no more.
  int read_one();

  OwnedDescriptor descriptor_;
  sigset_t watched_;
  sigset_t blocked_here_;
  std::array<Seat, kLast + 1> seats_{};
};

}  // namespace estab::host
