// Requests of memory that fail on purpose. A program linked with failing_new.cpp has every
// `operator new` of its own: each is counted while it lives, and those made inside a Scarce scope
// fail when their turn comes.
//
//   fail_requests(7, 1);           // the seventh request from here on fails, one of them
//   try {
//     const Scarce scarce;
//     stack.connect(now, options); // counted
//   } catch (const std::bad_alloc&) { ... }
#pragma once

#include <cstddef>
#include <cstdint>

namespace estab::test {

/// The `first`-th request inside Scarce scopes from here on (1: the next) fails, and so do the
/// `count - 1` behind it. A first of 0: none does.
void fail_requests(std::uint64_t first, std::uint64_t count);
/// Requests inside Scarce scopes since fail_requests was called, and how many of them failed.
std::uint64_t requests();
std::uint64_t failed_requests();
/// What was given out and has not come back, wherever it was asked for.
std::size_t live_allocations();

/// While one lives, requests count and may fail.
class Scarce {
 public:
  Scarce();
  ~Scarce();
  Scarce(const Scarce&) = delete;
  Scarce& operator=(const Scarce&) = delete;
};

/// Within a Scarce scope: requests of the test's own, which do not count.
class Plenty {
 public:
  Plenty();
  ~Plenty();
  Plenty(const Plenty&) = delete;
  Plenty& operator=(const Plenty&) = delete;

 private:
  int depth_;
};

}  // namespace estab::test
