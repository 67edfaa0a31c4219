// What happens when an assertion fails.
#include "base/ensure.h"

#include <atomic>
#include <cstdlib>

namespace estab::base {
namespace {

// The one variable of the whole process: a failed assertion has no stack it could belong to.
std::atomic<AssertionHandler> assertion_handler = nullptr;

}  // namespace

void set_assertion_handler(AssertionHandler handler) {
  assertion_handler.store(handler);
}

void assertion_failed(std::source_location where) {
  // Taken out first, so that an assertion that fails inside the handler does not call it again.
  if (AssertionHandler handler = assertion_handler.exchange(nullptr))
    handler(where.file_name(), where.line(), where.function_name());
  std::abort();
}

}  // namespace estab::base
