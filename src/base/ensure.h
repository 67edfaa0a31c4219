// ensure(): the assertion, on in every build. Law: it is for bugs of this library only; nothing
// that comes from the network or from the application may make one fail.
#pragma once

#include <source_location>

namespace estab::base {

using AssertionHandler = void (*)(const char* file, unsigned line, const char* function);

/// Called once before the process aborts. A null handler (the start) just aborts.
void set_assertion_handler(AssertionHandler handler);

[[noreturn, gnu::cold, gnu::noinline]] void assertion_failed(std::source_location where);

constexpr void ensure(bool condition,
                      std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    assertion_failed(where);
}

}  // namespace estab::base
