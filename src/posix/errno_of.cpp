#include "posix/errno_of.h"

#include <system_error>

namespace estab::posix {

// The values of std::errc are those of errno.
int errno_of(Error error) {
  const std::error_condition condition = make_error_code(error).default_error_condition();
  return condition.category() == std::generic_category() ? condition.value() : 0;
}

}  // namespace estab::posix
