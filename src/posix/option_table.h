// The socket options that are a number kept and told again: which, where it is kept, what it may
// be. The others, which mean more, are in options.cpp.
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

/// Null if there is none of that name.
const NumberOption* find_number_option(int level, int name);

}  // namespace estab::posix
