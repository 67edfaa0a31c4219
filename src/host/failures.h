// Exceptions that came out of what a loop calls (tasks, posted calls, devices, a clock), on their
// way to whoever runs the loop. Law: an exception ends what it came out of and nothing else; the
// round goes on without it, and afterwards the exceptions leave run() one by one, in their order.
#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <vector>

namespace estab::host {

class Failures {
 public:
  Failures() { exceptions_.reserve(kAtLeast); }

  bool empty() const { return exceptions_.empty(); }
  /// Out of memory this one is forgotten: kAtLeast others are then on their way.
  void note(const std::exception_ptr& exception) noexcept {
    try {
      exceptions_.push_back(exception);
    } catch (const std::bad_alloc&) {
    }
  }
  void forget() { exceptions_.clear(); }
  /// Throws the first, if there is one.
  void rethrow_first() {
    if (exceptions_.empty()) return;
    const std::exception_ptr first = exceptions_.front();
    exceptions_.erase(exceptions_.begin());
    std::rethrow_exception(first);
  }

 private:
  static constexpr std::size_t kAtLeast = 16;
  std::vector<std::exception_ptr> exceptions_;
};

}  // namespace estab::host
