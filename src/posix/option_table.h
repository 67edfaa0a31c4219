// The socket options that only store a number: which they are, where each is stored, its range. The
// others, with effects of their own, are in options.cpp.
#pragma once

#include "posix/socket_options.h"

namespace estab::posix {

struct NumberOption {
  enum class Kind : std::uint8_t {
    number,    ///< refused with EINVAL outside [least, most]
    on_or_off  ///< anything but 0 is 1
  };
  int level, name;
  int SocketOptions::* member;
  Kind kind = Kind::on_or_off;
  int least = 0, most = 1;
};

/// Null if there is no such option.
const NumberOption* find_number_option(int level, int name);

}  // namespace estab::posix
